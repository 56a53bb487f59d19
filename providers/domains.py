"""One spelling for each domain. Pure."""

import re
from functools import lru_cache

_DOTS = ".\u3002\uff0e\uff61"  # all the full stops that separate labels
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


@lru_cache(maxsize=4096)
def normalise_domain(text: str) -> str:
    """The bare host name in lower-case ASCII: `HTTPS://WWW.Müller.de:443/x` → `www.xn--mller-kva.de`.

    Scheme, credentials, port, path and a trailing dot go; international names become punycode (IDNA 2003, as
    in Python's own codec). Raises ValueError when what is left is no host name with a dot, or an IP address.
    """
    if len(text) > 1000:
        raise _refusal(text)
    host = text.strip().split("://", 1)[-1].removeprefix("//")
    host = re.split(r"[/?#]", host, maxsplit=1)[0].rpartition("@")[2].partition(":")[0].rstrip(_DOTS)
    try:
        domain = host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise _refusal(text) from error
    labels = domain.split(".")
    if len(domain) > 253 or len(labels) < 2 or labels[-1].isdigit() or not all(map(_LABEL.fullmatch, labels)):
        raise _refusal(text)
    return domain


def _refusal(text: str) -> ValueError:
    return ValueError(f"{text!r} is not a domain" if len(text) <= 60 else f"{text[:60]!r}… is not a domain")
