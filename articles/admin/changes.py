"""Unpublished changes of a story: its form says that there are any, they are compared, put live and discarded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from articles import editing, working
from articles.admin import drafting
from articles.admin.comparing import put_live_draft, sealed
from articles.admin.events import editor, label
from articles.admin.sides import compared
from articles.admin.stale import (
    MOVED,
    UNREADABLE,
    StaleSaves,
    form_address,
    is_draft,
    is_stale,
    of_changes,
)
from articles.documents import ArticleDocument, DocumentError, field_data, open_data, topic_key
from articles.models import Article, WorkingCopy
from articles.records import article_document, with_parts
from articles.renewing import unknown_topics
from images.newsroom import is_key

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

NO_CHANGES = "There are no unpublished changes of this story: somebody has discarded them, or put them live."


class UnpublishedChanges(StaleSaves):
    def get_urls(self) -> list[Any]:
        def wrapped(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            return self.admin_site.admin_view(view)

        return [
            path("<path:object_id>/changes/", wrapped(self.changes_view), name="articles_article_changes"),
            path("<path:object_id>/changes/live/", wrapped(self.put_live_view), name="articles_article_put_live"),
            path("<path:object_id>/changes/discard/", wrapped(self.discard_view), name="articles_article_discard"),
            *super().get_urls(),
        ]

    # --- The form --------------------------------------------------------------------------------

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if request.method == "GET" and of_changes(request):
            copy = working.copy_of(int(object_id)) if is_key(object_id) else None
            if copy is None or not working.is_readable(copy):
                self.message_user(request, UNREADABLE if copy else NO_CHANGES, messages.INFO)
                return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, extra_context)

    def get_form(self, request: HttpRequest, obj: Article | None = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.refusal = getattr(request, "draft_refusal", "")
        form.checks_version = not of_changes(request)
        form.shown = self._shown(request, obj)
        return form

    def _shown(self, request: HttpRequest, obj: Article | None) -> ArticleDocument | None:
        """The document that the form is to show instead of the row."""
        if obj is None or request.method != "GET" or not of_changes(request):
            return None
        if not hasattr(request, "shown_changes"):  # asked for by the form and each of its formsets
            copy = _copy(obj) if self.has_change_permission(request, obj) else None
            request.shown_changes = copy and working.document_of(copy)  # type: ignore[attr-defined]
        shown: ArticleDocument | None = request.shown_changes  # type: ignore[attr-defined]
        return shown

    def get_formset_kwargs(self, request: HttpRequest, obj: Article, inline: Any, prefix: str) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "POST" and obj.pk and is_draft(request, obj):
            there = set(kwargs["queryset"].filter(article=obj).values_list("pk", flat=True))
            if prefix == "pictures":
                kwargs["had"] = self._had(request, obj)
            kwargs["data"] = drafting.with_rows_that_are_there(kwargs["data"], prefix, there)
        elif document := self._shown(request, obj if obj.pk else None):
            kwargs["shown"] = drafting.rows_from(prefix, document, obj)
        return kwargs

    def _had(self, request: HttpRequest, article: Article) -> set[str]:
        """The addresses of the pictures that the form showed at first."""
        if not (is_stale(request, article) or of_changes(request)):
            return set()  # all of its rows are there
        try:
            began, _ = self.began_as(request, article)
        except DocumentError:
            return set()  # which refuses the form later
        return {image.url for image in began.images} if began else set()

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Article | None = None,
    ) -> HttpResponse:
        if obj:
            may_change = self.has_change_permission(request, obj)
            copy = _copy(obj)
            context["seen_state"] = request.POST.get("seen-state", obj.status)
            context["may_keep"] = may_change and obj.status == Article.Status.PUBLISHED and copy is None
            if copy:
                context |= self._told_of(request, obj, copy, may_change)
            if of_changes(request) and may_change:
                context |= _of_the_changes(request, obj, self._shown(request, obj))
        return super().render_change_form(request, context, add, change, form_url, obj)

    def _told_of(self, request: HttpRequest, article: Article, copy: WorkingCopy, may_change: bool) -> dict[str, Any]:
        is_readable = working.is_readable(copy)
        return {
            "working_copy": copy,
            **_of_the_copy(copy, is_readable),
            "shows_changes": of_changes(request),
            "may_change_copy": may_change,
            "may_keep": may_change and is_readable,
            "preview": _preview(article),
        }

    # --- Pages -----------------------------------------------------------------------------------

    def changes_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The changes beside what is live."""
        article = _article(object_id)
        if not self.has_view_permission(request, article):
            raise PermissionDenied
        if (copy := working.copy_of(article.pk)) is None:
            self.message_user(request, NO_CHANGES, messages.INFO)
            return HttpResponseRedirect(form_address(article))
        context = self._context(request, article, copy) | {
            "subtitle": "Unpublished changes",
            "panels": list(_panels(article_document(article), copy)),
            "may_change": self.has_change_permission(request, article),
            "preview": _preview(article),
            "since": article.version - copy.base_version,
        }
        return TemplateResponse(request, "admin/articles/article/changes.html", context)

    def put_live_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:articles_article_changes", args=[_article(object_id).pk]))
        with transaction.atomic():
            article = self._locked(request, object_id)
            copy = working.copy_of(article.pk)
            if copy is None or str(copy.version) != request.POST.get("changes-version"):
                return self._moved(request, article)
            if not working.is_readable(copy):
                self.message_user(request, UNREADABLE, messages.ERROR)
                return HttpResponseRedirect(form_address(article))
            return self.submit(request, article, put_live_draft(copy))

    def discard_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        if request.method != "POST":
            article = _article(object_id)
            if not self.has_change_permission(request, article):
                raise PermissionDenied
            if (copy := working.copy_of(article.pk)) is None:
                return self._moved(request, article)
            context = self._context(request, article, copy) | {"subtitle": "Discard unpublished changes"}
            return TemplateResponse(request, "admin/articles/article/discard.html", context)
        with transaction.atomic():
            article, seen = self._locked(request, object_id), request.POST.get("changes-version", "")
            try:
                working.discard(article, by=editor(request), seen=int(seen) if is_key(seen) else -1)
            except working.MovedError:
                return self._moved(request, article)
        self.message_user(request, "The unpublished changes were discarded.", messages.SUCCESS)
        return HttpResponseRedirect(form_address(article))

    def _locked(self, request: HttpRequest, object_id: str) -> Article:
        if not is_key(object_id):
            raise Http404
        try:
            article = editing.locked(int(object_id))
        except Article.DoesNotExist:
            raise Http404 from None
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        return article

    def _moved(self, request: HttpRequest, article: Article) -> HttpResponse:
        self.message_user(request, MOVED, messages.ERROR)
        return HttpResponseRedirect(form_address(article))

    def _context(self, request: HttpRequest, article: Article, copy: WorkingCopy) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(article),
            "object": article,
            "copy": copy,
            **_of_the_copy(copy, working.is_readable(copy)),
        }


