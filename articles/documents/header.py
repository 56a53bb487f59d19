"""From a file's bytes to the mapping in its header, and the body below it.

Two readers. `load_fast` (yaml-rs, YAML 1.2) gives ordinary Python values; a value is believed only where it has
exactly the type its key wants. Everything else, and every error, is settled by `load_exact` (PyYAML's nodes): it
keeps each scalar's literal text, whether it was quoted, and its line. See docs/decisions/yaml.md.
"""

from __future__ import annotations

import re
from typing import Any

import frontmatter
import yaml
import yaml_rs
from frontmatter.default_handlers import YAMLHandler

from articles.documents.errors import DocumentError, WrongValue

MAX_BYTES = 1024 * 1024  # a file; the largest real one seen has 9 kB
MAX_DEPTH = 20  # of the value of an unknown key
MAX_ALIASES = 100
MAX_NODES = 50_000
MAX_DIGITS = 4000  # of a number; Python reads up to 4,300

# What yaml-rs should not be asked, as it reads it otherwise: anchors, aliases, tags, merges, complex keys (wherever a
# value may begin, also behind a quoted key, but not between words); numbers with underscores, tabs, a BOM, and the line
# breaks that YAML 1.1 knew. Each pattern begins with its mark and is searched for only where the mark is: most headers
# have none, and looking for one character costs next to nothing.
_BEGINNING = r"(?<![^\s:,\[{\"'].)(?<![^\s:,\[{?-] .)"
_SPECIAL = {
    "&": re.compile(rf"&{_BEGINNING}(?:\S|$)"),
    "*": re.compile(rf"\*{_BEGINNING}(?:\S|$)"),
    "!": re.compile(rf"!{_BEGINNING}"),
    "<<": re.compile(rf"<{_BEGINNING}<"),
    "?": re.compile(rf"\?{_BEGINNING}(?:\s|(?<=[,\[{{]\?))"),
    "_": re.compile(r"_(?<=[\s,\[{+.\-0-9a-fA-Fxo_]_)[-+.0-9a-fA-Fxo_]*(?:[\s,\]}]|$)"),
    **{mark: re.compile(mark) for mark in "\t\x85\u2028\u2029\ufeff"},
}
_COMPACT = re.compile(r"[-?:](?:[ \t]+[-?:]){8}")  # 100,000 times "- " in one line overflows its stack
_INDICATORS = bytes.maketrans(b"?:", b"--")
_ESCAPE = re.compile(r'\\[^"\\n]')  # in double quotes these may mean any character
_UTF_16 = (b"\xff\xfe", b"\xfe\xff", b"-\0", b"\0-", b"\0\0\xfe\xff")
_ALLOWED_BYTES = bytes({*range(0x20, 0x100), *b"\t\n\r"} - {0x7F})
_OTHER_CONTROLS = re.compile(rb"\xc2[\x80-\x84\x86-\x9f]")
# What YAML does not allow, and XML partly neither: one U+FFFF in a title, and no reader opens the feed.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "True", "TRUE"})
_FALSE = frozenset({"false", "False", "FALSE"})
_DIGITS = "[0-9]+(?:_[0-9]+)*"
_INT = re.compile(rf"[-+]?(?:{_DIGITS}|0x[0-9a-fA-F]+(?:_[0-9a-fA-F]+)*|0o[0-7]+(?:_[0-7]+)*|0b[01]+(?:_[01]+)*)")
_BASES = frozenset("xob")
_FLOAT = re.compile(rf"[-+]?(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS}|{_DIGITS})(?:[eE][-+]?{_DIGITS})?")


class Scalar(str):
    """The literal text of a scalar; `plain` when it stood without quotes."""

    line: int
    plain: bool

    def __new__(cls, text: str, line: int, plain: bool) -> Scalar:
        self = super().__new__(cls, text)
        self.line = line
        self.plain = plain
        return self


class Mapping(dict[str, Any]):
    line: int


class Sequence(list[Any]):
    line: int


class Text:
    """A decoded file, taken apart: the YAML text of its header, the line that begins on, and its body."""

    def __init__(self, data: bytes, *, bare: bool = False) -> None:
        """`bare`: the whole file may be the header, as in `.yaml` files without dashes."""
        text = decode(data).removeprefix("\ufeff")
        if "\n" not in text:
            text = text.replace("\r", "\n")
        splitter = _Splitter(bare=bare)
        _, self.body = frontmatter.parse(text, handler=splitter)
        self.header = splitter.header
        blank_lines = text[: len(text) - len(text.lstrip())].count("\n")  # which the library strips
        self.first_line = blank_lines + splitter.first_line


