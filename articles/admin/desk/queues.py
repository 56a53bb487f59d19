"""Which stories stand in a queue, in which orders, page by page, and how many they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, F, Func, IntegerField, Q
from django.utils import timezone

from articles.days import midnight
from articles.models import Article, Conflict
from articles.models.stories import SCORED_BY
from articles.workflow import SCHEDULED, STANDING
from images.newsroom import is_key

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet

    from articles.models import ArticleQuerySet

A_PAGE = 40  # cards
MOST = 10_000  # stories of a queue that are counted
S = Article.Status

# What the indexes of the scores are made of (SCORED_BY and WAITING), in so many words: SQLite takes an index whose
# expression or condition has a constant only for the same constant, and never for a parameter.
SCORES = {
    name: Func(F(name), template="COALESCE(%(expressions)s, -1)", output_field=IntegerField()) for name in SCORED_BY
}
IN_INDEX = Func(F("status"), template="%(expressions)s IN ('draft', 'in_review')", output_field=BooleanField())


@dataclass(frozen=True)
class Order:
    """By a column or a score, then by key, so that a page begins where the one before ended whatever has gone."""

    name: str
    label: str
    by: str
    is_descending: bool = True

    def arrange(self, stories: ArticleQuerySet) -> ArticleQuerySet:
        place = self._place
        if self.by in SCORES:
            stories = stories.filter(IN_INDEX)
        return stories.order_by(*(place.desc(), "-pk") if self.is_descending else (place.asc(), "pk"))

    def after(self, stories: ArticleQuerySet, mark: str) -> ArticleQuerySet:
        """Those behind the mark; all of them, if it is none."""
        if (read := self._read(mark)) is None:
            return stories
        value, key = read
        beyond = "lt" if self.is_descending else "gt"
        # The first condition says nothing new, but is the one that an index is entered by.
        return stories.alias(place=self._place).filter(
            Q(**{f"place__{beyond}e": value}) & (Q(**{f"place__{beyond}": value}) | Q(**{f"pk__{beyond}": key}))
        )

    def mark(self, story: Article) -> str:
        """Where the story stands, for an address."""
        value = getattr(story, self.by)
        if self.by in SCORES:
            return f"{-1 if value is None else value},{story.pk}"
        return f"{value.astimezone(UTC).replace(tzinfo=None).isoformat()},{story.pk}"

    @property
    def _place(self) -> Any:
        return SCORES.get(self.by, F(self.by))

    def _read(self, mark: str) -> tuple[Any, int] | None:
        value, _, key = mark.rpartition(",")
        if not is_key(key):
            return None
        if self.by in SCORES:
            return (int(value), int(key)) if is_key(value.removeprefix("-")) else None
        try:
            return datetime.fromisoformat(value).replace(tzinfo=UTC), int(key)
        except ValueError:
            return None


NEWEST = Order("newest", "Newest first", "published_at")
OLDEST = Order("oldest", "Oldest first", "published_at", is_descending=False)
HOTTEST = Order("heat", "Hottest first", "heat")
BEST = Order("quality", "Best quality first", "quality")
SOONEST = Order("soonest", "Soonest first", "publish_at", is_descending=False)
LATEST = Order("latest", "Latest first", "publish_at")


@dataclass(frozen=True)
class Queue:
    """`orders`: those that an index serves, the usual one first. `nothing`: what is said when none stands in it.
    `standings`: how its stories can stand."""

    name: str
    label: str
    stories: Callable[[User], ArticleQuerySet]
    orders: tuple[Order, ...]
    nothing: str
    standings: tuple[str, ...] = tuple(STANDING)

    def order(self, name: str) -> Order:
        """The order of that name, or else the usual one."""
        return next((order for order in self.orders if order.name == name), self.orders[0])

    def count(self, user: User) -> int:
        """How many there are, as far as they are counted."""
        return capped(self.stories(user))


def _waiting(status: str) -> Callable[[User], ArticleQuerySet]:
    return lambda user: Article.objects.filter(status=status)


def _scheduled(user: User) -> ArticleQuerySet:
    return Article.objects.filter(status=S.PUBLISHED, publish_at__gt=timezone.now())


def _today(user: User) -> ArticleQuerySet:
    """Since midnight by the site's clock."""
    now = timezone.now()
    began = midnight(timezone.localdate(now))
    return Article.objects.filter(status=S.PUBLISHED, publish_at__gte=began, publish_at__lte=now)


def _in_conflict(user: User) -> ArticleQuerySet:
    disputed = Conflict.objects.filter(source__article__isnull=False).order_by()
    return Article.objects.filter(pk__in=disputed.values("source__article"))


def _mine(user: User) -> ArticleQuerySet:
    return Article.objects.filter(created_by=user.pk)


BY_SCORE = (NEWEST, OLDEST, HOTTEST, BEST)
QUEUES = {
    queue.name: queue
    for queue in (
        Queue("incoming", "Incoming", _waiting(S.DRAFT), BY_SCORE, "No drafts wait.", (S.DRAFT,)),
        Queue("review", "In review", _waiting(S.IN_REVIEW), BY_SCORE, "Nothing is in review.", (S.IN_REVIEW,)),
        Queue("scheduled", "Scheduled", _scheduled, (SOONEST, LATEST), "Nothing is scheduled.", (SCHEDULED,)),
        Queue("today", "Published today", _today, (LATEST, SOONEST), "Nothing has gone live today.", (S.PUBLISHED,)),
        Queue("conflicts", "Conflicts", _in_conflict, (NEWEST, OLDEST), "No story differs from its source."),
        Queue("mine", "Mine", _mine, (NEWEST, OLDEST), "You have written nothing here yet."),
    )
}


def capped(rows: QuerySet[Any]) -> int:
    """Their number, as far as anybody wants to know it."""
    return rows.order_by().values("pk")[:MOST].count()


def told(count: int) -> str:
    """`9,999+` where they were not all counted."""
    return f"{count:,}" if count < MOST else f"{MOST - 1:,}+"


def counts(user: User) -> dict[str, str]:
    """How many stand in each queue, by its name."""
    return {name: told(queue.count(user)) for name, queue in QUEUES.items()}
