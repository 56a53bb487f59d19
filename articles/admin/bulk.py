"""Many stories at once: first what would happen to each, then it happens, and its page can undo it."""

from __future__ import annotations

import dataclasses
import html
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.text import capfirst

from articles import checks, editing, workflow
from articles.admin.batches import local, may_look, remember_refused, stories
from articles.admin.events import editor
from articles.admin.forms import OrderedTopicsField, VerbForm
from articles.bulk import chunks
from articles.documents import topic_key
from articles.models import Article
from images.newsroom import is_key

if TYPE_CHECKING:
    from uuid import UUID

    from django.contrib.admin import ModelAdmin
    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest

    from articles.documents import ArticleDocument

MOST = 5_000  # stories
LISTED = 500  # stories that have a box of their own to untick; Django takes 1,000 fields from a form
NAMED = 20  # of those that are refused for one reason

Seen = dict[int, int | None]  # the stories that are meant, each with the version that the editor saw


# --- What can be done ---------------------------------------------------------------------------


class Deed:
    """Something that can be done to many stories."""

    name: str
    label: str  # for its button: "Publish 37"
    of_selected: str  # for its action in the list
    done: str  # "published": what the stories then are
    one: str  # what will happen: "37 go live, 1 …"
    many: str
    form: type[forms.Form]
    is_checked = False  # whether what the checks say matters to it

    def may_ever(self, user: Any) -> bool:
        raise NotImplementedError

    def foresee(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any) -> workflow.Foreseen:
        raise NotImplementedError

    def do(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any, batch: UUID) -> workflow.Result:
        raise NotImplementedError


class BulkVerbForm(VerbForm):
    """With plain names, and only what the verb can use."""

    prefix = ""
    verb: ClassVar[workflow.Verb]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["note"].required = self.verb.wants_note
        self.fields["note"].help_text = "Kept in each story's log."
        if self.verb is not workflow.SCHEDULE:
            del self.fields["at"], self.fields["until"]

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        if self.verb is workflow.SCHEDULE and not self.errors:
            for name, reason in workflow.misdated(told["at"], told["until"], timezone.now()).items():
                self.add_error(name, reason)
        return told


class VerbDeed(Deed):
    def __init__(self, verb: workflow.Verb, one: str, many: str) -> None:
        self.verb = verb
        self.name, self.done, self.one, self.many = verb.name, verb.done, one, many
        self.label = capfirst(verb.label)
        self.of_selected = f"{self.label} selected stories…"
        self.form = type("Form", (BulkVerbForm,), {"verb": verb})
        self.is_checked = verb.target in (Article.Status.PUBLISHED, Article.Status.IN_REVIEW)

    def may_ever(self, user: Any) -> bool:
        return workflow.may_ever(self.verb, user)

    def foresee(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any) -> workflow.Foreseen:
        return workflow.foresee(self.verb, keys, by=by, seen=seen)

    def do(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any, batch: UUID) -> workflow.Result:
        times = dict.fromkeys(keys, told.get("at"))
        until, note = told.get("until"), told["note"]
        return workflow.apply_to_each(self.verb, times, by=by, note=note, batch=batch, until=until, seen=seen)


