"""One spelling for each domain. Pure."""

import re
from functools import lru_cache

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@lru_cache(maxsize=4096)
def normalise_domain(text: str) -> str:
    """The bare host name in lower-case ASCII: `HTTPS://WWW.Müller.de:443/x` → `www.xn--mller-kva.de`.

    Scheme, credentials, port, path and a trailing dot go; international names become punycode (IDNA 2003, as
    in Python's own codec). Raises ValueError when what is left is no host name with a dot.
    """
    if len(text) > 1000:
        raise ValueError(f"{text[:60]!r}… is not a domain")
    host = text.strip().split("://", 1)[-1].removeprefix("//")
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0]
    try:
        domain = host.rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise ValueError(f"{text!r} is not a domain") from error
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError(f"{text!r} is not a domain")
    return domain
