"""A story's history: what happened to it, two of its versions side by side, and an old one brought back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import DataError, IntegrityError
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.html import format_html
from django.views.decorators.http import require_POST

from articles import restoring, revisions
from articles.admin.events import editor, fields_told, label, left_out, moment
from articles.admin.sides import Compared, compared
from articles.admin.timeline import Timeline, moments
from articles.documents import ArticleDocument, DocumentError, field_data
from articles.editing import StaleError
from articles.importing.batches import UnstorableError
from articles.merging import changed_fields
from articles.models import Article, Revision
from articles.records import article_document, with_parts
from images.newsroom import is_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpRequest
    from django.urls import URLPattern

ALL = "*"  # what the button for all fields names
LIVE = "live"  # the story as it stands, in an address
PER_PAGE = 50
REFUSED = "The database refuses these values. Nothing was changed."
UNREADABLE = "What was kept of version {} cannot be read any more: {}."
LABELS = {"published": "public"}


@dataclass(frozen=True)
class Side:
    """A version of the story, as the page that compares says it. `revision`: if it was kept under its own number."""

    version: int
    document: ArticleDocument
    revision: Revision | None
    is_live: bool

    @property
    def name(self) -> str:
        return f"Version {self.version}{', as it is now' if self.is_live else ''}"


@dataclass(frozen=True)
class Panel:
    """A field in which two versions differ."""

    name: str
    label: str
    shown: Compared

    @property
    def may_return(self) -> bool:
        return self.name in restoring.FIELDS


class WithHistory:
    """What the admin of stories has more, of these pages."""

    admin_site: Any
    opts: Any
    get_object: Any
    has_view_permission: Any
    has_change_permission: Any
    message_user: Any

    def get_urls(self) -> list[URLPattern]:
        views = {"compare": self.compare_view, "restore": require_POST(self.restore_view)}
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"articles_article_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        story = self._story(request, object_id)
        everything = moments(story)
        page = Paginator(everything, PER_PAGE).get_page(request.GET.get("p"))
        timeline = Timeline(request, story, list(page), everything)
        entries = timeline.entries()
        context = {
            "title": str(story),
            "subtitle": "History",
            "page": page,
            "pages": page.paginator.get_elided_page_range(page.number, on_each_side=1, on_ends=1),
            "entries": entries,
            "chosen": [entry.version for entry in entries if entry.version][:2],
            "may_restore": self.has_change_permission(request, story),
            "next": request.get_full_path(),
        }
        return self._page(request, story, "object_history", context | (extra_context or {}))

    # --- Comparing -------------------------------------------------------------------------------

    def compare_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Of the versions `from` and `to`, else of the last two, the older one comes first."""
        story = self._story(request, pk)
        last = _version(story, request.GET.get("to", LIVE))
        first = _version(story, request.GET.get("from", max(1, last - 1)))
        try:
            before, after = (_side(story, version) for version in sorted((first, last)))
        except DocumentError as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(_address("history", story))
        panels = _panels(before.document, after.document)
        is_live = after.is_live and not before.is_live
        context = {
            "title": str(story),
            "subtitle": f"Versions {before.version} and {after.version}",
            "sides": [before, after],
            "before": before,
            "after": after,
            "panels": panels,
            "is_live": is_live,
            "may_restore": is_live and self.has_change_permission(request, story),
            "is_whole": any(panel.name in restoring.WHOLE for panel in panels),
            "is_public": story.is_public,
            "older": before.version - 1,
            "newer": 0 if after.is_live else after.version + 1,
            "live": LIVE,
            "all": ALL,
        }
        return self._page(request, story, "compare", context)

    # --- Restoring -------------------------------------------------------------------------------

    def restore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Bring back a field, or all, of the version `revision` into the story, of which the editor saw `version`."""
        story = self._story(request, pk)
        wanted = request.POST.get("fields", "")
        names = restoring.WHOLE if wanted == ALL else (wanted,)
        seen = request.POST.get("version", "")
        if not set(names).issubset(restoring.FIELDS) or not is_key(seen):
            raise Http404
        version = _version(story, request.POST.get("revision", ""))
        try:
            restored = restoring.restore(story.pk, version, names, by=editor(request), seen=int(seen))
        except StaleError as stale:
            self.message_user(request, _stale(stale.article, int(seen)), messages.ERROR)
        except DocumentError as error:
            self.message_user(request, UNREADABLE.format(version, error), messages.ERROR)
        except UnstorableError as error:
            self.message_user(request, f"{error}. Nothing was changed.", messages.ERROR)
        except (IntegrityError, DataError):
            self.message_user(request, REFUSED, messages.ERROR)
        except (Revision.DoesNotExist, Article.DoesNotExist):
            raise Http404 from None
        else:
            self._tell(request, version, restored)
            return HttpResponseRedirect(_address("history", story))
        return HttpResponseRedirect(_address("compare", story, {"from": version, "to": LIVE}))

    def _tell(self, request: HttpRequest, version: int, restored: restoring.Restored) -> None:
        if restored.withheld:
            self.message_user(request, f"{left_out(restored.withheld)}.", messages.WARNING)
        edited = restored.edited
        if not edited.event:
            self.message_user(request, "It says that already. Nothing was changed.", messages.INFO)
            return
        told = format_html(
            'Restored from version {}: {}.{} <a href="#undo">Undo</a>',
            version,
            fields_told(edited.names),
            " Readers see it now." if edited.article.is_public else "",
        )
        self.message_user(request, told, messages.SUCCESS)

    # --- Both ------------------------------------------------------------------------------------

    def _story(self, request: HttpRequest, key: object) -> Article:
        story = None
        if is_key(key):
            stories = Article.objects.select_related("source_file", "created_by")
            story = stories.defer("source_file__text", "body", "secured").filter(pk=int(str(key))).first()
        if not self.has_view_permission(request, story):
            raise PermissionDenied
        if story is None:
            raise Http404
        return story

    def _page(self, request: HttpRequest, story: Article, name: str, context: dict[str, Any]) -> HttpResponse:
        common = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "object": story,
            "source": getattr(story, "source_file", None),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, f"admin/articles/article/{name}.html", common | context)


def _address(page: str, story: Article, query: dict[str, Any] | None = None) -> str:
    return reverse(f"admin:articles_article_{page}", args=[story.pk], query=query)


def _version(story: Article, asked: object) -> int:
    """One that the story has, or had."""
    if asked == LIVE:
        return story.version
    if not is_key(asked) or not 1 <= int(str(asked)) <= story.version:
        raise Http404
    return int(str(asked))


def _side(story: Article, version: int) -> Side:
    """Raises DocumentError."""
    kept = Revision.objects.filter(article=story, version=version).select_related("author").first()
    is_live = version == story.version
    document = None if is_live else _as_of(story, version)
    if document is None:  # nothing was kept since, so it is as it was
        document = article_document(with_parts(Article.objects.filter(pk=story.pk)).get())
    return Side(version, replace(document, secured=""), kept, is_live)


def _as_of(story: Article, version: int) -> ArticleDocument | None:
    try:
        return revisions.as_of(story.pk, version)
    except DocumentError as error:
        raise DocumentError(UNREADABLE.format(version, error)) from error


def _panels(before: ArticleDocument, after: ArticleDocument) -> Sequence[Panel]:
    return [
        Panel(
            name,
            LABELS.get(name) or label(name),
            compared(name, _value(before, name), _value(after, name)),
        )
        for name in changed_fields(before, after)
    ]


def _value(document: ArticleDocument, name: str) -> Any:
    value = field_data(document, name)
    return value if name != "published" else "Yes" if value else "No"


def _stale(article: Article, seen: int) -> str:
    """Who changed the story since, and in what."""
    last = article.events.select_related("actor").first()
    who = str(last.actor or "An import") if last else "Somebody"
    told = f"{who} changed this story on {moment(article.modified_at)}, after you opened this page"
    try:
        before = revisions.as_of(article.pk, seen)
    except DocumentError:
        before = None
    now = replace(article_document(article), secured="")
    names = fields_told(changed_fields(before, now)) if before else ""
    return f"{told}{f': {names}' if names else ''}. Nothing was restored; this is how it is now."
