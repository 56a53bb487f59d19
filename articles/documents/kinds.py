"""The types that keys have: how each value is read from a header, and written back.

A kind's `read` gets a value of either reader (see header.py) and returns the typed one, or raises WrongValue. Its
`plain` gives the value as JSON and YAML know it; its `lines` writes it in the house style.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import urlsplit

import yaml

from articles.documents.errors import WrongValue
from articles.documents.header import Scalar, as_flag, as_plain, as_whole, clean, is_null, means_itself
from providers.domains import normalise_domain

T = TypeVar("T")


class Shape(Protocol):
    """A dataclass whose fields are made with `key()`; keys that none of them names are in `extra`."""

    @property
    def extra(self) -> dict[str, Any]: ...


S = TypeVar("S", bound=Shape)

EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 12, 31, tzinfo=UTC)
MAX_ITEMS = 1000  # of one list
MAX_URL_BYTES = 2000  # an index of PostgreSQL takes 2,704
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?:[/?#][!-~]*)?")  # what nearly all of them look like
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)"
    r"(?:[Tt ] *(\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?) *([Zz]|UTC|[-+]\d\d(?::?\d\d)?)?)?",
    re.ASCII,
)
_UNQUOTED = re.compile(r"[^\W\d_/]?[\w /](?:[^\W]|[ .,;'()&/+!?%=~$*@–—’“”|-]|:(?=[^\s:]))*")
_NUMBER = r"0b[01_]+|0o?[0-7_]+|0x[\da-f_]+|\d[\d_,]*(?::[0-5]?\d)*(?:\.[\d_]*)?(?:e[-+]?\d+)?|\d{4}-\d\d?-\d\d?.*"
_NOT_TEXT = re.compile(rf"(?is)true|false|yes|no|on|off|y|n|null|{_NUMBER}")
_ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Unicode's Default_Ignorable_Code_Point: what nobody sees. Zero-width spaces and joiners, direction marks, variation
# selectors, fillers, tags.
_IGNORABLE = (
    "\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_IGNORABLE}]+")
_BLANK = re.compile(rf"[\s{_IGNORABLE}]*")


class Kind(Generic[T]):
    def read(self, value: Any) -> T:
        raise NotImplementedError

    def plain(self, value: T) -> Any:
        """The value as JSON has it."""
        return value

    def lines(self, key: str, value: T) -> list[str]:
        """The house style's lines for `key: value`, without indentation."""
        return [f"{key}: {self.inline(value)}"]

    def inline(self, value: T) -> str:
        return str(value)

    def texts(self, value: T) -> Iterator[tuple[str, str]]:
        """The texts within that people read, each with where it stands: `[0].title`."""
        return iter(())


@dataclass(frozen=True)
class TextKind(Kind[str]):
    """Text, whatever YAML makes of it: a title `No`, `2023` or `12:30` stays that."""

    longest: int | None = None
    quoted: bool = True
    blank: bool = True

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise WrongValue(f"has to be text, not {describe(value)}", value)
        text = clean(value)
        if not self.blank and is_blank(text):
            raise WrongValue("is empty", value)
        if self.longest and len(text) > self.longest:
            raise WrongValue(f"is {len(text):,} characters long; at most {self.longest:,} are kept", value)
        return text

    def inline(self, value: str) -> str:
        return quote(value) if self.quoted else unquoted(value)

    def texts(self, value: str) -> Iterator[tuple[str, str]]:
        yield "", value


class TopicKind(TextKind):
    """The name of a topic, short enough also in the form in which topics are compared."""

    def read(self, value: Any) -> str:
        text = super().read(value)
        if self.longest and not text.isascii() and len(topic_key(text)) > self.longest:
            raise WrongValue(f"is longer than {self.longest} characters once it is written out", value)
        return text


def topic_key(name: str) -> str:
    """What two spellings of one topic have in common: case, spaces and what nobody sees do not count."""
    if not name.isascii():
        folded = unicodedata.normalize("NFKC", name).casefold()
        name = _UNSEEN.sub("", unicodedata.normalize("NFKC", folded))
    return " ".join(name.split()).casefold()


class UrlKind(Kind[str]):
    """An http or https address; with `paths`, also a path within the site that begins with one slash."""

    def __init__(self, *, paths: bool = False) -> None:
        self.paths = paths

    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise WrongValue(f"has to be an address, not {describe(value)}", value)
        text = clean(value).strip()
        if len(text.encode()) > MAX_URL_BYTES:
            raise WrongValue(f"is longer than {MAX_URL_BYTES:,} bytes", value)
        if text and not _ADDRESS.fullmatch(text) and not self._is_address(text):
            also = " or a path that begins with /" if self.paths else ""
            raise WrongValue(f"{shorten(text)} is not an http or https address{also}", value)
        return text

    def _is_address(self, text: str) -> bool:
        if self.paths and text.startswith("/"):
            return text[1:2] not in ("/", "\\")  # of which browsers make another host
        try:
            parts = urlsplit(text)
            is_web = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
            return bool(is_web) and "\\" not in parts.netloc and not re.search(r"\s", text)
        except ValueError:
            return False

    def inline(self, value: str) -> str:
        return value if value.startswith("/") and unquoted(value) == value else quote(value)


