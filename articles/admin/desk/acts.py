"""What the buttons of a card do: each is told as JSON to the page's script, or else leads back to the desk with a
message. Nothing is done to a story that has changed since its card was made.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from articles import editing, workflow
from articles.admin.batches import local
from articles.admin.desk.asked import Asked
from articles.admin.desk.cards import Card, cards_of, changed_since, next_hour
from articles.admin.events import editor, moment
from articles.admin.forms import VerbForm, told_errors
from articles.documents import topic_key
from articles.models import Article, Topic
from articles.search import clean
from images.newsroom import is_key

if TYPE_CHECKING:
    from datetime import datetime

MOST_TOPICS = 50  # of one story
LONGEST_TOPIC = int(Topic._meta.get_field("name").max_length or 0)
S = Article.Status


@dataclass(frozen=True)
class Seen:
    """A story, and the version of it that the editor decided about."""

    key: int
    version: int

    @classmethod
    def read(cls, text: str) -> Seen:
        """From `12:3`. Raises Http404."""
        key, _, version = text.partition(":")
        if not (is_key(key) and is_key(version)):
            raise Http404("There is no such story.")
        return cls(int(key), int(version))


@dataclass(frozen=True)
class Outcome:
    """`told`: what was done, or why nothing was."""

    told: str
    batch: UUID | None = None  # None: nothing was done


# --- A verb -------------------------------------------------------------------------------------


def act(request: HttpRequest) -> HttpResponse:
    """Do what a verb says to one story."""
    verb, seen = workflow.VERBS.get(request.POST.get("verb", "")), Seen.read(request.POST.get("story", ""))
    story = Article.objects.filter(pk=seen.key).only("title", "status", "created_by").first()
    if verb is None or story is None:
        raise Http404("There is no such story, or nothing of that name can be done to it.")
    if not _may_at_all(verb, story, editor(request)):
        raise PermissionDenied(f"You may not {verb.label} this story.")
    return _answer(request, seen, _done(request, verb, story, seen))


def _may_at_all(verb: workflow.Verb, story: Article, user: Any) -> bool:
    """Whatever state the story is in."""
    return any(workflow.allows(verb, Article(status=state, created_by_id=story.created_by_id), user) for state in S)


def _done(request: HttpRequest, verb: workflow.Verb, story: Article, seen: Seen) -> Outcome:
    told = VerbForm(request.POST, prefix="")
    if not told.is_valid():
        return Outcome(told_errors(told))
    values, batch = told.cleaned_data, uuid4()
    times = (values["at"], values["until"]) if verb is workflow.SCHEDULE else (None, None)
    result = workflow.apply_to_each(
        verb,
        {seen.key: times[0]},
        by=editor(request),
        note=values["note"],
        batch=batch,
        until=times[1],
        seen={seen.key: seen.version},
    )
    if seen.key in result.done:
        return Outcome(_told(verb, story, *times), batch)
    return Outcome(result.refused.get(seen.key, workflow.GONE))


def _told(verb: workflow.Verb, story: Article, at: datetime | None, until: datetime | None) -> str:
    ends = f" until {moment(until)} {timezone.localtime(until):%Z}" if until else ""
    begins = f" for {moment(at)} {timezone.localtime(at):%Z}" if at else ""
    return f"“{story}” was {verb.done}{begins}{ends}."


# --- Topics -------------------------------------------------------------------------------------


def topics(request: HttpRequest) -> HttpResponse:
    """Give a story these topics, in this order."""
    seen = Seen.read(request.POST.get("story", ""))
    story = Article.objects.filter(pk=seen.key).only("title", "status", "created_by").first()
    if story is None:
        raise Http404("There is no such story.")
    if not workflow.may_edit(story, editor(request)):
        raise PermissionDenied("You may not change this story.")
    return _answer(request, seen, _retopicked(request, story, seen))


def _retopicked(request: HttpRequest, story: Article, seen: Seen) -> Outcome:
    values = request.POST.getlist("topics")
    if sum(map(len, values)) > MOST_TOPICS * (LONGEST_TOPIC + len(", ")):
        return Outcome(f"Topics: at most {MOST_TOPICS}. This is longer than they can be.")
    chosen = Chosen.read(values)
    if problem := chosen.problem(may_add=request.user.has_perm("articles.add_topic")):
        return Outcome(problem)
    batch = uuid4()
    try:
        edited = editing.edit(
            seen.key,
            lambda document: replace(document, topics=tuple(chosen.names)),
            by=editor(request),
            seen=seen.version,
            batch=batch,
        )
    except editing.StaleError as error:
        return Outcome(str(error))
    except Article.DoesNotExist:
        return Outcome(workflow.GONE)
    if not edited.event:
        return Outcome(f"“{story}” has these topics already.")
    named = ", ".join(chosen.names) or "none"
    return Outcome(f"“{story}” has its topics: {named}.", batch)


@dataclass(frozen=True)
class Chosen:
    """Topics by their names as they are written here; `new`: those that there are not yet."""

    names: list[str]
    new: list[str]

    @classmethod
    def read(cls, values: list[str]) -> Chosen:
        """One a value or a line. A line that is no topic's name may be several, with commas between them."""
        lines = [line for value in values for line in value.splitlines()]
        keys = {topic_key(clean(name)) for line in lines for name in (line, *line.split(","))}
        known = dict(Topic.objects.filter(key__in=keys).order_by().values_list("key", "name"))
        spelt: dict[str, str] = {}
        for line in lines:
            whole = clean(line)
            for name in [whole] if topic_key(whole) in known else map(clean, line.split(",")):
                spelt.setdefault(topic_key(name), name)
        spelt.pop("", None)
        new = [name for key, name in spelt.items() if key not in known]
        return cls([known.get(key, name) for key, name in spelt.items()], new)

    def problem(self, *, may_add: bool) -> str:
        if len(self.names) > MOST_TOPICS:
            return f"Topics: at most {MOST_TOPICS}."
        if too_long := [name for name in self.new if len(name) > LONGEST_TOPIC]:
            return f"Topics: “{too_long[0][:40]}…” is too long for a name."
        if self.new and not may_add:
            return f"Topics: there is no topic “{self.new[0]}”, and you may not add one."
        return ""


