"""Pictures to share: see `articles.sharing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from articles import public, sharing
from images.views import FOREVER, POLICY

if TYPE_CHECKING:
    from articles.sharing import Record


@public.kept
def card(request: HttpRequest, kind: str, pk: int, digest: str) -> HttpResponse:
    """Of what is public as it is now, and no longer than its page. Not stored with the pages: it is drawn once, and
    asked for once by each site."""
    records: dict[str, QuerySet[Any]] = {
        "article": public.stories().select_related("provider").only("title", "type", "provider__name"),
        "topic": public.topics_with_pages(),
        "provider": public.providers(),
    }
    response = _answer(get_object_or_404(records[kind], pk=pk), digest)
    response.is_stored = False  # type: ignore[attr-defined]
    return response


@csrf_exempt
@require_safe
def site_card(request: HttpRequest, digest: str) -> HttpResponse:
    """Nobody withdraws the site."""
    response = _answer(None, digest)
    if response.status_code == 200:
        response["Cache-Control"] = FOREVER
    return response


def _answer(record: Record | None, digest: str) -> HttpResponse:
    """The picture, or where it is now: its words have changed, and will again."""
    card = sharing.card_for(record)
    if card.digest != digest:
        return HttpResponseRedirect(sharing.address_of(record), headers={"Cache-Control": "private, no-cache"})
    png = sharing.png_of(card)
    return HttpResponse(png, content_type="image/png", headers={"Content-Security-Policy": POLICY})