class DomainKind(Kind[str]):
    def read(self, value: Any) -> str:
        if not isinstance(value, str):
            raise WrongValue(f"has to be a domain, not {describe(value)}", value)
        try:
            return normalise_domain(value)
        except ValueError as error:
            raise WrongValue(str(error), value) from error

    def inline(self, value: str) -> str:
        return unquoted(value)


class MomentKind(Kind[datetime]):
    """A time, always aware: without an offset it is UTC, a bare date is midnight UTC."""

    def read(self, value: Any) -> datetime:
        match = _MOMENT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise WrongValue(f"{describe(value)} is not a date and time", value)
        day, clock, offset = match.groups()
        clock = clock or "00:00"
        clock = f"0{clock}" if clock[1] == ":" else clock
        offset = "+00:00" if not offset or offset in ("Z", "z", "UTC") else offset
        try:
            moment = datetime.fromisoformat(f"{day}T{clock}{offset}").astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise WrongValue(f"{shorten(value)} is not a date and time that exists", value) from error
        if not EARLIEST <= moment <= LATEST:
            raise WrongValue(f"{shorten(value)} is not between 1900 and 2200", value)
        return moment

    def plain(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")

    def inline(self, value: datetime) -> str:
        return self.plain(value)


class WholeKind(Kind[int]):
    """A whole number that fits a database's integer; with `positive`, from 0."""

    def __init__(self, *, positive: bool = False) -> None:
        self.lowest = 0 if positive else -(2**31)

    def read(self, value: Any) -> int:
        number = value if type(value) is int else as_whole(value)
        if number is None:
            raise WrongValue(f"has to be a whole number, not {describe(value)}", value)
        if not self.lowest <= number < 2**31:
            raise WrongValue("the number is out of range", value)
        return number


class FlagKind(Kind[bool]):
    def read(self, value: Any) -> bool:
        flag = value if value is True or value is False else as_flag(value)
        if flag is None:
            raise WrongValue(f"has to be true or false without quotes, not {describe(value)}", value)
        return flag

    def inline(self, value: bool) -> str:
        return "true" if value else "false"


class AnyKind(Kind[Any]):
    """Whatever is there, kept as JSON can hold it."""

    def read(self, value: Any) -> Any:
        return as_plain(value)

    def lines(self, key: str, value: Any) -> list[str]:
        text = yaml.dump(
            {key: value},
            Dumper=_Indented,
            sort_keys=False,
            allow_unicode=True,
            width=2**31,
            default_flow_style=False,
        )
        return text.rstrip("\n").split("\n")


class _Indented(yaml.SafeDumper):
    """Lists indented below their key, as in the house style; quotes around what YAML 1.1 and 1.2 read differently."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def represent_text(self, text: str) -> yaml.Node:
        is_odd = (
            _ESCAPED.search(text) or text != text.strip() or not means_itself(text)
        )  # blanks at a file's end get lost
        style = '"' if is_odd else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Indented.add_representer(str, _Indented.represent_text)


class ListKind(Kind[tuple[T, ...]]):
    def __init__(self, item: Kind[T]) -> None:
        self.item = item

    def read(self, value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise WrongValue(f"has to be a list, not {describe(value)}", value)
        if len(value) > MAX_ITEMS:
            raise WrongValue(f"has {len(value):,} items; at most {MAX_ITEMS:,} are read", value)
        read = self.item.read
        items: list[T] = []
        try:
            for item in value:
                items.append(read(item))
        except WrongValue as wrong:
            wrong.keys.insert(0, len(items))
            raise
        return tuple(items)

    def plain(self, value: tuple[T, ...]) -> list[Any]:
        return [self.item.plain(item) for item in value]

    def lines(self, key: str, value: tuple[T, ...]) -> list[str]:
        return [f"{key}:", *(line for item in value for line in self._item(item))]

    def texts(self, value: tuple[T, ...]) -> Iterator[tuple[str, str]]:
        for index, item in enumerate(value):
            yield from ((f"[{index}]{where}", text) for where, text in self.item.texts(item))

    def _item(self, item: T) -> list[str]:
        if not isinstance(self.item, NestedKind):
            return [f"  - {self.item.inline(item)}"]
        first, *rest = [line for _, lines in self.item.members(item) for line in lines]
        return [f"  - {first}", *(f"    {line}" for line in rest)]


class NestedKind(Kind[S]):
    """A mapping with known keys, described by a dataclass whose fields are made with `key()`."""

    def __init__(self, shape: type[S]) -> None:
        self.make: Callable[..., S] = shape
        self.keys = [Member.of(item) for item in fields(shape) if "key" in item.metadata]  # type: ignore[arg-type]
        self.readers = {member.key: (member.name, member.kind.read) for member in self.keys}
        self.required = [member for member in self.keys if member.required]

    def read(self, value: Any) -> S:
        if not isinstance(value, dict):
            raise WrongValue(f"has to be a mapping of keys to values, not {describe(value)}", value)
        found: dict[str, Any] = {}
        extra: dict[str, Any] = {}
        readers, key = self.readers, ""
        try:
            for key, raw in value.items():
                known = readers.get(key)
                if known is None:
                    extra[_KEY.read(key)] = as_plain(raw)
                elif raw is not None and not (type(raw) is Scalar and is_null(raw)):
                    name, read = known
                    found[name] = read(raw)
        except WrongValue as wrong:
            wrong.keys.insert(0, str(key))
            raise
        for member in self.required:
            given = found.get(member.name)
            if given is None or (isinstance(given, str) and is_blank(given)):
                raise self._missing(value, member)
        return self.make(**found, extra=extra)

    @staticmethod
    def _missing(value: dict[str, Any], member: Member) -> WrongValue:
        raw = value.get(member.key)
        wrong = WrongValue("is missing or empty", raw if isinstance(raw, Scalar) else value)
        wrong.keys.insert(0, member.key)
        return wrong

    def plain(self, value: S) -> dict[str, Any]:
        known = {member.key: member.kind.plain(item) for member, item in self._present(value)}
        return known | value.extra

    def lines(self, key: str, value: S) -> list[str]:
        return [f"{key}:", *(f"  {line}" for _, lines in self.members(value) for line in lines)]

    def members(self, value: S) -> list[tuple[str, list[str]]]:
        """Each key that has something to say, with its lines."""
        known = [(member.key, member.kind.lines(member.key, item)) for member, item in self._present(value)]
        return known + [(key, AnyKind().lines(key, item)) for key, item in value.extra.items()]

    def texts(self, value: S) -> Iterator[tuple[str, str]]:
        for member, item in self._present(value):
            yield from ((f".{member.key}{where}", text) for where, text in member.kind.texts(item))

    def _present(self, value: S) -> list[tuple[Member, Any]]:
        """The members that differ from their default, and those that are always written."""
        found = [(member, getattr(value, member.name)) for member in self.keys]
        return [(member, item) for member, item in found if member.always or item != member.default]


@dataclass(frozen=True)
class Member:
    """One known key of a mapping, and the dataclass field it fills."""

    name: str
    key: str
    kind: Kind[Any]
    required: bool
    always: bool
    default: Any

    @classmethod
    def of(cls, item: Field[Any]) -> Member:
        default = None if item.default is MISSING else item.default
        required = item.metadata["required"]
        always = required or item.metadata["always"]
        return cls(item.name, item.metadata["key"], item.metadata["kind"], required, always, default)


_KEY = TextKind()


def key(name: str, kind: Kind[Any], *, default: Any = MISSING, always: bool = False) -> Any:
    """A dataclass field for the front-matter key `name`. Without a default the key is required; with `always` it
    is written even where it has its default value."""
    metadata = {"key": name, "kind": kind, "required": default is MISSING, "always": always}
    return field(metadata=metadata) if default is MISSING else field(default=default, metadata=metadata)


def is_blank(text: str) -> bool:
    """Whether there is nothing to see: only spaces, or what has no width."""
    return not text.strip() or (not text.isascii() and _BLANK.fullmatch(text) is not None)


def quote(text: str) -> str:
    """A double-quoted YAML scalar on one line. JSON's escapes are YAML's; a few characters need more of them."""
    return _ESCAPED.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def unquoted(text: str) -> str:
    """The text without quotes where every YAML reader takes it for the same text, else quoted."""
    safe = _UNQUOTED.fullmatch(text) and not _NOT_TEXT.fullmatch(text) and text == text.strip()
    return text if safe else quote(text)


def shorten(value: object, longest: int = 60) -> str:
    text = hex(value) if isinstance(value, int) and value.bit_length() > 128 else str(value)  # decimal has a limit
    return repr(text if len(text) <= longest else text[:longest] + "…")


def describe(value: object) -> str:
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Scalar) and not value.plain:
        return f"the text {shorten(value)}"
    return "nothing" if value is None or value == "" else shorten(value)