class _Splitter(YAMLHandler):
    """python-frontmatter's splitting, with two differences: a file without both delimiters is an error instead
    of an empty header, and the work is linear (its own pattern backtracks over blank lines)."""

    OPENING = re.compile(r"-{3,}[^\S\n]*+(?=\n|\Z)")
    CLOSING = re.compile(r"\n----*+[^\S\n]*+(?:\n|\Z)")

    def __init__(self, *, bare: bool) -> None:
        super().__init__()
        self.bare = bare
        self.header = ""
        self.first_line = 1

    def split(self, text: str) -> tuple[str, str]:
        opening = self.OPENING.match(text)
        if not opening and not self.bare:
            raise DocumentError("no front matter: the first line has to be ---", line=1)
        begin = opening.end() + 1 if opening else 0
        closing = self.CLOSING.search(text, begin - 1) if opening else None
        if not closing and not self.bare:
            raise DocumentError("the front matter has no closing ---", line=1)
        self.first_line = 2 if opening else 1
        # A last line without its end means something else to YAML.
        self.header = text[begin : closing.start() + 1] if closing else f"{text[begin:]}\n"
        return self.header, text[closing.end() :] if closing else ""

    def load(self, fm: str, **kwargs: object) -> dict[str, Any]:
        return {}  # our own readers load it, with what they need to know besides


def decode(data: bytes) -> str:
    """The file's text, a BOM and every line ending kept. UTF-8 only; errors say where."""
    if len(data) > MAX_BYTES:
        raise DocumentError(f"the file is too long: at most {MAX_BYTES:,} bytes are read")
    if data.startswith(_UTF_16):
        raise DocumentError("the file is UTF-16 or UTF-32; save it as UTF-8", line=1)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DocumentError(f"byte 0x{data[error.start]:02x} is not UTF-8", line=line) from error
    if _may_hold_controls(data) and (match := _CONTROL.search(text)):
        line = text.count("\n", 0, match.start()) + 1
        raise DocumentError(f"control character U+{ord(match[0]):04X}", line=line)
    return text


def _may_hold_controls(data: bytes) -> bool:
    """Cheaper to ask of bytes than of text."""
    if data.translate(None, _ALLOWED_BYTES):
        return True
    return not data.isascii() and bool(
        _OTHER_CONTROLS.search(data) or b"\xef\xbf\xbe" in data or b"\xef\xbf\xbf" in data
    )


def load_fast(text: Text) -> dict[str, Any] | None:
    """The header as ordinary values, or None where only the exact reader will do."""
    if len(text.header) > MAX_NODES or _is_special(text.header):  # a shorter one cannot hold more values than that
        return None
    try:
        values = yaml_rs.loads(text.header, parse_datetime=False)
    except yaml_rs.YAMLDecodeError:
        return None  # the exact reader finds the line, or proves it wrong
    # Of a block with nothing in it, which begins with one of these, yaml-rs makes a line break.
    doubtful = "|" in text.header or ">" in text.header or _ESCAPE.search(text.header)
    if not isinstance(values, dict) or (doubtful and not _is_clean(values)):
        return None
    return values


def _is_special(header: str) -> bool:
    """Whether the fast reader might see something else in it than the exact one, or die of it."""
    for mark, pattern in _SPECIAL.items():
        if mark in header and pattern.search(header):
            return True
    indicators = header.encode().translate(_INDICATORS, b" \t")  # all spelled "-", and nothing between them
    return b"-" * 9 in indicators and _COMPACT.search(header) is not None


def _is_clean(value: object, depth: int = 0) -> bool:
    """Whether no text inside holds control characters, or nothing but space. False for what is nested too deeply."""
    if isinstance(value, (dict, list)):
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        return depth <= MAX_DEPTH and all(_is_clean(item, depth + 1) for item in inside)
    return not isinstance(value, str) or (_CONTROL.search(value) is None and not value.isspace())


