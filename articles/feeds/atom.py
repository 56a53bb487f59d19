"""Atom: RFC 4287, with Media RSS for the size of pictures and what they show."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.templatetags.static import static
from django.utils.xmlutils import SimplerXMLGenerator

from articles.feeds.contents import Entry, Feed, Format
from articles.links import absolute, xml_text

if TYPE_CHECKING:
    from datetime import datetime

    from articles.links import Picture

CONTENT_TYPE = "application/atom+xml; charset=utf-8"
NAMESPACES = {
    "xmlns": "http://www.w3.org/2005/Atom",
    "xmlns:media": "http://search.yahoo.com/mrss/",
}


class Writer(SimplerXMLGenerator):
    """Elements of text, without what no XML may hold; those without text are left out."""

    def start(self, name: str, attributes: dict[str, str] | None = None) -> None:
        self.startElement(name, AttributesImpl(attributes or {}))

    def text(self, name: str, text: str) -> None:
        if text:
            self.addQuickElement(name, xml_text(text))

    def moment(self, name: str, moment: datetime) -> None:
        self.text(name, moment.isoformat(timespec="seconds"))

    def empty(self, name: str, **attributes: str | int) -> None:
        self.addQuickElement(name, "", {key: xml_text(str(value)) for key, value in attributes.items()})

    def person(self, name: str) -> None:
        self.start("author")
        self.text("name", name)
        self.endElement("author")


def write(feed: Feed) -> bytes:
    output = io.BytesIO()
    xml = Writer(output, "utf-8", short_empty_elements=True)
    xml.startDocument()
    xml.start("feed", NAMESPACES | {"xml:lang": settings.LANGUAGE_CODE})
    xml.text("id", feed.id)
    xml.text("title", feed.title)
    xml.text("subtitle", feed.description)
    xml.moment("updated", feed.updated)
    xml.empty("link", rel="self", type="application/atom+xml", href=feed.address)
    xml.empty("link", rel="alternate", type="text/html", href=feed.page)
    xml.person(settings.SITE_NAME)
    xml.text("icon", absolute(static("icons/touch.png")))
    for entry in feed.entries:
        _write_entry(xml, entry)
    xml.endElement("feed")
    return output.getvalue()


def _write_entry(xml: Writer, entry: Entry) -> None:
    xml.start("entry")
    xml.text("id", entry.id)
    xml.addQuickElement("title", xml_text(entry.title))
    xml.moment("published", entry.published)
    xml.moment("updated", entry.updated)
    xml.empty("link", rel="alternate", type="text/html", href=entry.address)
    if entry.original:
        xml.empty("link", rel="via", href=entry.original)
    if entry.outlet:
        xml.person(entry.outlet)
    for topic in entry.topics:
        xml.empty("category", term=topic)
    xml.text("summary", entry.summary)
    if entry.picture:
        _write_picture(xml, entry.picture)
    xml.endElement("entry")


def _write_picture(xml: Writer, picture: Picture) -> None:
    """For readers that know enclosures, and for those that know Media RSS. Nobody counted its bytes: no length."""
    size = {"width": picture.width, "height": picture.height}
    xml.empty("link", rel="enclosure", type=picture.mime_type, href=picture.url)
    xml.start("media:content", {"url": picture.url, "type": picture.mime_type, "medium": "image"} | _text(size))
    if picture.alt:
        xml.addQuickElement("media:description", xml_text(picture.alt), {"type": "plain"})
    xml.endElement("media:content")


def _text(numbers: dict[str, int]) -> dict[str, str]:
    return {name: str(number) for name, number in numbers.items()}


ATOM = Format(CONTENT_TYPE, write)
