"""Who has a story's form open: an editor's page says so every few seconds, and hears who else is there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, OperationalError, connection, transaction
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.urls import path, reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from articles.admin.comparing import when
from articles.admin.events import editor
from articles.admin.history import LIVE
from articles.models import Article, Presence
from images.newsroom import NewsroomAdmin, is_key

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

PRESENT_FOR = timedelta(seconds=45)  # after the last word: three times what a page waits between two
OPENED_WITHIN = timedelta(minutes=2)  # shown with the page itself: whoever has no script says nothing after opening it
KEPT_FOR = timedelta(days=1)
WAITS = 200  # milliseconds


def present(keys: Iterable[int], but: User | None = None, within: timedelta = PRESENT_FOR) -> dict[int, list[str]]:
    """The names of those who are editing each of these stories, in one query. A story with nobody is left out."""
    names: dict[int, list[str]] = defaultdict(list)
    there = Presence.objects.filter(article__in=list(keys), seen_at__gt=timezone.now() - within).exclude(user=but)
    for presence in there.select_related("user").order_by("user__username"):
        names[presence.article_id].append(_name(presence.user))
    return dict(names)


def others(article: int, user: User, within: timedelta = PRESENT_FOR) -> list[str]:
    return present([article], user, within).get(article, [])


def mark(article: int, user: User, *, tidying: bool = False) -> None:
    """The user has the story's form open. A courtesy: a database that is busy need not say so, nor of a story that was
    deleted just now. `tidying`: rows that say nothing any more go."""
    now = timezone.now()
    with suppress(OperationalError, IntegrityError), _hardly_waiting():
        Presence.objects.bulk_create(
            [Presence(article_id=article, user_id=user.pk, seen_at=now)],
            update_conflicts=True,
            unique_fields=["article", "user"],
            update_fields=["seen_at"],
        )
        if tidying:
            Presence.objects.filter(seen_at__lt=now - KEPT_FOR).delete()


def leave(article: int, user: User) -> None:
    with suppress(OperationalError), _hardly_waiting():
        Presence.objects.filter(article=article, user=user).delete()


@contextmanager
def _hardly_waiting() -> Iterator[None]:
    """A transaction that gives up where another is in its way, with OperationalError: an import may hold its locks for
    minutes."""
    if connection.vendor == "postgresql":
        goes_on = connection.in_atomic_block
        with transaction.atomic():
            connection.connection.execute(f"SET LOCAL lock_timeout = {WAITS}")
            yield
            if goes_on:  # else it is for the commit too, which looks whether the story is there
                connection.connection.execute("SET LOCAL lock_timeout = DEFAULT")
        return
    connection.ensure_connection()
    sqlite = connection.connection
    [before] = sqlite.execute("PRAGMA busy_timeout").fetchone()
    sqlite.execute(f"PRAGMA busy_timeout = {WAITS}")
    try:
        with transaction.atomic():
            yield
    finally:
        sqlite.execute(f"PRAGMA busy_timeout = {before}")


def _name(user: User) -> str:
    return user.get_short_name() or user.get_username()


class TellsWhoIsThere(NewsroomAdmin):
    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_http_methods(["GET", "POST"])(self.presence_view))
        return [path("<path:object_id>/presence/", view, name="articles_article_presence"), *super().get_urls()]

    def presence_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """I am here, or `gone`. Who else is, and whether the story is another than the `version` that my page shows.
        With GET, what the page's forms have to send since somebody logged in again."""
        columns = ("status", "version", "created_by", "modified_at")
        article = Article.objects.filter(pk=int(object_id)).only(*columns).first() if is_key(object_id) else None
        if article is None:
            raise Http404
        if not self.has_change_permission(request, article):
            raise PermissionDenied
        if request.method == "GET":
            return JsonResponse({"token": get_token(request)})
        if "gone" in request.POST:
            leave(article.pk, editor(request))
            return HttpResponse(status=204)
        mark(article.pk, editor(request))
        moved = str(article.version) != request.POST.get("version", "").strip()
        told = {"others": others(article.pk, editor(request)), "version": article.version, "moved": moved}
        return JsonResponse(told | (_last_save(article, editor(request)) if moved else {}))

    def render_change_form(
        self,
        request: HttpRequest,
        context: Any,
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Article | None = None,
    ) -> HttpResponse:
        if obj and self.has_change_permission(request, obj):
            mark(obj.pk, editor(request), tidying=request.method == "GET")
            context["presence"] = {
                "url": reverse("admin:articles_article_presence", args=[obj.pk]),
                "others": others(obj.pk, editor(request), OPENED_WITHIN),
                "version": request.POST.get("version", obj.version),
                "compare": compare_address(obj, request.POST.get("version", obj.version)),
            }
        return super().render_change_form(request, context, add, change, form_url, obj)


def _last_save(article: Article, user: User) -> dict[str, str]:
    """By whom and when the story was last changed: `by` is empty for the user's own other window."""
    last = article.events.select_related("actor").first()
    if last is None:
        return {"by": "Somebody", "at": when(article.modified_at)}
    if last.actor is None:
        return {"by": "An import", "at": when(last.at)}
    return {"by": "" if last.actor == user else _name(last.actor), "at": when(last.at)}


def compare_address(article: Article, version: object) -> str:
    """Where the version that a page shows is compared with the story as it is now."""
    since = {"from": version, "to": LIVE} if is_key(version) else {}
    return reverse("admin:articles_article_compare", args=[article.pk], query=since)