class TopicsForm(forms.Form):
    add = OrderedTopicsField(required=False, label="Add", help_text="They come last, in this order.")
    take = OrderedTopicsField(required=False, label="Take away")
    note = forms.CharField(max_length=500, required=False, label="Note", help_text="Kept in each story's log.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("add", "take"):
            self.fields[name].widget.can_add_related = False

    def clean(self) -> dict[str, Any]:
        told: dict[str, Any] = super().clean() or {}
        add, take = told.get("add") or [], told.get("take") or []
        if self.errors:
            return told
        if both := [topic for topic in add if topic in take]:
            raise forms.ValidationError(f"“{both[0]}” cannot be both added and taken away.")
        if not add and not take:
            raise forms.ValidationError("Say which topics to add or to take away.")
        return told


class TopicsDeed(Deed):
    name = "topics"
    label = "Change topics of"
    of_selected = "Change topics of selected stories…"
    done = "changed"
    one, many = "gets other topics", "get other topics"
    form = TopicsForm

    def may_ever(self, user: Any) -> bool:
        return bool(user.has_perm(workflow.MAY_WRITE))

    def foresee(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any) -> workflow.Foreseen:
        change = retopicked(told["add"], told["take"]) if told else None
        return workflow.Foreseen(editing.foresee(dict.fromkeys(keys, change), by=by, seen=seen), {})

    def do(self, keys: Collection[int], by: User, seen: Mapping[int, int], told: Any, batch: UUID) -> workflow.Result:
        changes = dict.fromkeys(keys, retopicked(told["add"], told["take"]))
        return editing.edit_each(changes, by=by, seen=seen, note=told["note"], batch=batch)


def retopicked(add: Iterable[Any], take: Iterable[Any]) -> editing.Change:
    """Takes topics away from a story, and adds others behind those that stay."""
    taken = {topic.key for topic in take}

    def change(document: ArticleDocument) -> ArticleDocument:
        kept = [name for name in document.topics if topic_key(name) not in taken]
        there = set(map(topic_key, kept))
        return dataclasses.replace(document, topics=(*kept, *(each.name for each in add if each.key not in there)))

    return change


DEEDS: dict[str, Deed] = {
    deed.name: deed
    for deed in (
        VerbDeed(workflow.SUBMIT, "goes into review", "go into review"),
        VerbDeed(workflow.SEND_BACK, "goes back to its author", "go back to their authors"),
        VerbDeed(workflow.PUBLISH, "goes live", "go live"),
        VerbDeed(workflow.SCHEDULE, "is scheduled", "are scheduled"),
        VerbDeed(workflow.UNPUBLISH, "comes down", "come down"),
        VerbDeed(workflow.REJECT, "is rejected", "are rejected"),
        VerbDeed(workflow.RESTORE, "becomes a draft again", "become drafts again"),
        TopicsDeed(),
    )
}


# --- From the list, and from the desk -----------------------------------------------------------


def actions(request: HttpRequest) -> dict[str, tuple[Any, str, str]]:
    """What the list of stories offers, as Django wants it; each leads to the same page."""
    may = [deed for deed in DEEDS.values() if deed.may_ever(request.user)]
    return {f"{deed.name}_selected": (_action(deed), f"{deed.name}_selected", deed.of_selected) for deed in may}


def _action(deed: Deed) -> Any:
    def selected(model_admin: ModelAdmin, request: HttpRequest, queryset: QuerySet[Article]) -> HttpResponse:
        seen: Seen = dict(queryset.values_list("pk", "version")[: MOST + 1])
        number = queryset.count() if len(seen) > MOST else len(seen)
        return _preview(request, deed, seen, number=number, back=request.get_full_path())

    return selected


def bulk(request: HttpRequest) -> HttpResponse:
    """What would be done to `stories`, `pk:version` with commas between; with `confirm` it is done."""
    deed = DEEDS.get(request.POST.get("verb", ""))
    if deed is None:
        raise Http404
    if not (deed.may_ever(request.user) and may_look(request)):
        raise PermissionDenied
    back = local(request.POST.get("next"), request) or reverse("admin:articles_article_changelist")
    seen = _seen(",".join(request.POST.getlist("stories")))
    if seen is None:
        return _refuse(request, "These are no stories.", back)
    if "confirm" in request.POST and 0 < len(seen) <= MOST:
        return _do(request, deed, seen, back)
    form = deed.form(request.POST) if "again" in request.POST else None
    return _preview(request, deed, seen, number=len(seen), back=back, form=form)


def _seen(text: str) -> Seen | None:
    """None where it is nothing that a page of ours would send."""
    seen: Seen = {}
    for part in filter(None, text.split(",")):
        key, _, version = part.partition(":")
        if not is_key(key) or (version and not is_key(version)):
            return None
        seen[int(key)] = int(version) if version else None
    return seen


def _refuse(request: HttpRequest, told: str, back: str) -> HttpResponse:
    messages.error(request, f"Nothing was done. {told}")
    return HttpResponseRedirect(back)


# --- Doing it -----------------------------------------------------------------------------------


def _do(request: HttpRequest, deed: Deed, seen: Seen, back: str) -> HttpResponse:
    form = deed.form(request.POST)
    if not form.is_valid():
        return _preview(request, deed, seen, number=len(seen), back=back, form=form)
    batch = uuid4()
    result = deed.do(seen, editor(request), _versions(seen), form.cleaned_data, batch)
    refused = result.refused | {
        key: workflow.GONE for key in seen if key not in result.done and key not in result.refused
    }
    if not result.done:
        form.add_error(None, f"Nothing was done. {_counted(refused)}")
        return _preview(request, deed, seen, number=len(seen), back=back, form=form)
    remember_refused(request, batch, refused)
    told = f"{capfirst(deed.done)}: {stories(len(result.done))}."
    left = f" {len(refused):,} left alone. {_counted(refused)}" if refused else ""
    messages.add_message(request, messages.WARNING if refused else messages.SUCCESS, told + left)
    return HttpResponseRedirect(reverse("admin:desk_batch", args=[batch], query={"next": back}))


def _versions(seen: Seen) -> dict[int, int]:
    return {key: version for key, version in seen.items() if version is not None}


def _counted(refused: Mapping[int, str]) -> str:
    """The reasons, most frequent first, with how many stories have each if it is not all: no story is named."""
    counts = Counter(refused.values()).most_common()
    return " ".join(reason if len(counts) == 1 else f"{reason} ({count:,})" for reason, count in counts)


# --- What would happen --------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """A story, and what is wanting in it."""

    key: int
    version: int
    title: str
    provider: str
    status: str
    state: str
    findings: list[checks.Finding]
    wanting: str  # what keeps it from being done, if anything does

    @property
    def value(self) -> str:
        return f"{self.key}:{self.version}"


@dataclass(frozen=True)
class Group:
    """The stories that are refused for the same reason."""

    reason: str
    rows: list[Row]

    @property
    def named(self) -> list[Row]:
        return self.rows[:NAMED]

    @property
    def more(self) -> int:
        return len(self.rows) - len(self.named)


@dataclass(frozen=True)
class Plan:
    """What would happen to the stories that an editor chose."""

    deed: Deed
    fit: list[Row]  # what it would be done to
    wanting: list[Row]  # what it would be done to if it had what it has to have
    refused: list[Group]
    gone: int

    @property
    def any(self) -> bool:
        return bool(self.fit or self.wanting)

    @property
    def listed(self) -> list[Row]:
        """Those of which there is something to say come first."""
        return sorted(self.wanting + self.fit, key=lambda row: (not row.wanting, not row.findings))[:LISTED]

    @property
    def unlisted(self) -> list[Row]:
        listed = {row.key for row in self.listed}
        return [row for row in self.fit if row.key not in listed]

    @property
    def rest(self) -> str:
        return ",".join(row.value for row in self.unlisted)

    @property
    def will(self) -> str:
        return f"{len(self.fit):,} {self.deed.one if len(self.fit) == 1 else self.deed.many}"

    @property
    def told(self) -> list[str]:
        """`2 lack a picture`, `1 is a duplicate`, `3 cannot be published`."""
        counts = Counter(finding.check.name for row in self.fit + self.wanting for finding in row.findings)
        told = [
            f"{counts[name]:,} {check.one if counts[name] == 1 else check.many}"
            for name, check in checks.CHECKS.items()
            if counts[name]
        ]
        refused = sum(len(group.rows) for group in self.refused) + self.gone
        return [*told, f"{refused:,} cannot be {self.deed.done}"] if refused else told


def plan(deed: Deed, seen: Seen, by: User, told: Any = None) -> Plan:
    """`told`: what the form says, if it has been asked."""
    rows = _rows(deed, list(seen))
    versions = {key: row.version for key, row in rows.items()} | _versions(seen)
    foreseen = deed.foresee(rows, by, versions, told)
    wanting = [dataclasses.replace(row, wanting=foreseen.wanting.get(key, "")) for key, row in rows.items()]
    groups: dict[str, list[Row]] = {}
    for key, reason in foreseen.refused.items():
        groups.setdefault(reason, []).append(rows[key])
    return Plan(
        deed,
        fit=[row for row in wanting if not row.wanting and row.key not in foreseen.refused],
        wanting=[row for row in wanting if row.wanting],
        refused=[Group(reason, some) for reason, some in sorted(groups.items(), key=lambda item: -len(item[1]))],
        gone=len(seen) - len(rows),
    )


def _rows(deed: Deed, keys: Sequence[int]) -> dict[int, Row]:
    """The stories that are there, in the order in which they were chosen."""
    columns = ("pk", "version", "title", "provider__name", "provider__domain", "status")
    found: dict[int, Any] = {}
    for some in chunks(keys):
        rows = Article.objects.filter(pk__in=some).order_by()
        found |= {values["pk"]: values for values in rows.values(*columns)}
    findings = checks.findings(found) if deed.is_checked else {}
    return {key: _row(found[key], findings.get(key, [])) for key in keys if key in found}


def _row(values: Mapping[str, Any], findings: Sequence[checks.Finding]) -> Row:
    return Row(
        key=values["pk"],
        version=values["version"],
        title=html.unescape(values["title"]),
        provider=values["provider__name"] or values["provider__domain"] or "",
        status=values["status"],
        state=str(Article.Status(values["status"]).label),
        findings=sorted(findings, key=lambda finding: not finding.is_required),
        wanting="",
    )


def _preview(
    request: HttpRequest, deed: Deed, seen: Seen, *, number: int, back: str, form: forms.Form | None = None
) -> HttpResponse:
    if number > MOST:
        told = f"At most {MOST:,} stories can be done at once, and these are {number:,}: narrow them down first."
        return _refuse(request, told, back)
    if not seen:
        return _refuse(request, "No story was chosen.", back)
    foreseen = plan(deed, seen, editor(request), form.cleaned_data if form and form.is_valid() else None)
    if form and form.is_valid() and not foreseen.any:
        form.add_error(None, _why_none(foreseen))
        foreseen = plan(deed, seen, editor(request))  # as it was before the form said something that suits none
    if not foreseen.any:
        return _refuse(request, _why_none(foreseen), back)
    form = form or deed.form()
    article_admin: Any = admin.site.get_model_admin(Article)
    context = {
        **admin.site.each_context(request),
        "title": deed.of_selected.replace(" selected", "").rstrip("…"),
        "deed": deed,
        "plan": foreseen,
        "form": form,
        "media": article_admin.media + form.media,
        "zone": timezone.get_current_timezone_name(),
        "has_times": "at" in form.fields,
        "back": back,
    }
    return TemplateResponse(request, "admin/desk/bulk.html", context)


def _why_none(foreseen: Plan) -> str:
    reasons = {row.key: group.reason for group in foreseen.refused for row in group.rows}
    return _counted(reasons | {-number: workflow.GONE for number in range(1, foreseen.gone + 1)})
