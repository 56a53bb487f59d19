"""A film's player in another host's page, found in what the source sent: HTML that nobody has checked. Pure: no Django.

Nothing of that HTML is ever passed on. All that is taken from it is the address of its one iframe, and that only when
it is https on a host of ours choosing.
"""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlsplit

MAX_LENGTH = 4_000  # characters of HTML; players take some 250
MAX_TAGS = 40  # the parser of Python 3.11 takes time by the square of those that do not end
MAX_ADDRESS = 2_000
# The same films, without a cookie before somebody plays one.
WITHOUT_COOKIES = {"www.youtube.com": "www.youtube-nocookie.com", "youtube.com": "www.youtube-nocookie.com"}


class Embed(NamedTuple):
    address: str
    host: str


class _Frames(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "iframe":
            self.addresses += [value or "" for name, value in attrs if name == "src"][:1] or [""]


def find_embed(html: str, hosts: Collection[str]) -> Embed | None:
    """The address of the one iframe in `html`, when it is on one of `hosts`."""
    if len(html) > MAX_LENGTH or html.count("<") > MAX_TAGS:
        return None
    frames = _Frames()
    frames.feed(html)
    frames.close()
    return _checked(frames.addresses[0].strip(), hosts) if len(frames.addresses) == 1 else None


def _checked(address: str, hosts: Collection[str]) -> Embed | None:
    if (
        len(address) > MAX_ADDRESS
        or not address.isascii()
        or not address.isprintable()
        or {*' "<>\\^`{|}'} & {*address}
    ):
        return None  # nothing that two programs could read in two ways
    try:
        parts = urlsplit(f"https:{address}" if address.startswith("//") else address)
        host = WITHOUT_COOKIES.get(parts.hostname or "", parts.hostname or "")
        plain = parts.scheme == "https" and parts.netloc.casefold() == parts.hostname  # no port, no user
    except ValueError:
        return None
    if not plain or host not in hosts:
        return None
    return Embed(parts._replace(netloc=host, fragment="").geturl(), host)