def _of_the_copy(copy: WorkingCopy, is_readable: bool) -> dict[str, Any]:
    return {"changed": [label(name) for name in working.fields_of(copy)], "is_readable": is_readable}


def _article(object_id: str) -> Article:
    article = with_parts(Article.objects.filter(pk=int(object_id))).first() if is_key(object_id) else None
    if article is None:
        raise Http404
    return article


def _copy(article: Article) -> WorkingCopy | None:
    """Asked for once: Django remembers also that there is none."""
    copy: WorkingCopy | None = getattr(article, "working_copy", None)
    return copy


def _of_the_changes(request: HttpRequest, article: Article, shown: ArticleDocument | None) -> dict[str, Any]:
    """What the form of the changes has and the story's has not: what it began as, and no buttons for the story."""
    base = sealed(open_data(shown), article.pk, editor(request)) if shown else ""
    unknown = unknown_topics(shown.topics) if shown else ()
    return {
        "shows_changes": True,
        "gone_topics": [name for name in shown.topics if topic_key(name) in unknown] if shown else [],
        "changes_base": request.POST.get("changes-base", base),
        "verbs": [],
        "may_schedule": False,
        "show_save": False,
        "show_save_and_continue": False,
        "show_delete": False,
    }


def _panels(live: ArticleDocument, copy: WorkingCopy) -> Any:
    """Field by field what would be another once the changes were live: as it is, and as it is to be."""
    if not working.is_readable(copy):
        return
    base, document = working.base_of(copy), working.document_of(copy)
    for name in working.fields_of(copy):
        values = field_data(live, name), field_data(document, name)
        shown = compared(name, *values)
        sides = [("Live now", shown.before, "del"), ("With the changes", shown.after, "ins")]
        yield label(name), name, sides, field_data(base, name) != values[0]


def _preview(article: Article) -> str:
    """Where the changes are seen as readers would see them."""
    return reverse("admin:articles_article_preview", args=[article.pk], query={"changes": 1})
