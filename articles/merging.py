"""Three-way merge of documents, field by field. Pure.

Base is what was last imported, ours what the database holds, theirs the new file. The laws, for any x:
merge(b, x, b) = x, merge(b, b, x) = x, merge(b, x, x) = x.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from articles.documents import Document, topic_key

D = TypeVar("D", bound=Document)


@dataclass(frozen=True)
class Merge(Generic[D]):
    """The merged document, and the names of its fields by what became of them."""

    document: D
    taken: tuple[str, ...]  # changed in the source only: the source's value flows in
    kept: tuple[str, ...]  # changed here only: ours stays
    conflicts: tuple[str, ...]  # changed on both sides, differently: ours stays, theirs is kept beside it


def merge(base: D, ours: D, theirs: D, *, noise: Collection[str] = ()) -> Merge[D]:
    """`noise`: fields whose conflicts are nobody's business; ours stays without being told."""
    taken, kept, conflicts = [], [], []
    for field in dataclasses.fields(base):
        before, here, there = (comparable(field.name, side) for side in (base, ours, theirs))
        if here == there:
            continue
        if here == before:
            taken.append(field.name)
        elif there == before or field.name in noise:
            kept.append(field.name)
        else:
            conflicts.append(field.name)
    changes = {name: getattr(theirs, name) for name in taken}
    return Merge(dataclasses.replace(ours, **changes), tuple(taken), tuple(kept), tuple(conflicts))


def changed_fields(before: Document, after: Document) -> tuple[str, ...]:
    """The names of the fields in which two documents differ."""
    names = [field.name for field in dataclasses.fields(before)]
    return tuple(name for name in names if comparable(name, before) != comparable(name, after))


def comparable(name: str, document: Document) -> Any:
    """A field's value with what does not count taken away: how topics are spelt, one said twice, an empty mapping."""
    value = getattr(document, name)
    if name == "topics":
        return tuple(dict.fromkeys(topic_key(topic) for topic in value))
    if name == "services":
        return value or None
    return value
