"""What RFC 4287 demands of a feed, as far as ours could break it."""

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import urlsplit

ATOM = "{http://www.w3.org/2005/Atom}"
ONCE = {"id", "title", "updated"}
AT_MOST_ONCE = {
    "feed": {"subtitle", "icon", "logo", "generator", "rights"},
    "entry": {"published", "summary", "content"},
}
REPEATED = {"feed": {"link", "author", "category", "contributor", "entry"}, "entry": {"link", "author", "category"}}
ATTRIBUTES = {"link": {"href", "rel", "type", "title", "length"}, "category": {"term", "scheme", "label"}}


def faults(feed: ET.Element) -> list[str]:
    found = [*_faults_of(feed, "feed")]
    for entry in feed.findall(f"{ATOM}entry"):
        found += _faults_of(entry, "entry")
    ids = [each.text for each in feed.iter(f"{ATOM}id")]
    found += [f"id {each} is there {count} times" for each, count in Counter(ids).items() if count > 1]
    return found


def _faults_of(element: ET.Element, kind: str) -> Iterator[str]:
    if element.tag != ATOM + kind:
        yield f"{element.tag} is no {kind}"
    names = Counter(child.tag.removeprefix(ATOM) for child in element if child.tag.startswith(ATOM))
    yield from (f"{kind} has {names[name]} {name}" for name in ONCE if names[name] != 1)
    yield from (f"{kind} has {names[name]} {name}" for name in AT_MOST_ONCE[kind] if names[name] > 1)
    yield from (f"{kind} has a {name}" for name in set(names) - ONCE - AT_MOST_ONCE[kind] - REPEATED[kind])
    if kind == "feed" and not names["author"]:
        yield "feed has no author, so each entry would need one"
    for child in element:
        yield from _faults_of_child(child, kind)
    yield from _faults_of_links(element, kind)


def _faults_of_child(child: ET.Element, kind: str) -> Iterator[str]:
    name = child.tag.removeprefix(ATOM)
    if name in ("updated", "published") and (not child.text or datetime.fromisoformat(child.text).tzinfo is None):
        yield f"{name} of {kind} is no time: {child.text}"
    if name in ("id", "icon") and not urlsplit(child.text or "").scheme:
        yield f"{name} of {kind} is no absolute address: {child.text}"
    if name == "author" and [each.tag for each in child] != [f"{ATOM}name"]:
        yield f"author of {kind} has no name"
    if name in ATTRIBUTES and not set(child.attrib) <= ATTRIBUTES[name]:
        yield f"{name} of {kind} has {set(child.attrib)}"
    if name == "category" and not child.get("term"):
        yield f"category of {kind} has no term"


def _faults_of_links(element: ET.Element, kind: str) -> Iterator[str]:
    links = element.findall(f"{ATOM}link")
    alternates = Counter((link.get("type"), link.get("hreflang")) for link in links if link.get("rel") == "alternate")
    yield from (f"{kind} has {count} alternates of {each}" for each, count in alternates.items() if count > 1)
    if kind == "feed" and sum(link.get("rel") == "self" for link in links) != 1:
        yield "feed does not say where it is"
    if kind == "entry" and not alternates:
        yield "entry leads nowhere"
    for link in links:
        if not re.fullmatch(r'https?://[^\s"<>\\\\^`{|}]+', link.get("href", "")):
            yield f"link of {kind} to {link.get('href')}"
