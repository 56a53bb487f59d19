"""Documents: articles, providers and topics as plain data, read from front matter and written to it. No Django.

document = read(path.read_bytes())      text → document
text = write(document)                  document → text, in the house style
data = to_data(document)                document → JSON-ready mapping with the keys of the front matter
document = from_data(data)              and back
data = field_data(document, name)       one field → JSON
document = with_field(document, name, data)   and back
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from articles.documents.directions import may_hold_marks, unended
from articles.documents.editing import CannotEditError, edit_header
from articles.documents.errors import DocumentError, WrongValue
from articles.documents.header import MAX_BYTES, Text, is_null, load_exact, load_fast
from articles.documents.kinds import EARLIEST, LATEST, Member, NestedKind, topic_key
from articles.documents.shapes import (
    ArticleDocument,
    Document,
    ImageRef,
    ProviderDocument,
    ProviderRef,
    RelatedRef,
    TopicDocument,
)

__all__ = [
    "EARLIEST",
    "LATEST",
    "MAX_BYTES",
    "ArticleDocument",
    "Document",
    "DocumentError",
    "ImageRef",
    "ProviderDocument",
    "ProviderRef",
    "RelatedRef",
    "TopicDocument",
    "edit",
    "field_data",
    "from_data",
    "is_bare",
    "make_stem",
    "oddities",
    "open_data",
    "read",
    "to_data",
    "topic_key",
    "try_read",
    "with_field",
    "write",
]

D = TypeVar("D", bound=Document)

_ARTICLE = NestedKind(ArticleDocument)
_KINDS: dict[str, NestedKind[Any]] = {
    "organization": NestedKind(ProviderDocument),
    "topic": NestedKind(TopicDocument),
}
BODY = "---"
_SET_APART = frozenset({"featuredContent", "secured"})  # with the lists and mappings, below a blank line
_DATED = re.compile(r"\d{4}-\d\d-\d\d-[^/\x00-\x1f\x7f]+")


def is_bare(path: str) -> bool:
    """Whether a file of this name may be YAML throughout, without dashes."""
    return path.lower().endswith((".yaml", ".yml"))


def read(data: bytes, *, bare: bool = False) -> Document | None:
    """The document in a file's bytes. `bare`: the whole file may be YAML, as topics are.

    None for a bare file with no `taxonomy` (a site's configuration, say). Raises DocumentError otherwise.
    """
    return _read(Text(data, bare=bare), bare)


def _read(text: Text, bare: bool) -> Document | None:
    if bare and "taxonomy" not in text.header:
        return None  # whatever else a site keeps in YAML, and however it is written
    values = load_fast(text)
    if values is not None:
        try:
            return _document(values, text.body, bare)
        except WrongValue:
            pass  # the exact reader knows better, or knows the line
    try:
        return _document(load_exact(text), text.body, bare)
    except WrongValue as wrong:
        raise DocumentError(wrong.reason, line=wrong.line or text.first_line, key=wrong.key) from wrong


def oddities(document: Document, source: str) -> list[str]:
    """What is odd in a document, and is kept none the less: for its author to hear of. `source`: its file's text."""
    if not may_hold_marks(source):
        return []
    return [
        f"{where.removeprefix('.')}: the direction mark U+{ord(marks[0]):04X} is not ended; it may garble what follows"
        for where, text in _kind(document).texts(document)
        if (marks := unended(text))
    ]


def try_read(task: tuple[bytes, bool]) -> Document | DocumentError | None:
    """`read` of (data, bare), with its error as a value: what a pool of processes can map over files."""
    data, bare = task
    try:
        return read(data, bare=bare)
    except DocumentError as error:
        return error
    except Exception as error:  # noqa: BLE001  (a file we did not foresee must not take the others with it)
        return DocumentError(f"cannot be read: {error!r}")


def _document(values: dict[str, Any], body: str, bare: bool) -> Document | None:
    taxonomy = None if is_null(values.get("taxonomy")) else values["taxonomy"]
    if taxonomy is None and bare:
        return None
    if taxonomy is not None and not (isinstance(taxonomy, str) and taxonomy in _KINDS):
        wrong = WrongValue("has to be organization or topic", taxonomy)
        wrong.keys.insert(0, "taxonomy")
        raise wrong
    if BODY in values:
        raise WrongValue(f"a key cannot be {BODY}", values[BODY])
    document: Document = (_KINDS[taxonomy] if taxonomy else _ARTICLE).read(values)
    return dataclasses.replace(document, body=body) if body else document


def write(document: Document) -> str:
    """The document as a front-matter file in the house style: a topic is bare YAML, the others stand in dashes."""
    kind = _kind(document)
    apart = _is_set_apart(kind)
    lines: list[str] = []
    for key, member in kind.members(document):
        lines += ["", *member] if apart(key, member) else member
    text = "\n".join(lines)
    if isinstance(document, TopicDocument) and not document.body:
        return f"{text}\n"
    body = f"\n{document.body}\n" if document.body else "\n" if kind is _ARTICLE else ""
    return f"---\n{text}\n---\n{body}"


def edit(source: bytes, after: Document, *, bare: bool = False) -> str:
    """The text of `source` changed to say `after`: only the lines of the keys that differ are touched.

    A header that cannot be edited by lines, in flow style or with aliases, say, is written anew, the body kept.
    """
    text, kind = Text(source, bare=bare), _kind(after)
    before = _read(text, bare)
    lines = source.decode().split("\n")
    begin = text.first_line - 1
    end = begin + text.header.count("\n")
    if before is None or len(lines) < end:  # the latter with the line endings of old Macs
        return write(after)
    try:
        header = edit_header(
            text.header, lines[begin:end], kind.members(before), kind.members(after), _is_set_apart(kind)
        )
    except CannotEditError:
        return write(after)
    below = lines[end:]  # the closing dashes, and the body
    if after.body != before.body:
        carriage = "\r" if lines[0].endswith("\r") else ""
        below = [
            below[0].rstrip("\r") + carriage,
            carriage,
            *(f"{line}{carriage}" for line in after.body.split("\n")),
            "",
        ]
    edited, anew = "\n".join([*lines[:begin], *header, *below]), write(after)
    same = try_read((edited.encode(), bare)) == try_read((anew.encode(), bare))
    return edited if same else anew  # lines in an order that nobody foresaw must not harm what they say


def to_data(document: Document) -> dict[str, Any]:
    """The document as JSON can hold it, keyed as in the front matter; the body under the dashes it stands below."""
    data = _kind(document).plain(document)
    return data | {BODY: document.body} if document.body else data


def open_data(document: Document) -> dict[str, Any]:
    """The same without sealed text, which stays in its one place."""
    data = to_data(document)
    data.pop("secured", None)
    return data


def from_data(data: dict[str, Any]) -> Document:
    """The document that `to_data` made `data` from. Raises DocumentError."""
    values = dict(data)
    body = values.pop(BODY, "")
    try:
        document = _document(values, body, bare=False)
    except WrongValue as wrong:
        raise DocumentError(wrong.reason, key=wrong.key) from wrong
    assert document is not None  # noqa: S101  (only bare files can be none)
    return document


def field_data(document: Document, name: str) -> Any:
    """One field of a document as JSON can hold it: what `to_data` has under its key, None where it has nothing."""
    value, member = getattr(document, name), _member(document, name)
    if member is None:
        return value or None  # the body, or the keys that no field names
    return member.kind.plain(value) if member.always or value != member.default else None


def with_field(document: D, name: str, data: Any) -> D:
    """The document with one field made from its `field_data`; None is the default. Raises DocumentError."""
    member = _member(document, name)
    if member is None:
        change: dict[str, Any] = {name: data or ({} if name == "extra" else "")}
    else:
        change = {name: _value(member, data)}
    return dataclasses.replace(document, **change)


def _value(member: Member, data: Any) -> Any:
    try:
        value = member.default if data is None else member.kind.read(data)
        if member.required and value is None:
            raise WrongValue("is missing", data)
    except WrongValue as wrong:
        wrong.keys.insert(0, member.key)
        raise DocumentError(wrong.reason, key=wrong.key) from wrong
    return value


def _member(document: Document, name: str) -> Member | None:
    return next((member for member in _kind(document).keys if member.name == name), None)


def _is_set_apart(kind: NestedKind[Any]) -> Callable[[str, list[str]], bool]:
    """Whether the house style has a blank line above a key: above an article's lists and long texts."""
    return lambda key, lines: kind is _ARTICLE and (len(lines) > 1 or key in _SET_APART)


def _kind(document: Document) -> NestedKind[Any]:
    if isinstance(document, ArticleDocument):
        return _ARTICLE
    return _KINDS["organization" if isinstance(document, ProviderDocument) else "topic"]


def make_stem(published_at: datetime, title: str, name: str = "") -> str:
    """The last part of an article's address: the source file's own name (without its ending) where that is
    dated, else made from date and title. At most 190 characters, and never with a slash."""
    if _DATED.fullmatch(name):
        return _shorten(name)
    return _shorten(f"{published_at:%Y-%m-%d}-{_slug(title)}")


def _slug(title: str) -> str:
    ascii_title = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    for text, unwanted in ((ascii_title, r"[^a-z0-9\s-]"), (title, r"[^\w\s-]")):
        words = re.sub(unwanted, "", text.lower())
        if slug := re.sub(r"[-\s]+", "-", words).strip("-_"):
            return slug
    return hashlib.sha256(title.encode()).hexdigest()[:12]


def _shorten(stem: str, longest: int = 190) -> str:
    """Cut at 190 so that a number can still be appended; overlong names stay distinct through a hash."""
    if len(stem) <= longest:
        return stem
    return f"{stem[: longest - 13]}-{hashlib.sha256(stem.encode()).hexdigest()[:12]}"
