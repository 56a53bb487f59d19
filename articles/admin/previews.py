"""Previews of stories in the admin, and the links by which outsiders see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path, reverse
from django.views.decorators.http import require_POST, require_safe

from articles import previewing
from articles.admin.badges import state_badge
from articles.admin.events import editor
from articles.models import Article
from images.newsroom import is_key

if TYPE_CHECKING:
    from django.urls import URLPattern


def urls(site: admin.AdminSite) -> list[URLPattern]:
    here, name = "articles/article/<str:key>/preview/", "articles_article_preview"
    return [
        path(here, site.admin_view(preview), name=name),
        path(f"{here}links/", site.admin_view(make_link), name=f"{name}_link"),
        path(f"{here}links/revoke/", site.admin_view(revoke_links), name=f"{name}_revoke"),
    ]


@previewing.kept_by_nobody
@require_safe
def preview(request: HttpRequest, key: str) -> HttpResponse:
    """The story in any state, as readers would see it; with `?changes=1` as the changes that wait would make it."""
    article = _story(request, key)
    copy = previewing.changes_of(article)
    shows_changes = bool(copy) and request.GET.get("changes") == "1"
    context = previewing.shown_page(article, copy if shows_changes else None)
    bar = {"article": article, "badge": state_badge(article), "copy": copy, "changes": shows_changes}
    return render(request, "articles/preview.html", context | bar)


@require_POST
def make_link(request: HttpRequest, key: str) -> HttpResponse:
    article, hours = _story(request, key), request.POST.get("hours", "")
    if not is_key(hours) or int(hours) not in previewing.LASTING:
        messages.error(request, "Say for how long the link is to work: choose one of the times.")
        return _back_to(article)
    shows_changes = "changes" in request.POST
    try:
        previewing.make_link(article, by=editor(request), hours=int(hours), shows_changes=shows_changes)
    except previewing.TooManyLinksError as error:
        messages.error(request, str(error))
    else:
        lasting = previewing.LASTING[int(hours)]
        messages.success(request, f"The link is made: whoever has it sees this story for {lasting}.")
    return _back_to(article)


@require_POST
def revoke_links(request: HttpRequest, key: str) -> HttpResponse:
    """The link whose key is sent, or all."""
    article, link = _story(request, key), request.POST.get("link", "")
    if link != "all" and not is_key(link):
        raise Http404("No such link.")
    count = previewing.revoke_links(article, None if link == "all" else [int(link)], by=editor(request))
    told = {0: "No link was left to revoke.", 1: "The link is revoked."}.get(count, f"{count} links are revoked.")
    messages.success(request, told)
    return _back_to(article)


def _story(request: HttpRequest, key: str) -> Article:
    """For one who may see it in the admin."""
    stories = admin.site.get_model_admin(Article)
    if not stories.has_view_permission(request):
        raise PermissionDenied
    article = Article.objects.filter(pk=key).first() if is_key(key) else None
    if article is None:
        raise Http404("No such story.")
    if not stories.has_view_permission(request, article):
        raise PermissionDenied
    return article


def _back_to(article: Article) -> HttpResponse:
    return HttpResponseRedirect(reverse("admin:articles_article_change", args=[article.pk]) + "#previews")
