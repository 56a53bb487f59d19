"""What the card of a story shows, and which buttons it has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from django.db.models import OuterRef, Subquery
from django.template.defaultfilters import date as format_date
from django.urls import reverse
from django.utils import timezone

from articles import checks, workflow
from articles.admin.badges import state_badge
from articles.admin.events import clock, moment
from articles.admin.presence import present
from articles.models import Article, Conflict, Event
from images.thumbnails import thumbnail

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.utils.safestring import SafeString

    from articles.models import ArticleQuerySet, Topic
    from images.models import RemoteImage

EXCERPT = 400  # characters: more than the lines that there are for it
IN_A_PRESS = ("publish", "submit", "reject", "unpublish", "restore")  # the others want a note or a time first
AS_INPUT = "%Y-%m-%dT%H:%M"


@dataclass(frozen=True)
class Card:
    story: Any  # with `differing_source`
    findings: list[checks.Finding]
    verbs: dict[str, workflow.Verb]
    may_edit: bool
    following: int  # the story after it, or else itself: where to go on without a script
    editors: str  # who else has its form open
    error: str = ""

    @property
    def seen(self) -> str:
        """Which story, and how it stood when the card was made."""
        return f"{self.story.pk}:{self.story.version}"

    @property
    def presses(self) -> list[workflow.Verb]:
        return [self.verbs[name] for name in IN_A_PRESS if name in self.verbs]

    @property
    def picture(self) -> SafeString:
        return thumbnail(self._lead)

    @property
    def badge(self) -> SafeString:
        return state_badge(self.story)

    @property
    def ends(self) -> str:
        """Until when it is to be public, of a story that is not public yet: the badge has from when."""
        return moment(self.story.unpublish_at) if self.story.is_coming and self.story.unpublish_at else ""

    @property
    def excerpt(self) -> str:
        return str(self.story.summary[:EXCERPT])

    @property
    def topics(self) -> list[Topic]:
        return list(self.story.topics.all())

    @property
    def out(self) -> str:
        """Where the source has it, if that is an address to follow."""
        url = str(self.story.outbound_url)
        return url if url.startswith(("http://", "https://")) else ""

    @property
    def heat(self) -> int | None:
        """None: never scored."""
        return None if self.story.heat in (None, -1) else int(self.story.heat)

    @property
    def age(self) -> str:
        return age(self.story.published_at, timezone.now())

    @property
    def settling(self) -> str:
        source = self.story.differing_source
        return "" if source is None else reverse("admin:articles_sourcefile_change", args=[source])

    @property
    def is_live(self) -> bool:
        """Then only its end can be scheduled."""
        return bool(self.story.is_public)

    @property
    def at(self) -> str:
        """What its field for the beginning holds."""
        keeps = self.story.status == Article.Status.PUBLISHED and not self.story.has_ended
        return _as_input(self.story.publish_at) if keeps else ""

    @property
    def until(self) -> str:
        return "" if self.story.has_ended else _as_input(self.story.unpublish_at)

    @property
    def _lead(self) -> RemoteImage | None:
        lead = self.story.lead_image
        return lead.image if lead else None


def with_cards_parts(stories: ArticleQuerySet) -> ArticleQuerySet:
    """With all that cards show; four queries however many."""
    conflicts = Conflict.objects.filter(source__article=OuterRef("pk")).order_by()
    return (
        stories.select_related("provider", "created_by")
        .prefetch_related("pictures__image", "topics")  # type: ignore[misc]  # taggit ships no types
        .defer("secured", "extra", "body", "search_text", "provider_ref", "featured_content")
        .annotate(differing_source=Subquery(conflicts.values("source")[:1]))
    )


def cards(stories: Sequence[Article], user: User) -> list[Card]:
    """In the same order. The checks are asked about all of them at once."""
    keys = [story.pk for story in stories]
    found, following, here = checks.findings(keys), dict(pairwise(keys)), present(keys, but=user)
    return [
        Card(
            story,
            found.get(story.pk, []),
            _verbs(story, user),
            workflow.may_edit(story, user),
            following.get(story.pk, story.pk),
            ", ".join(here.get(story.pk, ())),
        )
        for story in stories
    ]


def cards_of(keys: Sequence[int], user: User) -> list[Card]:
    """Those of these keys that there are."""
    stories = {story.pk: story for story in with_cards_parts(Article.objects.filter(pk__in=keys).order_by())}
    return cards([stories[key] for key in keys if key in stories], user)


def _verbs(story: Article, user: User) -> dict[str, workflow.Verb]:
    return {name: verb for name, verb in workflow.VERBS.items() if workflow.allows(verb, story, user)}


def age(at: datetime, now: datetime) -> str:
    """How long ago, at a glance; a day when that says more."""
    gone = now - at
    if gone < timedelta(0):
        return f"on {format_date(timezone.localtime(at), 'j M Y')}"
    if gone < timedelta(minutes=1):
        return "just now"
    if gone < timedelta(hours=1):
        return f"{gone.seconds // 60} min"
    if gone < timedelta(days=1):
        return f"{gone.seconds // 3600} h"
    return f"{gone.days} d" if gone.days < 14 else format_date(timezone.localtime(at), "j M Y")


def _as_input(at: datetime | None) -> str:
    return timezone.localtime(at).strftime(AS_INPUT) if at else ""


def next_hour() -> str:
    """The next full one by the site's clock, as a field holds it: what is offered to be scheduled for."""
    return (timezone.localtime() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:00")


def changed_since(story: Article, user: User) -> str:
    """Who changed the story last, and when, for somebody whose card is older than that."""
    last = Event.objects.filter(article=story).select_related("actor").first()
    who = "An import" if last is None or last.actor is None else str(last.actor)
    if last and last.actor_id == user.pk:
        who = "You"
    return f"{who} changed it {clock(last.at if last else story.modified_at)}: look again."
