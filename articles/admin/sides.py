"""The values of a field side by side, as text to compare by eye: values as JSON has them, None where absent."""

from __future__ import annotations

import html
import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import SequenceMatcher
from itertools import combinations
from typing import Any

from django.template.defaultfilters import date as format_date
from django.utils import timezone

# Comparing takes time by the square of the pieces, and by the cube where they repeat: "a a a" with "a b a b".
LONGEST_COMPARED = 1500  # pieces
MOST_PAIRS = 20_000  # of a piece here and the same one there
LONGEST_LIST = 50_000  # characters; of a longer one, only what its lines begin and end alike with is told apart
DATES = frozenset({"published_at", "updated_at"})

Spelling = Callable[[str], str]
Block = list[str]  # lines that belong together: an item of a list


@dataclass(frozen=True)
class Piece:
    text: str
    is_changed: bool = False  # since what both sides agreed on
    is_gone: bool = False  # it was in what both sides agreed on, and is not in this one


Shown = list[list[list[Piece]]]  # the blocks of a value, their lines, the pieces of each line


def side_by_side(name: str, base: Any, *values: Any) -> list[Shown]:
    """The values, beginning with the base; in the others, what differs from it is marked, and what they lack of it
    stands there as gone. A side that holds nothing is empty."""
    sides = [base, *values]
    spelling = _spelling(name, sides)
    before, *after = [list(_blocks(side, spelling)) for side in sides]
    return [_marked([], before), *(_marked(before, blocks) for blocks in after)]


@dataclass(frozen=True)
class Item:
    """What a field holds, or one of the things it holds."""

    lines: list[list[Piece]]
    is_same: bool = False  # on both sides

    @property
    def name(self) -> str:
        """What tells it from the others."""
        lines = ["".join(piece.text for piece in line) for line in self.lines]
        return _identity(lines)


@dataclass(frozen=True)
class Compared:
    """A field before and after. What is marked in one is not in the other."""

    before: list[Item]
    after: list[Item]
    is_moved: bool  # what both have stands in another order


def compared(name: str, before: Any, after: Any) -> Compared:
    """Two values word by word, and item by item where they are lists."""
    spelling = _spelling(name, [before, after])
    old, new = (_keyed(list(_blocks(value, spelling)), isinstance(value, list)) for value in (before, after))
    has_keys = any(isinstance(item, dict) for value in (before, after) for item in _listed(value))
    most = MOST_PAIRS if not has_keys or _length(old) + _length(new) <= LONGEST_LIST else 0
    pairs = {key: _pair(old[key], block, has_keys, most) for key, block in new.items() if key in old}
    return Compared(
        [pairs[key][0] if key in pairs else _unpaired(block) for key, block in old.items()],
        [pairs[key][1] if key in pairs else _unpaired(block) for key, block in new.items()],
        [key for key in old if key in new] != [key for key in new if key in old],
    )


def _length(blocks: dict[Any, Block]) -> int:
    return sum(len(line) for block in blocks.values() for line in block)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _keyed(blocks: list[Block], are_items: bool) -> dict[tuple[str, int], Block]:
    """Each by what says which item it is, and by how many of those there were before it."""
    seen: Counter[str] = Counter()
    keyed = {}
    for block in blocks:
        identity = _identity(block) if are_items else ""
        keyed[identity, seen[identity]] = block
        seen[identity] += 1
    return keyed


def _unpaired(block: Block) -> Item:
    return Item([[Piece(line, True)] for line in block])


def _pair(old: Block, new: Block, has_keys: bool, most: int) -> tuple[Item, Item]:
    if old == new:
        item = Item([[Piece(line)] for line in old], is_same=True)
        return item, item
    if not has_keys:
        one, other = _both_marked(old[0], new[0], most)
        return Item([one]), Item([other])
    there, here = dict(map(_parted, old)), dict(map(_parted, new))
    if len(there) < len(old) or len(here) < len(new):  # a key that holds a colon looks like another
        return _unpaired(old), _unpaired(new)
    lines = {key: _both_marked(there[key], here[key], most) for key in here if key in there}
    return Item(_with_keys(there, lines, 0)), Item(_with_keys(here, lines, 1))


def _parted(line: str) -> tuple[str, str]:
    key, _, value = line.partition(": ")
    return key, value


