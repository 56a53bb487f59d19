"""What editors and source disagree about, kept until somebody settles it. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from articles.documents import Document, field_data
from articles.merging import same
from articles.models import Conflict, SourceFile


@dataclass(frozen=True)
class Sides:
    """A record after a merge: what the source said last, what the record is now, what the source says now, and the
    fields in which that is disputed."""

    source: SourceFile
    base: Document
    ours: Document
    theirs: Document
    disputed: Sequence[str]


def keep_conflicts(merges: Sequence[Sides]) -> dict[int, list[str]]:
    """Keep what is disputed, and forget what is no more. Returns the fields in conflict by the source's key."""
    known: dict[int, dict[str, Conflict]] = {sides.source.pk: {} for sides in merges}
    for row in Conflict.objects.filter(source__in=known):
        known[row.source_id][row.field] = row
    rows, settled, found = [], [], {}
    for sides in merges:
        open_rows = known[sides.source.pk]
        over = [name for name, row in open_rows.items() if _is_over(sides, row)]
        settled += [open_rows[name].pk for name in over]
        found[sides.source.pk] = [name for name in sides.disputed if name not in over]
        still = [name for name in {**open_rows, **dict.fromkeys(sides.disputed)} if name not in over]
        rows += [_conflict(sides, name, open_rows.get(name)) for name in still]
    Conflict.objects.filter(pk__in=settled).delete()
    Conflict.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["source", "field"], update_fields=["theirs"]
    )
    return found


def _conflict(sides: Sides, name: str, row: Conflict | None) -> Conflict:
    """The base stays what both sides last agreed on, however often the source changes its mind."""
    base = row.base if row else field_data(sides.base, name)
    return Conflict(source=sides.source, field=name, base=base, theirs=field_data(sides.theirs, name))


def _is_over(sides: Sides, row: Conflict) -> bool:
    """Whether both sides say the same, or the source has come back to what both once agreed on."""
    agreed = same(row.field, getattr(sides.ours, row.field), getattr(sides.theirs, row.field))
    return agreed or row.base == field_data(sides.theirs, row.field)