def load_exact(text: Text) -> Mapping:
    """The header with literal scalars and lines. Raises DocumentError with the line for whatever is wrong."""
    try:
        _check_limits(text)
        root = yaml.compose(text.header, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        end = error.problem_mark.index if error.problem_mark else 0
        unclosed = end >= len(text.header.rstrip())  # then where it began says more than where it ended
        mark = (error.context_mark if unclosed else None) or error.problem_mark or error.context_mark
        line = text.first_line + mark.line if mark else None
        raise DocumentError(f"not YAML: {error.problem or error.context}", line=line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"not YAML: {error}", line=text.first_line) from error
    if not isinstance(root, yaml.MappingNode):
        raise DocumentError("the front matter is not a mapping of keys to values", line=text.first_line)
    return _Builder(text.first_line).mapping(root)


def _check_limits(text: Text) -> None:
    """Refuse what would hang or kill a composer: depth, aliases, and the number of nodes."""
    depth = aliases = 0
    for count, event in enumerate(yaml.parse(text.header, Loader=yaml.CSafeLoader)):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
        if reason := _beyond_limits(depth, count, aliases):
            line = text.first_line + (event.start_mark.line if event.start_mark else 0)
            raise DocumentError(reason, line=line)


def _beyond_limits(depth: int, nodes: int, aliases: int = 0) -> str:
    if depth > MAX_DEPTH + 10:  # a known key's value may have an unknown key some levels down
        return f"nested more than {MAX_DEPTH} levels deep"
    if nodes > MAX_NODES:
        return f"more than {MAX_NODES:,} keys and values"
    return f"more than {MAX_ALIASES} aliases" if aliases > MAX_ALIASES else ""


class _Builder:
    """Values from nodes. Aliases count as often as they are followed, so that a bomb runs into the limit."""

    def __init__(self, first_line: int) -> None:
        self.first_line = first_line
        self.nodes = 0

    def value(self, node: yaml.Node, depth: int = 0) -> Any:
        self.nodes += 1
        if reason := _beyond_limits(depth, self.nodes):
            raise DocumentError(reason, line=self.line(node))
        if node.tag.startswith("!") or node.tag.startswith("tag:yaml.org,2002:python"):
            raise DocumentError(f"the tag {node.tag} is not supported", line=self.line(node))
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, depth)
        if isinstance(node, yaml.SequenceNode):
            sequence = Sequence(self.value(item, depth + 1) for item in node.value)
            sequence.line = self.line(node)
            return sequence
        return Scalar(node.value, self.line(node), plain=not getattr(node, "style", None))

    def mapping(self, node: yaml.MappingNode, depth: int = 0) -> Mapping:
        mapping = Mapping()
        mapping.line = self.line(node)
        for key_node, value_node in node.value:
            key = self.key(key_node)
            if key in mapping:
                raise DocumentError("the key is there twice", line=self.line(key_node), key=key)
            mapping[key] = self.value(value_node, depth + 1)
        return mapping

    def key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise DocumentError("a key has to be a word", line=self.line(node))
        if node.value == "<<" and not node.style:
            raise DocumentError("merge keys (<<) are not supported", line=self.line(node))
        if match := _CONTROL.search(node.value):
            raise DocumentError(f"control character U+{ord(match[0]):04X} in a key", line=self.line(node))
        return str(node.value)

    def line(self, node: yaml.Node) -> int:
        return self.first_line + int(node.start_mark.line)


def is_null(value: object) -> bool:
    return value is None or (isinstance(value, Scalar) and value.plain and value in _NULL)


def as_flag(value: object) -> bool | None:
    """True or False for a YAML boolean, in YAML 1.1's words too; None for anything else, quoted "true" included."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Scalar) and value.plain:
        word = value.lower()
        return True if word in ("true", "yes", "on") else False if word in ("false", "no", "off") else None
    return None


def as_whole(value: object) -> int | None:
    """The number for a YAML integer; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, Scalar) and value.plain and len(value) <= MAX_DIGITS and _INT.fullmatch(value):
        return int(value, 0 if value.lstrip("+-")[1:2] in _BASES else 10)
    return None


def as_plain(value: object, depth: int = 0) -> Any:
    """A value of an unknown key as JSON can hold it; literal text stays where a number would not survive.

    Raises WrongValue for what only the exact reader can tell apart.
    """
    if depth >= MAX_DEPTH and isinstance(value, (dict, list)):
        raise WrongValue(f"nested more than {MAX_DEPTH} levels deep", value)
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise WrongValue("a key has to be a word", value)
        return {clean(key): as_plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [as_plain(item, depth + 1) for item in value]
    if isinstance(value, Scalar):
        text = clean(value)
        return _typed(value) if value.plain else text
    if isinstance(value, (int, float)) and not abs(value) < 1e38:
        raise WrongValue("the number is out of range", value)
    return value


def _typed(scalar: Scalar) -> object:
    if scalar in _NULL:
        return None
    if scalar in _TRUE or scalar in _FALSE:
        return scalar in _TRUE
    if (whole := as_whole(scalar)) is not None:
        return whole if abs(whole) < 1e38 else str(scalar)
    if len(scalar) < 40 and _FLOAT.fullmatch(scalar) and abs(number := float(scalar)) < 1e38:
        return number
    return str(scalar)


def means_itself(text: str) -> bool:
    """Whether YAML takes the text without quotes for text, and not for a number, say."""
    return _typed(Scalar(text, 0, plain=True)) == text


def clean(text: str) -> str:
    """The text as nothing but text; WrongValue when it holds what neither databases nor feeds can.

    (Plain text is the fast reader's, which has looked.)
    """
    if type(text) is str:
        return text
    if match := _CONTROL.search(text):
        raise WrongValue(f"control character U+{ord(match[0]):04X}", text)
    return str(text)