def _with_keys(values: dict[str, str], lines: dict[str, Any], side: int) -> list[list[Piece]]:
    return [
        [Piece(f"{key}: "), *lines[key][side]] if key in lines else [Piece(f"{key}: {value}", True)]
        for key, value in values.items()
    ]


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
    if not before or not blocks:
        return [[[Piece(line)] for line in block] for block in blocks]
    if _is_text(before) and _is_text(blocks):
        return [[_woven(before[0][0], blocks[0][0])]]
    old, new = ([(_identity(block), line) for block in some for line in block] for some in (before, blocks))
    known, kept = set(old), set(new)
    gone: dict[str, list[list[Piece]]] = {}
    for identity, line in old:
        if (identity, line) not in kept:
            gone.setdefault(identity, []).append([Piece(line, is_gone=True)])
    shown = []
    for block in blocks:
        identity = _identity(block)
        lines = [[Piece(line, (identity, line) not in known)] for line in block]
        shown.append(lines + gone.pop(identity, []))
    return [*shown, *gone.values()]


def _is_text(blocks: list[Block]) -> bool:
    return len(blocks) == 1 and len(blocks[0]) == 1


def _identity(block: Block) -> str:
    """The line that says which item it is, whatever else has changed in it."""
    return next((line for line in block if line.startswith(("url: ", "webUrl: "))), block[0])


def _woven(before: str, text: str) -> list[Piece]:
    """The words of the text, or the lines of a long one, with the new ones marked, behind those they replace."""
    old, new, codes = _codes_of(before, text)
    pieces = []
    for is_same, begin, end, here, here_end in codes:
        if not is_same:
            pieces += [Piece(piece.text, is_gone=True) for piece in _pieces("".join(old[begin:end]), True)]
        pieces += _pieces("".join(new[here:here_end]), not is_same)
    return pieces


def _both_marked(one: str, other: str, most: int) -> tuple[list[Piece], list[Piece]]:
    """Both texts, each with the words marked that the other does not have."""
    old, new, codes = _codes_of(one, other, most)
    return (
        [piece for is_same, begin, end, _, _ in codes for piece in _pieces("".join(old[begin:end]), not is_same)],
        [piece for is_same, _, _, begin, end in codes for piece in _pieces("".join(new[begin:end]), not is_same)],
    )


def _codes_of(one: str, other: str, most: int = MOST_PAIRS) -> tuple[list[str], list[str], _Codes]:
    """The words of both, those of a long one by lines, and what of them is the same; where even lines are too many,
    only what they begin and end alike with."""
    for pattern in (WORDS, LINES):
        old, new = re.findall(pattern, one), re.findall(pattern, other)
        codes = _codes(list(map(_key, old)), list(map(_key, new)), most)
        if codes is not None:
            return old, new, codes
    return old, new, _around(old, new)


WORDS = r"\S+(?: (?=\S))?|\s+"  # a word has the blank behind it, which so needs no comparing
LINES = r"[^\n]*\n|[^\n]+"
_Codes = list[tuple[bool, int, int, int, int]]  # whether it is the same; from where to where in both


def _key(piece: str) -> str:
    return piece.rstrip(" ") or piece


def _codes(old: list[str], new: list[str], most: int) -> _Codes | None:
    """None: they differ in too much to be compared in time."""
    begin, end = _alike(old, new)
    left, right = old[begin : len(old) - end], new[begin : len(new) - end]
    others = Counter(right)
    pairs = sum(count * others[piece] for piece, count in Counter(left).items())
    if max(len(left), len(right)) > LONGEST_COMPARED or pairs > most:
        return None
    codes = [
        (tag == "equal", begin + here, begin + here_end, begin + there, begin + there_end)
        for tag, here, here_end, there, there_end in SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    ]
    return [(True, 0, begin, 0, begin), *codes, (True, len(old) - end, len(old), len(new) - end, len(new))]


def _around(old: list[str], new: list[str]) -> _Codes:
    begin, end = _alike(old, new)
    upto, until = len(old) - end, len(new) - end
    return [
        (True, 0, begin, 0, begin),
        (False, begin, upto, begin, until),
        (True, upto, len(old), until, len(new)),
    ]


def _alike(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many pieces are the same from the beginning, and how many of the others from the end."""
    begin = _alike_first(old, new)
    return begin, _alike_first(old[begin:][::-1], new[begin:][::-1])


def _alike_first(old: Sequence[str], new: Sequence[str]) -> int:
    pairs = enumerate(zip(old, new, strict=False))
    return next((place for place, (one, other) in pairs if one != other), min(len(old), len(new)))


def _pieces(run: str, is_changed: bool) -> list[Piece]:
    """A run of words without the blanks around it, which would be marked as if they were words."""
    words = run.strip()
    if not is_changed or not words:
        return [Piece(run, is_changed)] if run else []
    before, _, after = run.partition(words)
    return [piece for piece in (Piece(before), Piece(words, True), Piece(after)) if piece.text]
