"""The values of a field side by side, as text to compare by eye: values as JSON has them, None where absent."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils import timezone

LONGEST_COMPARED = 1500  # pieces; comparing takes time by the square of them
DATES = frozenset({"published_at", "updated_at"})

Spelling = Callable[[str], str]
Block = list[str]  # lines that belong together: an item of a list


@dataclass(frozen=True)
class Piece:
    text: str
    is_changed: bool = False  # since what both sides agreed on


Shown = list[list[list[Piece]]]  # the blocks of a value, their lines, the pieces of each line


def side_by_side(name: str, base: Any, *values: Any) -> list[Shown]:
    """The values, beginning with the base; in the others, what differs from it is marked."""
    sides = [base, *values]
    spelling = _spelling(name, sides)
    before, *after = [list(_blocks(side, spelling)) for side in sides]
    return [_marked([], before), *(_marked(before, blocks) for blocks in after)]


def in_a_line(name: str, value: Any) -> str:
    return "; ".join(", ".join(block) for block in _blocks(value, _spelling(name, [value])))


def _spelling(name: str, sides: Sequence[Any]) -> Spelling:
    """As readers see it, unless two sides would then look the same and are not."""
    spelling = _moment if name in DATES else html.unescape
    for one, other in combinations(sides, 2):
        if one != other and list(_blocks(one, spelling)) == list(_blocks(other, spelling)):
            return str
    return spelling


def _moment(text: str) -> str:
    return format_date(timezone.localtime(datetime.fromisoformat(text)), "j M Y, H:i T")


def _blocks(value: Any, spelling: Spelling) -> Iterator[Block]:
    if value in (None, "", [], {}):
        return
    for item in value if isinstance(value, list) else [value]:
        yield list(_lines(item, spelling)) if isinstance(item, (dict, list)) else [_scalar(item, spelling)]


def _lines(value: Any, spelling: Spelling, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for part, item in value.items():
            yield from _lines(item, spelling, f"{key}.{part}" if key else part)
    elif isinstance(value, list):
        for number, item in enumerate(value, 1):
            yield from _lines(item, spelling, f"{key} {number}".strip())
    else:
        yield f"{key}: {_scalar(value, spelling)}"


def _scalar(value: Any, spelling: Spelling) -> str:
    return spelling(value) if isinstance(value, str) else json.dumps(value)


def _marked(before: list[Block], blocks: list[Block]) -> Shown:
    if not before:
        return [[[Piece(line)] for line in block] for block in blocks]
    if _is_text(before) and _is_text(blocks):
        return [[_compared(before[0][0], blocks[0][0])]]
    known = {(_identity(block), line) for block in before for line in block}
    return [[[Piece(line, (_identity(block), line) not in known)] for line in block] for block in blocks]


def _is_text(blocks: list[Block]) -> bool:
    return len(blocks) == 1 and len(blocks[0]) == 1


def _identity(block: Block) -> str:
    """The line that says which item it is, whatever else has changed in it."""
    return next((line for line in block if line.startswith(("url: ", "webUrl: "))), block[0])


def _compared(before: str, text: str) -> list[Piece]:
    """The words of the text, or the lines of a long one, with the new ones marked."""
    for pattern in (r"\s+|\S+", r"[^\n]*\n|[^\n]+"):
        old, new = re.findall(pattern, before), re.findall(pattern, text)
        if max(len(old), len(new)) <= LONGEST_COMPARED:
            changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
            runs = [("".join(new[begin:end]), tag != "equal") for tag, _, _, begin, end in changes]
            return [piece for run, is_changed in runs for piece in _pieces(run, is_changed)]
    return [Piece(text)]


def _pieces(run: str, is_changed: bool) -> list[Piece]:
    """A run of words without the blanks around it, which would be marked as if they were words."""
    words = run.strip()
    if not is_changed or not words:
        return [Piece(run, is_changed)]
    before, _, after = run.partition(words)
    return [piece for piece in (Piece(before), Piece(words, True), Piece(after)) if piece.text]
