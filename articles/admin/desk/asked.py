"""What an address of the desk asks for: a queue, filters, an order, and where the page begins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.http import Http404, QueryDict
from django.utils.http import urlencode

from articles.admin.desk.queues import QUEUES, Order, Queue
from articles.admin.filters import PictureFilter, TypeFilter
from articles.documents import topic_key
from articles.models import Article, ArticleTopic, OldAddress, Topic
from articles.records import topic_keys
from articles.search import clean, search
from providers.models import Provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.admin import ModelAdmin
    from django.http import HttpRequest

    from articles.models import ArticleQuerySet


def texts(query: QueryDict) -> dict[str, str]:
    """The last value of each name."""
    return {name: str(query.get(name, "")) for name in query}


CHOICES = {"kind": TypeFilter, "picture": PictureFilter}


@dataclass(frozen=True)
class Asked:
    queue: Queue
    order: Order
    words: str = ""
    topic: str = ""  # its slug or name
    provider: str = ""  # its domain or name
    kind: str = ""
    picture: str = ""
    after: str = ""

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Asked:
        """Raises Http404 for a queue that there is not; whatever else makes no sense is as if it were not there."""
        queue = QUEUES.get(query.get("queue") or "incoming")
        if queue is None:
            raise Http404("There is no such queue.")
        texts = {name: clean(query.get(name, "")) for name in ("topic", "provider", "kind", "picture", "after")}
        return cls(queue, queue.order(query.get("order", "")), clean(query.get("q", "")), **texts)

    @classmethod
    def read_text(cls, query: str) -> Asked:
        return cls.read(texts(QueryDict(query[:5000])))

    @property
    def filters(self) -> dict[str, str]:
        """Those in use, by their names in the address."""
        named = {"q": self.words} | {name: getattr(self, name) for name in ("topic", "provider", *CHOICES)}
        return {name: value for name, value in named.items() if value}

    @property
    def is_narrowed(self) -> bool:
        """By more than words."""
        return bool(self.filters.keys() - {"q"})

    def query(self, *, after: str = "") -> str:
        """What stands behind the question mark of its address."""
        order = {} if self.order is self.queue.orders[0] else {"order": self.order.name}
        place = {"after": after} if after else {}
        return urlencode({"queue": self.queue.name, **self.filters, **order, **place})


@dataclass
class Narrowed:
    """The stories that the filters leave; `problems` says which of them names nothing that there is."""

    stories: ArticleQuerySet
    problems: list[str]

    def by(self, condition: Q | None, problem: str) -> None:
        if condition is None:
            self.problems.append(problem)
            self.stories = self.stories.none()
        else:
            self.stories = self.stories.filter(condition)


def narrowed(asked: Asked, stories: ArticleQuerySet, request: HttpRequest, story_admin: ModelAdmin[Any]) -> Narrowed:
    found = Narrowed(stories, [])
    if asked.topic:
        found.by(_in_topic(asked.topic), f"There is no topic “{asked.topic}”.")
    if asked.provider:
        found.by(_of_provider(asked.provider), f"There is no provider “{asked.provider}”.")
    for name, choice in CHOICES.items():
        chosen = choice(request, {str(choice.parameter_name): [getattr(asked, name)]}, Article, story_admin)
        left = chosen.queryset(request, found.stories)
        found.stories = found.stories if left is None else left  # type: ignore[assignment]
    if asked.words:
        found.stories = search(found.stories, asked.words)
    return found


def _in_topic(name: str) -> Q | None:
    topic = _topic_called(name)
    return Q(pk__in=ArticleTopic.objects.filter(tag=topic).order_by().values("content_object")) if topic else None


def _topic_called(name: str) -> int | None:
    """The topic of this address or name, which it may have had once: views outlive both."""
    key = topic_key(name)
    now = Topic.objects.filter(Q(slug=name) | Q(key=key)).order_by().values_list("pk", flat=True).first()
    old = OldAddress.objects.filter(kind=OldAddress.Kind.TOPIC, name=name).values_list("topic", flat=True)
    return now or topic_keys([key]).get(key) or old.first()


def _of_provider(name: str) -> Q | None:
    providers = Provider.objects.filter(Q(domain=name.lower()) | Q(name__iexact=name))
    keys = list(providers.order_by("pk").values_list("pk", flat=True)[:10])
    return Q(provider__in=keys) if keys else None
