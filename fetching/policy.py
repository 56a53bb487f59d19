"""Whom we may talk to. A URL is judged by its spelling first, then by every address its host resolves to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from fetching.errors import FetchError

DEFAULT_PORTS = {"http": 80, "https": 443}
MAX_URL_LENGTH = 2000  # characters

# What ipaddress calls public (in one Python release or another) and yet is no public host.
_NOT_PUBLIC_V4 = tuple(
    IPv4Network(network)
    for network in (
        "192.0.0.0/24",  # IETF protocol assignments
        "192.88.99.0/24",  # 6to4 relays, deprecated
        "168.63.129.16/32",  # the machine services of one cloud, on a public-looking address
    )
)
_NOT_PUBLIC_V6 = tuple(
    IPv6Network(network)
    for network in (
        "2001::/23",  # protocol assignments, Teredo (which embeds IPv4 addresses) among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: embeds IPv4 addresses; deprecated, no publisher is there
        "3fff::/20",  # documentation
    )
)
_GLOBAL_UNICAST = IPv6Network("2000::/3")  # all of IPv6 that was ever given out to hosts
_NAT64 = IPv6Network("64:ff9b::/96")

# A parser somewhere drops these, reads them as another or cannot send them (the surrogates).
_UNSAFE_CHARACTERS = re.compile(r"[\x00-\x1f\x7f\\\ud800-\udfff]")
_KEPT_IN_PATHS = "/%:@!$&'()*+,;=~"
_KEPT_IN_QUERIES = _KEPT_IN_PATHS + "?[]|"


@dataclass(frozen=True)
class Policy:
    """`allow_hosts` holds hosts that need not be public: `host` opens all its ports, `host:port` only one.

    An IPv6 address is written `::1` or `[::1]`, and `[::1]:8000` with a port.
    """

    allow_hosts: frozenset[str] = frozenset()
    ports: frozenset[int] = frozenset({80, 443})

    def allows(self, host: str, port: int) -> bool:
        bracketed = f"[{host}]" if ":" in host else host
        spellings = {host, bracketed, f"{bracketed}:{port}"}
        return any(entry.lower() in spellings for entry in self.allow_hosts)


@dataclass(frozen=True)
class Target:
    """One hop: `host` in lower-case ASCII without brackets, `path` with its query, ready to be sent."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def netloc(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.path}"


def parse_target(url: str, policy: Policy, base: str = "") -> Target:
    """The URL's parts, or FetchError when its spelling alone is reason enough not to go there."""
    target = read_target(url, base)
    if target.port not in policy.ports and not policy.allows(target.host, target.port):
        raise FetchError("bad_port", f"Port {target.port} is not one that pictures are fetched from.")
    return target


def read_target(url: str, base: str = "") -> Target:
    """The parts of a URL that could be fetched from somewhere, whatever the policy says; else FetchError."""
    parts = _split(url.strip(), base)
    if parts.scheme not in DEFAULT_PORTS:
        raise FetchError("bad_scheme", "Only http and https addresses are fetched.")
    if parts.username is not None or parts.password is not None:
        raise FetchError("credentials", "The address contains a user name or password.")
    path = quote(parts.path or "/", safe=_KEPT_IN_PATHS)
    query = f"?{quote(parts.query, safe=_KEPT_IN_QUERIES)}" if parts.query else ""
    return Target(parts.scheme, _ascii_host(parts.hostname), _port(parts), path + query)


def is_public(address: str) -> bool:
    """Whether an IP address is a host on the public internet. IPv4 addresses inside IPv6 ones count as such.

    Of the ways to embed one, IPv4-mapped and NAT64 are judged by what they hold; the deprecated or local ones
    (IPv4-compatible, 6to4, Teredo, 64:ff9b:1::/48) are never public.
    """
    ip = _unwrapped(ipaddress.ip_address(address))
    if not ip.is_global or ip.is_multicast or ip.is_reserved:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in _NOT_PUBLIC_V4)
    return ip in _GLOBAL_UNICAST and not any(ip in network for network in _NOT_PUBLIC_V6)


def _unwrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip


def _split(url: str, base: str) -> SplitResult:
    if len(url) > MAX_URL_LENGTH or _UNSAFE_CHARACTERS.search(url):
        raise FetchError("bad_url", "The address is too long or has characters that no address has.")
    try:
        return urlsplit(urljoin(base, url))
    except ValueError as error:
        raise FetchError("bad_url", f"The address cannot be read: {error}.") from error


def _ascii_host(host: str | None) -> str:
    if not host:
        raise FetchError("bad_url", "The address names no host.")
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise FetchError("bad_url", "The address names an impossible host.") from error


def _port(parts: SplitResult) -> int:
    try:
        return DEFAULT_PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError as error:
        raise FetchError("bad_port", "The port of the address is not a number from 1 to 65535.") from error
