"""Saves that met somebody else's: what both changed is shown side by side to choose from, the rest is merged and told.

The same page and the same merge serve a form that was opened before another save, changes that two editors keep at
once, and changes that are put live after the story has moved on.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from django.contrib import messages
from django.contrib.admin.utils import flatten_fieldsets, unquote
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import F, Model
from django.forms.formsets import all_valid
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from articles import editing, revisions, workflow, working
from articles.admin import drafting
from articles.admin.comparing import (
    CHANGES,
    LIVE,
    MINE,
    PUT,
    THEIRS,
    Comparison,
    Doing,
    Draft,
    Place,
    base_at,
    meanwhile,
    opened,
    put_live_draft,
    when,
    whose,
)
from articles.admin.events import editor, fields_told, label, left_out
from articles.admin.sides import Shown, side_by_side
from articles.documents import ArticleDocument, DocumentError, field_data, from_data
from articles.merging import changed_fields
from articles.models import Article, ArticleImage, Event, RelatedStory
from articles.records import article_document
from images.newsroom import NewsroomAdmin, is_key

if TYPE_CHECKING:
    from django.forms import ModelForm
    from django.http import HttpRequest

CHOICE = "choose-"  # before the names of the fields
MOVED = "Somebody has saved, discarded or put live these changes meanwhile. Nothing was done: look at them again."
REFUSED = "verb_refused"  # in the editor's session
TEXTS = re.compile(r"title|excerpt|body|\w*_url|featured_content|stem|verb-note")  # of the form, for who wrote them
UNREADABLE = "The unpublished changes of this story cannot be read any more. They can only be discarded."
ROW_MODELS: dict[str, type[Model]] = {"pictures": ArticleImage, "related_stories": RelatedStory}
ROW = re.compile(r"(pictures|related_stories)-(\d+)-(address|alt|title|attribution|web_url|excerpt)$")


# --- The page -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Panel:
    """A disputed field: headings, values and what each stands for."""

    name: str
    label: str
    before: Shown | None
    sides: list[tuple[str, str, Shown]]
    chosen: str

    @property
    def field(self) -> str:
        return f"{CHOICE}{self.name}"


class StaleSaves(NewsroomAdmin):
    """What an admin of stories does with a form that is not simply to be saved over the row."""

    def get_urls(self) -> list[Any]:
        own = path(
            "<path:object_id>/settle/", self.admin_site.admin_view(self.settle_view), name="articles_article_settle"
        )
        return [own, *super().get_urls()]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if request.method != "POST" or object_id is None:
            return super().changeform_view(request, object_id, form_url, extra_context)
        with transaction.atomic():
            answer = self._answer(request, unquote(object_id))
            return answer or super().changeform_view(request, object_id, form_url, extra_context)

    def _answer(self, request: HttpRequest, key: str) -> HttpResponse | None:
        """The answer to a form that is not simply to be saved; None where it is, or where it has errors to be shown."""
        if not super().has_change_permission(request):
            return self._gone_page(request, kept_texts(request.POST))
        obj: Article | None = self.get_object(request, key)
        if obj is None:
            return self._gone_page(request, kept_texts(request.POST))
        if not self.has_change_permission(request, obj):
            if is_stale(request, obj) and self.has_view_permission(request, obj):
                return self._gone_page(request, kept_texts(request.POST), obj)
            raise PermissionDenied
        if not is_draft(request, obj):
            return None
        return self._draft_answer(request, obj)

    def _draft_answer(self, request: HttpRequest, obj: Article) -> HttpResponse | None:
        fields = flatten_fieldsets(self.get_fieldsets(request, obj))
        form: Any = self.get_form(request, obj, change=True, fields=fields)(request.POST, request.FILES, instance=obj)
        form.checks_version = False
        formsets, inlines = self._create_formsets(request, form.instance, change=True)  # type: ignore[attr-defined]
        if not (form.is_valid() and all_valid(formsets)):
            return None
        editable = [
            formset
            for formset, inline in zip(formsets, inlines, strict=True)
            if inline.has_change_permission(request, obj)
        ]
        article = editing.locked(obj.pk)  # the form has put what it says into the other
        try:
            draft = self._draft(request, article, form, editable)
        except DocumentError as error:
            request.draft_refusal = f"{error}. Nothing was saved."  # type: ignore[attr-defined]
            return None
        if draft.target == CHANGES and (copy := working.copy_of(article.pk)) and not working.is_readable(copy):
            request.draft_refusal = f"{UNREADABLE} Nothing was saved."  # type: ignore[attr-defined]
            return None
        return self.submit(request, article, draft)

    def _draft(self, request: HttpRequest, article: Article, form: ModelForm, formsets: Sequence[Any]) -> Draft:
        target = CHANGES if "_keep" in request.POST or of_changes(request) else LIVE
        pressed = {name: str(value) for name, value in request.POST.items() if name.startswith(("_", "verb-", "seen-"))}
        base, version = self.began_as(request, article)
        mine = drafting.document_from(form, formsets, base or article_document(article))
        beside = {name: list(values) for name, values in drafting.beside_from(form).items()}
        if target == CHANGES and beside:
            told = f"Not kept: {fields_told(beside)}. That is no part of what the story says: use Save."
            self.message_user(request, told, messages.WARNING)
            beside = {}
        self._tell_fixed_stem(request, article, form)
        return Draft(target, base, mine, version, beside=beside, pressed=pressed)

    def began_as(self, request: HttpRequest, article: Article) -> tuple[ArticleDocument | None, int]:
        """What the form showed at first, if anybody knows, and the story's version by then. Raises DocumentError."""
        if not hasattr(request, "began"):
            request.began = _began(request, article)  # type: ignore[attr-defined]
        began: tuple[ArticleDocument | None, int] = request.began  # type: ignore[attr-defined]
        return began

    def _tell_fixed_stem(self, request: HttpRequest, article: Article, form: ModelForm) -> None:
        """An address that was sent although readers have seen the story's by now."""
        wanted = request.POST.get("stem", "")
        if "stem" not in form.fields and wanted not in ("", article.stem, request.POST.get("initial-stem", "")):
            self.message_user(
                request, f"The address was not changed to {wanted}: readers have seen this one.", messages.WARNING
            )

    # --- Where a draft goes ----------------------------------------------------------------------

    def submit(self, request: HttpRequest, article: Article, draft: Draft) -> HttpResponse:
        """Put the draft where it is to go, or show what it disputes. The story is locked."""
        comparison = Comparison(draft, Place.of(article, draft.target))
        if comparison.conflicts:
            return self._stale_page(request, comparison)
        return self._store(request, comparison, {})

    def settle_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The choices that the page offered, or the page again."""
        if not is_key(object_id):
            raise Http404
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:articles_article_change", args=[object_id]))
        draft = Draft.opened(request.POST.get("draft", ""), int(object_id), editor(request))
        if not super().has_change_permission(request):
            return self._gone_page(request, drafted_texts(draft))
        with transaction.atomic():
            try:
                article = editing.locked(int(object_id))
            except Article.DoesNotExist:
                return self._gone_page(request, drafted_texts(draft))
            if not self.has_change_permission(request, article):
                return self._gone_page(request, drafted_texts(draft), article)
            return self._settled(request, Comparison(draft, Place.of(article, draft.target)))

    def _settled(self, request: HttpRequest, comparison: Comparison) -> HttpResponse:
        everywhere = request.POST.get("all")
        choices = {name: everywhere or request.POST.get(CHOICE + name, "") for name in comparison.conflicts}
        if comparison.conflicts and request.POST.get("seen") != comparison.place.seen:
            told = "It has changed again meanwhile: this is how it stands now. Nothing was saved yet."
            return self._stale_page(request, comparison, told)
        if open_names := [name for name in comparison.conflicts if choices[name] not in (MINE, THEIRS)]:
            told = f"Choose one of the two: {fields_told(open_names)}. Nothing was saved yet."
            return self._stale_page(request, comparison, told, choices)
        return self._store(request, comparison, choices)

    def _store(self, request: HttpRequest, comparison: Comparison, choices: Mapping[str, str]) -> HttpResponse:
        match comparison.draft.target:
            case "live":
                return self._store_live(request, comparison, choices)
            case "changes":
                return self._store_changes(request, comparison, choices)
            case _:
                return self._store_put(request, comparison, choices)

    def _store_live(self, request: HttpRequest, comparison: Comparison, choices: Mapping[str, str]) -> HttpResponse:
        article, draft, by = comparison.place.article, comparison.draft, editor(request)
        doings = meanwhile(comparison.place, draft, by)
        note = "" if "_verb" in draft.pressed else draft.pressed.get("verb-note", "")  # it is about what was pressed
        document = comparison.settled(choices)
        edited = editing.edit(article.pk, lambda now: document, by=by, seen=article.version, note=note)
        drafting.want_pictures(document, comparison.theirs)
        story: Any = edited.article
        beside = self._set_beside(request, story, comparison.beside(choices), "" if edited.event else note)
        names = (*edited.names, *beside)
        self._tell_saved(request, story, names, doings)
        if names:
            self.log_change(request, story, f"Changed {fields_told(names)}.")
        return self._then(request, story, draft.pressed, edited=bool(names))

    def _set_beside(self, request: HttpRequest, article: Article, values: dict[str, Any], note: str) -> list[str]:
        """Set what no document holds; return what was set."""
        if "stem" in values:
            namesakes = Article.objects.filter(stem__iexact=values["stem"]).exclude(pk=article.pk)
            if article.publish_at or namesakes.exists():
                why = "readers have seen this one" if article.publish_at else "another story has that one"
                self.message_user(request, f"The address was not changed: {why}.", messages.WARNING)
                del values["stem"]
        if not values:
            return []
        Article.objects.filter(pk=article.pk).update(version=F("version") + 1, modified_at=timezone.now(), **values)
        article.refresh_from_db(fields=["version", "modified_at", *values])
        revisions.record(article, by=editor(request), note=note)
        told = {"fields": list(values), "version": article.version}
        Event.objects.create(article=article, actor=editor(request), verb=editing.EDIT, note=note, data=told)
        return list(values)

    def _tell_saved(self, request: HttpRequest, article: Article, names: Sequence[str], doings: list[Doing]) -> None:
        since = "; ".join(map(str, doings))
        if names:
            added = fields_told(names)
            text = f"“{article}” was saved. It had changed meanwhile ({since}); of yours were added: {added}."
        else:
            text = f"“{article}” was not changed by you. It had changed meanwhile ({since}), and stays as it is now."
        self.message_user(request, text, messages.SUCCESS if names else messages.INFO)

    def _then(self, request: HttpRequest, article: Any, pressed: dict[str, str], *, edited: bool) -> HttpResponse:
        """Do the verb of the button, if the state is still what its editor saw."""
        verb = workflow.VERBS.get(pressed.get("_verb", ""))
        if verb and pressed.get("seen-state", article.status) == article.status:
            return self._saved_and(verb, request, article, edited=edited, told=pressed)
        if verb:
            standing = workflow.STANDING[article.status]
            self.message_user(
                request,
                f"It was not {verb.done}, for its state has changed meanwhile: it {standing}.",
                messages.WARNING,
            )
        if edited:
            self._warn(request, article)
        if verb:
            return self._refused(request, article, edited=edited, told=pressed)
        if "_continue" in pressed:
            return HttpResponseRedirect(form_address(article))
        return self.response_post_save_change(request, article)

    def _refused(self, request: HttpRequest, article: Any, *, edited: bool, told: Mapping[str, str]) -> HttpResponse:
        """Back to the form, with what was told with the verb that was not done; the edit keeps why it was to be."""
        values = {name: str(told[f"verb-{name}"]) for name in ("note", "at", "until") if told.get(f"verb-{name}")}
        if edited and (note := values.get("note")):
            Event.objects.filter(pk=article.events.values("pk")[:1]).update(note=note)
            article.revisions.filter(version=article.version).update(note=note)
        request.session[REFUSED] = {"article": article.pk, "told": values}
        return HttpResponseRedirect(form_address(article, f"?{request.GET.urlencode()}" if request.GET else ""))

    def _saved_and(
        self, verb: workflow.Verb, request: HttpRequest, obj: Article, *, edited: bool, told: Mapping[str, str]
    ) -> HttpResponse:
        """Do the verb, with what was told with it, and say so."""
        raise NotImplementedError

    def _warn(self, request: HttpRequest, article: Article) -> None:
        """Say what is wanting in what was saved."""
        raise NotImplementedError

    def _store_changes(self, request: HttpRequest, comparison: Comparison, choices: Mapping[str, str]) -> HttpResponse:
        place, draft, by = comparison.place, comparison.draft, editor(request)
        article, document = place.article, comparison.settled(choices)
        there = meanwhile(place, draft, by)[0] if place.is_copy else None
        copy = working.keep(
            article,
            document,
            article_document(article),
            base_version=article.version,
            by=by,
            seen=place.copy_version,
            note=draft.pressed.get("verb-note", ""),
        )
        drafting.want_pictures(document, comparison.theirs)
        if "_live" in draft.pressed:
            return self.submit(request, article, put_live_draft(copy))
        names = fields_told(working.fields_of(copy)) or "nothing yet"
        also = ""
        if there and draft.base and changed_fields(comparison.base or comparison.mine, comparison.theirs):
            also = f" They were merged with those that were kept already ({there})."
        self.message_user(
            request,
            f"Kept as unpublished changes: {names}. Nothing of the story itself has changed.{also}",
            messages.SUCCESS,
        )
        return HttpResponseRedirect(form_address(article, "?changes=1" if "_continue" in draft.pressed else ""))

    def _store_put(self, request: HttpRequest, comparison: Comparison, choices: Mapping[str, str]) -> HttpResponse:
        article = comparison.place.article
        document, seen = comparison.settled(choices), comparison.draft.copy_version
        try:
            edited, withheld = working.put_live(article, document, by=editor(request), seen=seen, live=article.version)
        except working.MovedError:
            self.message_user(request, MOVED, messages.ERROR)
            return HttpResponseRedirect(form_address(article))
        drafting.want_pictures(article_document(edited.article), comparison.theirs)
        if withheld:
            self.message_user(request, f"{left_out(withheld)}.", messages.WARNING)
        names = fields_told(edited.names)
        is_live = article.status == Article.Status.PUBLISHED
        done = "The changes are live" if is_live else "The changes are in the story"
        text = f"{done}: {names}." if names else "The story says all of this already. The changes were put away."
        self.message_user(request, text, messages.SUCCESS)
        if edited.names:
            self.log_change(request, edited.article, f"Put changes live: {names}.")
        return HttpResponseRedirect(form_address(article))

    # --- Pages -----------------------------------------------------------------------------------

    def _stale_page(
        self,
        request: HttpRequest,
        comparison: Comparison,
        told: str = "",
        choices: Mapping[str, str] | None = None,
    ) -> HttpResponse:
        draft, place, by = comparison.draft, comparison.place, editor(request)
        doings = meanwhile(place, draft, by)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(place.article),
            "subtitle": "Two versions",
            "object": place.article,
            "panels": [_panel(name, comparison, doings, choices or {}) for name in comparison.conflicts],
            "doings": doings,
            "target": draft.target,
            "is_copy": place.is_copy,
            "taken": [label(name) for name in comparison.merged.taken if name not in comparison.conflicts],
            "kept": [label(name) for name in comparison.ours],
            "told": told,
            "draft": draft.sealed(place.article, by),
            "seen": place.seen,
            "verb": workflow.VERBS.get(draft.pressed.get("_verb", "")),
            "action": reverse("admin:articles_article_settle", args=[place.article.pk]),
            "form": form_address(place.article),
        }
        return TemplateResponse(request, "admin/articles/article/stale.html", context, status=409)

    def _gone_page(
        self, request: HttpRequest, texts: list[tuple[str, str]], article: Article | None = None
    ) -> HttpResponse:
        """The story is gone, or its editor may not change it any more: what they wrote is theirs to copy."""
        if not super().has_change_permission(request):
            title, why, status = "You may not change stories any more", "Your rights have changed", 403
        elif article:
            title, why, status = "This story is not yours to change any more", "Its state has changed", 403
        else:
            title, why, status = "This story has been deleted", "It went", 404
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "why": why,
            "texts": texts,
            "form": form_address(article) if article else "",
        }
        return TemplateResponse(request, "admin/articles/article/gone.html", context, status=status)


def _panel(name: str, comparison: Comparison, doings: list[Doing], choices: Mapping[str, str]) -> Panel:
    before, mine, theirs = comparison.outcomes(name)
    shown = side_by_side(name, before, mine, theirs)
    doing = whose(name, doings, comparison.base)
    if comparison.draft.target == PUT:
        headings = ("The unpublished changes", f"Live now: {doing.who}, {when(doing.at)}")
    else:
        headings = ("Yours", f"{doing.who}, {when(doing.at)}")
    sides = [
        (choice, heading, value) for choice, heading, value in zip((MINE, THEIRS), headings, shown[1:], strict=True)
    ]
    was_known = comparison.base is not None or name in comparison.draft.beside
    return Panel(name, label(name), shown[0] if was_known else None, sides, choices.get(name, ""))


def is_stale(request: HttpRequest, article: Article) -> bool:
    return request.POST.get("version", "").strip() != str(article.version)


def _began(request: HttpRequest, article: Article) -> tuple[ArticleDocument | None, int]:
    if of_changes(request):
        data = opened(request.POST.get("changes-base", ""), article.pk, editor(request))
        return cast("ArticleDocument", from_data(data)), article.version
    posted = request.POST.get("version", "").strip()
    version = int(posted) if is_key(posted) else 0
    return (base_at(article.pk, version) if version != article.version else article_document(article)), version


def is_draft(request: HttpRequest, article: Article) -> bool:
    """Whether what the form says is not simply to be saved over the row."""
    return is_stale(request, article) or "_keep" in request.POST or of_changes(request)


def of_changes(request: HttpRequest) -> bool:
    """Whether the form is that of the unpublished changes."""
    return "changes" in request.GET


def refused_told(request: HttpRequest, article: Article) -> dict[str, str]:
    """What was told with a verb that was just not done to the story: once."""
    if request.method != "GET" or request.session.get(REFUSED, {}).get("article") != article.pk:
        return {}
    told: dict[str, str] = request.session.pop(REFUSED)["told"]
    return told


def form_address(article: Article, query: str = "") -> str:
    return reverse("admin:articles_article_change", args=[article.pk]) + query


def kept_texts(data: QueryDict) -> list[tuple[str, str]]:
    """What an editor wrote, to be copied."""
    names = [name for name in data if TEXTS.fullmatch(name) or ROW.match(name)]
    texts = [(_named(name), str(data[name])) for name in names]
    return [(name, text) for name, text in texts if text.strip()]


def _named(name: str) -> str:
    if not (row := ROW.match(name)):
        return label(name.removeprefix("verb-"))
    rows, number, part = row.groups()
    return f"{label(rows)}, {int(number) + 1}: {label(part, ROW_MODELS[rows])}"


def drafted_texts(draft: Draft) -> list[tuple[str, str]]:
    names = [field.name for field in dataclasses.fields(draft.mine) if field.name not in ("published", "extra")]
    values = [(name, field_data(draft.mine, name)) for name in names]
    return [(label(name), _readable(name, value)) for name, value in values if value not in (None, "", [])]


def _readable(name: str, value: Any) -> str:
    [shown] = side_by_side(name, value)
    return "\n\n".join("\n".join("".join(piece.text for piece in line) for line in block) for block in shown)