# --- Answers ------------------------------------------------------------------------------------


def _answer(request: HttpRequest, seen: Seen, outcome: Outcome) -> HttpResponse:
    if wants_json(request):
        return JsonResponse(_as_data(request, seen, outcome))
    if outcome.batch:
        messages.success(request, outcome.told, extra_tags=f"undo-{outcome.batch}")
    else:
        card = next(iter(cards_of([seen.key], editor(request))), None)
        messages.error(request, f"Nothing was done. {_why(card, seen, outcome, request)}")  # a refusal names no story
    return HttpResponseRedirect(back(request))


def _as_data(request: HttpRequest, seen: Seen, outcome: Outcome) -> dict[str, Any]:
    """`stays`: whether the story still stands in the queue that the page shows; `card`: it, as it is now."""
    user, asked = editor(request), asked_before(request)
    card = next(iter(cards_of([seen.key], user)), None)
    why = "" if outcome.batch else _why(card, seen, outcome, request)
    return {
        "done": outcome.batch is not None,
        "message": outcome.told if outcome.batch else why,
        "batch": outcome.batch,
        "stays": card is not None and asked.queue.stories(user).filter(pk=seen.key).exists(),
        "card": card_html(request, replace(card, error=why), asked) if card else "",
    }


def _why(card: Card | None, seen: Seen, outcome: Outcome, request: HttpRequest) -> str:
    """Why nothing was done; who changed the story, if somebody did since."""
    if card is None or card.story.version == seen.version:
        return outcome.told
    changed = changed_since(card.story, editor(request))
    return changed if outcome.told == workflow.CHANGED_SINCE else f"{outcome.told} {changed}"


def wants_json(request: HttpRequest) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def card_html(request: HttpRequest, card: Card, asked: Asked) -> str:
    return render_to_string("admin/desk/_card.html", card_context(request, asked) | {"card": card}, request)


def card_context(request: HttpRequest, asked: Asked) -> dict[str, Any]:
    """What every card of a page needs besides the story."""
    return {
        "asked": asked,
        "act": reverse("admin:desk_act"),
        "retopic": reverse("admin:desk_topics"),
        "here": f"{reverse('admin:desk')}?{asked.query(after=asked.after)}",
        "zone": timezone.get_current_timezone_name(),
        "soon": next_hour(),
    }


def back(request: HttpRequest) -> str:
    """Where the page said to go on; the desk, if it said nothing or somewhere else."""
    return local(request.POST.get("next"), request) or reverse("admin:desk")


def asked_before(request: HttpRequest) -> Asked:
    """What the page asked for that the button stood on."""
    query = back(request).partition("?")[2].partition("#")[0]
    try:
        return Asked.read_text(query)
    except Http404:
        return Asked.read({})
