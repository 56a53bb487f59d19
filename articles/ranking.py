"""What comes first on the front page and at the top of a topic. Pure: no Django.

A story's points are the weighted mean of its quality and its heat, halved every so many hours. Halving at a steady pace
means that which of two stories is ahead never changes: so the order does not depend on when one asks, and a page may be
kept for as long as no story comes, goes or is scored anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from math import log2
from typing import TypeVar

NEVER_SCORED = -1  # a heat that the source has not measured
UNSCORED = 40.0  # points of a story of which nothing is known
LEAST = 1.0  # points of the worst story: what cannot be halved would never grow old

Story = TypeVar("Story")
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Formula:
    quality_weight: float
    heat_weight: float
    half_life: float  # hours

    def points(self, quality: int | None, heat: int | None) -> float:
        """Of a new story. What is unknown neither helps nor harms: the other score stands for both."""
        known = [
            (score, weight)
            for score, weight in ((quality, self.quality_weight), (heat, self.heat_weight))
            if score is not None and score != NEVER_SCORED and weight > 0
        ]
        if not known:
            return UNSCORED
        return max(LEAST, sum(score * weight for score, weight in known) / sum(weight for _, weight in known))

    def rank(self, quality: int | None, heat: int | None, published_at: datetime) -> float:
        """The higher, the further up: half-lives since a fixed day, and the doublings that the points are worth."""
        hours = (published_at - _EPOCH).total_seconds() / 3600
        return log2(self.points(quality, heat)) + hours / self.half_life


def illustrated_first(best: list[Story], has_picture: Callable[[Story], bool], count: int) -> list[Story]:
    """The first `count`, led by the best of all that has a picture, if one has."""
    lead = next(filter(has_picture, best), None)
    others = [story for story in best if story is not lead]
    return ([lead, *others] if lead is not None else others)[:count]


def without_repeats(parts: Iterable[Iterable[int]], shown: Iterable[int], count: int) -> list[list[int]]:
    """The first `count` of each part that neither `shown` nor a part before it has."""
    seen, chosen = set(shown), []
    for part in parts:
        fresh = [story for story in part if story not in seen][:count]
        seen.update(fresh)
        chosen.append(fresh)
    return chosen
