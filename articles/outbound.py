"""Outbound links: when two addresses lead to the same story elsewhere. Pure."""

from __future__ import annotations

from hashlib import blake2b
from urllib.parse import parse_qsl, urlencode, urlsplit

# What says how a reader came, and nothing of what is read.
_TRACKING = frozenset(
    {"fbclid", "gclid", "dclid", "msclkid", "igshid", "mc_cid", "mc_eid", "yclid", "cmpid", "ncid", "ocid", "smid"}
)


def link_key(*addresses: str) -> int | None:
    """A number, of 63 bits, that is the same for addresses that differ in nothing but scheme, `www.`, capitals of the
    host, an outer slash, the order of parameters, tracking and fragment: of the first that is one; None of none."""
    for address in addresses:
        if plain := _plain(address):
            digest = blake2b(plain.encode("utf-8", "surrogatepass"), digest_size=8).digest()
            return int.from_bytes(digest, "big") >> 1
    return None


def _plain(address: str) -> str:
    try:
        parts = urlsplit(address.strip())
        host = (parts.hostname or "").removeprefix("www.")
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    query = parts.query and urlencode(
        sorted(pair for pair in parse_qsl(parts.query, True) if not _is_tracking(pair[0]))
    )
    return f"{host}{parts.path.rstrip('/')}?{query}"


def _is_tracking(name: str) -> bool:
    return name.lower() in _TRACKING or name.lower().startswith("utm_")
