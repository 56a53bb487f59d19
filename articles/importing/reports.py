"""What an import did."""

from __future__ import annotations

import dataclasses
import enum
from dataclasses import dataclass, field
from typing import Any


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
    """Counts of files by outcome, and what was wrong, file by file."""

    counts: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    failed: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def __str__(self) -> str:
        counts = {outcome.value: count for outcome, count in self.counts.items()}
        counts |= {"failed": len(self.failed), "warnings": len(self.warnings)}
        return " ".join(f"{name}={count}" for name, count in counts.items())

    def as_data(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        return {
            **{outcome.value: count for outcome, count in self.counts.items()},
            "failed": [dataclasses.asdict(problem) for problem in self.failed],
            "warnings": [dataclasses.asdict(problem) for problem in self.warnings],
        }
