"""Changing a document within its own text: only the lines of the keys that differ are touched.

PyYAML's nodes say where each key begins and ends, and how its scalars are quoted. What is new is written in the house
style, then given the quoting that the file itself uses for that key.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from articles.documents.header import means_itself
from articles.documents.kinds import quote, unquoted

Members = list[tuple[str, list[str]]]  # keys with their lines in the house style

_LINE = re.compile(r"(?P<before> *(?:(?:- )?(?P<key>\w+): |- ))(?P<scalar>\S.*)")


class CannotEditError(Exception):
    """The header is written so that its lines do not belong to single keys: in flow style, say, or with aliases."""


@dataclass(frozen=True)
class Place:
    """Where a key stands: its lines `begin` to `end` (exclusive, from 0), and the node of its value."""

    begin: int
    end: int
    node: yaml.Node


def edit_header(
    text: str, lines: list[str], before: Members, after: Members, apart: Callable[[str, list[str]], bool]
) -> list[str]:
    """The `lines` of the header `text`, which say `before`, changed to say `after`.

    The lines may end in a carriage return that the text has not. `apart`: whether a new key wants a blank line above.
    Raises CannotEditError.
    """
    header = _Header(text, lines)
    old, new = dict(before), dict(after)
    for key, place in header.places.items():
        if key in old and key not in new:
            header.remove(place)
        elif key in new and new[key] != old.get(key):
            header.replace(key, place, new[key])
    for index, (key, member) in enumerate(after):
        if key not in header.places and member != old.get(key):
            above = [name for name, _ in after[:index] if name in header.places]
            header.insert(above[-1] if above else None, ["", *member] if apart(key, member) else member)
    return header.result()


class _Header:
    def __init__(self, header: str, lines: list[str]) -> None:
        self.lines = lines
        self.begins = [0, *(match.end() for match in re.finditer("\n", header))]
        self.carriage = "\r" if lines[0].endswith("\r") else ""
        self.changes: list[tuple[int, int, list[str]]] = []
        try:
            root = yaml.compose(header, Loader=yaml.CSafeLoader)
            aliased = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(header, Loader=yaml.CSafeLoader))
        except yaml.YAMLError as error:  # the fast reader is not as strict in everything
            raise CannotEditError from error
        if aliased or not isinstance(root, yaml.MappingNode) or root.flow_style:
            raise CannotEditError
        self.places = dict(self._places(root))

    def _places(self, root: yaml.MappingNode) -> Iterator[tuple[str, Place]]:
        begins = [self._at(key.start_mark)[0] for key, _ in root.value]
        for (key, value), begin, limit in zip(root.value, begins, [*begins[1:], len(self.lines)], strict=True):
            while limit > begin + 1 and self._is_nobodys(self.lines[limit - 1]):
                limit -= 1
            yield str(key.value), Place(begin, limit, value)

    @staticmethod
    def _is_nobodys(line: str) -> bool:
        """Blank lines and comments below a key are not its own."""
        return not line.strip() or line.startswith("#")

    def result(self) -> list[str]:
        """The lines with all changes made."""
        lines = list(self.lines)
        # From the bottom up, so that line numbers stay true; what is inserted above a replaced line comes after it.
        ordered = sorted(self.changes, key=lambda change: (change[0], change[1] > change[0]))
        for begin, end, new in reversed(ordered):
            lines[begin:end] = [line + self.carriage for line in new]
        return lines

    def remove(self, place: Place) -> None:
        """Take the key's lines away, and one of the blank lines that would then meet."""
        end = place.end
        above = place.begin == 0 or not self.lines[place.begin - 1].strip()
        if above and end < len(self.lines) and not self.lines[end].strip():
            end += 1
        self.changes.append((place.begin, end, []))

    def insert(self, above: str | None, lines: list[str]) -> None:
        line = self.places[above].end if above else 0
        self.changes.append((line, line, lines))

    def replace(self, key: str, place: Place, lines: list[str]) -> None:
        styles = _styles(place.node, key)
        if isinstance(place.node, yaml.SequenceNode) and place.node.start_mark and place.node.start_mark.column == 0:
            lines = [lines[0], *(line.removeprefix("  ") for line in lines[1:])]  # a list not indented below its key
        new = [_restyled(line, styles) for line in lines]
        comment = self._comment(place)
        if len(new) == 1 and comment:
            new = [f"{new[0]}{comment}"]
        self.changes.append((place.begin, place.end, new))

    def _comment(self, place: Place) -> str:
        """What stands behind a scalar on its line."""
        if not isinstance(place.node, yaml.ScalarNode) or place.node.style in ("|", ">"):
            return ""
        line, column = self._at(place.node.end_mark)
        rest = self.lines[line][column:] if line < len(self.lines) else ""
        return rest.rstrip("\r") if rest.strip().startswith("#") else ""

    def _at(self, mark: yaml.Mark | None) -> tuple[int, int]:
        """The line and column of a mark. Its own count more lines than there are: at U+2028, for one."""
        index = mark.index if mark else 0
        line = bisect_right(self.begins, index) - 1
        return line, index - self.begins[line]


def _styles(node: yaml.Node, key: str) -> dict[str, str]:
    """How the scalars of each key below are quoted: the last of a name counts. List items go by `-`."""
    if isinstance(node, yaml.ScalarNode):
        return {key: node.style or ""}
    styles: dict[str, str] = {}
    for item in node.value:
        if isinstance(node, yaml.MappingNode):
            styles |= _styles(item[1], str(item[0].value))
        else:
            styles |= _styles(item, "-")
    return styles


def _restyled(line: str, styles: dict[str, str]) -> str:
    """A line of the house style with its scalar quoted as the file does it for that key."""
    match = _LINE.fullmatch(line)
    style = styles.get(match["key"] or "-") if match else None
    if match is None or style is None or not _is_scalar(match["scalar"]):
        return line
    scalar = match["scalar"]
    value = scalar
    if scalar.startswith('"'):
        value = str(yaml.safe_load(scalar))
    elif not means_itself(scalar) or (unquoted(scalar) != scalar and not scalar[0].isdigit()):
        return line  # a number, a flag or null, or part of something longer
    if style == "'" and value.isprintable():
        scalar = "'" + value.replace("'", "''") + "'"
    elif style != "":
        scalar = quote(value)
    elif scalar.startswith('"'):
        scalar = unquoted(value)
    return match["before"] + scalar


def _is_scalar(text: str) -> bool:
    """Not the beginning of a mapping behind a list's dash, say, nor of a text over several lines."""
    try:
        return isinstance(yaml.compose(text, Loader=yaml.CSafeLoader), yaml.ScalarNode)
    except yaml.YAMLError:
        return False
