"""Three-way merge of documents, field by field, and element by element where a list's items have an identity. Pure.

Base is what was last imported, ours what the database holds, theirs the new file. The laws, for any x:
merge(b, x, b) = x, merge(b, b, x) = x, merge(b, x, x) = x.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from articles.documents import Document, topic_key

D = TypeVar("D", bound=Document)
Key = Callable[[Any], str]

# The lists whose items are the same item when this says the same of them.
IDENTITY: dict[str, Key] = {
    "topics": topic_key,
    "images": lambda image: str(image.url),
    "related": lambda story: str(story.web_url),
    "other_names": str,
    "keywords": str,
    "hashtags": str,
}


@dataclass(frozen=True)
class Merge(Generic[D]):
    """The merged document, and the names of its fields by what became of them. A list may be in two of them."""

    document: D
    taken: tuple[str, ...]  # changed in the source: its change flows in
    kept: tuple[str, ...]  # changed here only: ours stays
    conflicts: tuple[str, ...]  # changed on both sides, differently: ours stays, theirs is kept beside it


def merge(base: D, ours: D, theirs: D, *, noise: Collection[str] = (), strict: bool = False) -> Merge[D]:
    """`noise`: fields whose conflicts are nobody's business; ours stays without being told. `strict`: for two people,
    of whom neither goes before the other. Ours is then disputed, too, where it undoes what theirs did to a list: where
    both put its items into another order, and where theirs wrote in an item that ours took away."""
    changes: dict[str, Any] = {}
    kept, conflicts = [], []
    for field in dataclasses.fields(base):
        name = field.name
        before, here, there = (getattr(side, name) for side in (base, ours, theirs))
        value, disputed = merge_values(name, before, here, there, strict=strict)
        if not same(name, value, here):
            changes[name] = value
        elif not same(name, here, before) and not same(name, here, there):
            kept.append(name)
        if disputed and name not in noise:
            conflicts.append(name)
    kept = [name for name in kept if name not in conflicts]
    return Merge(dataclasses.replace(ours, **changes), tuple(changes), tuple(kept), tuple(conflicts))


def merge_values(name: str, before: Any, here: Any, there: Any, *, strict: bool = False) -> tuple[Any, bool]:
    """The merged value of one field, and whether something in it is disputed (and so stays as it is here)."""
    if same(name, here, there) or same(name, there, before):
        return here, False
    if same(name, here, before):
        return there, False
    if identity := IDENTITY.get(name):
        sides = [_by_identity(side, identity) for side in (before, here, there)]
        if all(len(found) == len(side) for found, side in zip(sides, (before, here, there), strict=True)):
            return _merge_lists(*sides, strict=strict)
    if isinstance(here, dict) and isinstance(before, dict) and isinstance(there, dict):
        return _merge_mappings(before, here, there)
    return here, True


def take_theirs(name: str, before: Any, here: Any, there: Any) -> Any:
    """The merged value of one field where the source has the last word: what is disputed is as it is there, what only
    one side changed stays changed. It is the same merge, with the sides in each other's place."""
    value, _ = merge_values(name, before, there, here)
    return value


def changed_fields(before: Document, after: Document) -> tuple[str, ...]:
    """The names of the fields in which two documents differ."""
    names = [field.name for field in dataclasses.fields(before)]
    return tuple(name for name in names if not same(name, getattr(before, name), getattr(after, name)))


def same(name: str, one: Any, other: Any) -> bool:
    """Whether two values of a field differ in nothing that counts: not in how topics are spelt, nor in one said twice,
    nor in how a mapping is empty."""
    if name == "topics":
        return list(dict.fromkeys(map(topic_key, one))) == list(dict.fromkeys(map(topic_key, other)))
    if name == "parent":
        return topic_key(one) == topic_key(other)
    if name == "services":
        return bool((one or None) == (other or None))
    return bool(one == other)


def _by_identity(items: Sequence[Any], identity: Key) -> dict[str, Any]:
    return {identity(item): item for item in items}


def _merge_lists(
    before: dict[str, Any], here: dict[str, Any], there: dict[str, Any], *, strict: bool
) -> tuple[tuple[Any, ...], bool]:
    """The items of both sides but those that one side took away, in the order of the side that changed the order:
    ours if both did."""
    common = before.keys() & here.keys() & there.keys()
    order, ours, theirs = ([key for key in side if key in common] for side in (before, here, there))
    disputed = strict and order not in (ours, theirs) and ours != theirs
    merged: dict[str, Any] = {}
    for key in _order(list(here), list(there)) if ours != order else _order(list(there), list(here)):
        keep, value, item_disputed = _merge_items(before.get(key), here.get(key), there.get(key), strict)
        disputed |= item_disputed
        if keep:
            merged[key] = value
    return tuple(merged.values()), disputed


def _merge_items(before: Any, here: Any, there: Any, strict: bool) -> tuple[bool, Any, bool]:
    """Whether an item stays, its value, and whether it is disputed. None: a side does not have it."""
    has_parts = dataclasses.is_dataclass(here or there)  # else its identity is all there is to it
    if here is None:  # the source's new one, or one that was taken away here
        return before is None, there, strict and has_parts and None not in (before, there) and there != before
    if there is None:
        changed = before is not None and has_parts and here != before
        return before is None or changed, here, changed
    if before is not None and has_parts:
        return True, *_merge_parts(before, here, there, strict)
    return True, here, has_parts and here != there


def _merge_parts(before: Any, here: Any, there: Any, strict: bool) -> tuple[Any, bool]:
    changes, disputed = {}, False
    for field in dataclasses.fields(here):
        sides = (getattr(side, field.name) for side in (before, here, there))
        changes[field.name], part_disputed = merge_values(field.name, *sides, strict=strict)
        disputed |= part_disputed
    return dataclasses.replace(here, **changes), disputed


def _merge_mappings(before: dict[str, Any], here: dict[str, Any], there: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    merged, disputed = {}, False
    for key in [*here, *(key for key in there if key not in here)]:
        sides = [side.get(key, _ABSENT) for side in (before, here, there)]
        value, part_disputed = merge_values("", *sides)
        disputed |= part_disputed
        if value is not _ABSENT:
            merged[key] = value
    return merged, disputed


_ABSENT = object()


def _order(first: list[str], second: list[str]) -> list[str]:
    """All keys, in the order of the first; what only the second has comes behind its neighbour there."""
    order = list(first)
    for index, key in enumerate(second):
        if key not in order:
            order.insert(order.index(second[index - 1]) + 1 if index else 0, key)
    return order
