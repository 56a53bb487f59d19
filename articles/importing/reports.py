"""What an import did."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from articles.models import ImportRun


class Outcome(enum.Enum):
    """What became of one file. Each file has exactly one."""

    CREATED = "created"
    UPDATED = "updated"  # something that readers or editors can see flowed in
    UNCHANGED = "unchanged"  # nothing did: the same file, or only its seal, its heat or its formatting differ
    KEPT = "kept"  # the file changed, and what changed is something that an editor has decided
    CONFLICT = "conflicts"  # file and editor changed the same field differently: the editor's value is live


@dataclass(frozen=True)
class Problem:
    """Something wrong with a file. `line` counts from 1; None when it is about the file as a whole."""

    path: str
    line: int | None
    key: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return ": ".join([place, *([self.key] if self.key else []), self.reason])


@dataclass
class ImportReport:
    """Counts of files by outcome, and what was wrong, file by file. `run`: where more of it is kept."""

    run: ImportRun
    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failed: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        return " ".join(f"{name}={count}" for name, count in self.totals().items())

    def totals(self) -> dict[str, int]:
        counts = {outcome.value: count for outcome, count in self.counts.items()}
        return counts | {"failed": len(self.failed), "warnings": len(self.warnings)}

    def as_data(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return self.totals() | {
            "failed": [dataclasses.asdict(problem) for problem in self.failed],
            "warnings": [dataclasses.asdict(problem) for problem in self.warnings],
        }


@dataclass(frozen=True)
class Entry:
    """What a run keeps of a file. `outcome`: an ImportedFile's; `path`: within the tree."""

    path: str
    outcome: str
    fields: Sequence[str] = ()
    line: int | None = None
    key: str = ""
    reason: str = ""
