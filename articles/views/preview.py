"""A story that is not public, for whoever was given its secret address."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from articles.models import PreviewLink
from articles.previewing import changes_of, kept_by_nobody, shown_page


@csrf_exempt  # it takes no form: who sends one is told by the method
@kept_by_nobody
@require_safe
def preview(request: HttpRequest, token: str) -> HttpResponse:
    link = PreviewLink.objects.select_related("article").filter(token=token).first()
    if link is None:
        return render(request, "404.html", status=404)
    if link.revoked_at or link.expires_at <= timezone.now():
        return render(request, "articles/preview_over.html", status=410)
    article = link.article
    changes = changes_of(article) if link.shows_changes else None
    if article.is_public and changes is None:
        return redirect(article)
    context = shown_page(article, changes) | {"link": link, "changes": changes, "is_public": article.is_public}
    return render(request, "articles/preview.html", context)
