"""What editors and source disagree about, kept until somebody settles it. The caller holds the transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

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
    known: dict[tuple[int, str], Conflict] = {
        (conflict.source_id, conflict.field): conflict
        for conflict in Conflict.objects.filter(source__in=[sides.source.pk for sides in merges])
    }
    rows, found = [], {}
    for sides in merges:
        found[sides.source.pk] = [name for name in sides.disputed if not _is_taken_back(sides, name, known)]
        rows += [_conflict(sides, name, known) for name in found[sides.source.pk]]
    Conflict.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["source", "field"], update_fields=["theirs", "at"]
    )
    settled = [row.pk for sides in merges for row in known.values() if _is_settled(sides, row, found)]
    Conflict.objects.filter(pk__in=settled).delete()
    return found


def _conflict(sides: Sides, name: str, known: dict[tuple[int, str], Conflict]) -> Conflict:
    """The base stays what both sides last agreed on, however often the source changes its mind."""
    row = known.get((sides.source.pk, name))
    base = row.base if row else field_data(sides.base, name)
    theirs = field_data(sides.theirs, name)
    return Conflict(source=sides.source, field=name, base=base, theirs=theirs, at=timezone.now())


def _is_taken_back(sides: Sides, name: str, known: dict[tuple[int, str], Conflict]) -> bool:
    """Whether the source has come back to what both once agreed on: then only the editors have changed it."""
    row = known.get((sides.source.pk, name))
    return row is not None and row.base == field_data(sides.theirs, name)


def _is_settled(sides: Sides, row: Conflict, found: dict[int, list[str]]) -> bool:
    if row.source_id != sides.source.pk or row.field in found[row.source_id]:
        return False
    agreed = same(row.field, getattr(sides.ours, row.field), getattr(sides.theirs, row.field))
    return agreed or row.field in sides.disputed
