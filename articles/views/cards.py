"""Pictures to share: see `articles.sharing`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from articles import public, sharing

if TYPE_CHECKING:
    from articles.sharing import Record

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",  # the name tells the content
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",  # the style is of browsers' own viewers
}


@csrf_exempt
@require_safe
def card(request: HttpRequest, kind: str, pk: int, digest: str) -> HttpResponse:
    """Of what is public as it is now. Not kept with the pages: it is drawn once, and asked for once by each site."""
    records: dict[str, QuerySet[Any]] = {
        "article": public.stories().select_related("provider").only("title", "type", "provider__name"),
        "topic": public.topics_with_pages(),
        "provider": public.providers(),
    }
    return _answer(request, get_object_or_404(records[kind], pk=pk), digest)


@csrf_exempt
@require_safe
def site_card(request: HttpRequest, digest: str) -> HttpResponse:
    return _answer(request, None, digest)


def _answer(request: HttpRequest, record: Record | None, digest: str) -> HttpResponse:
    card = sharing.card_for(record)
    if card.digest != digest:
        return _elsewhere(request, sharing.address_of(record))
    return HttpResponse(sharing.png_of(card), content_type="image/png", headers=HEADERS)


@never_cache
def _elsewhere(request: HttpRequest, address: str) -> HttpResponse:
    """Its words have changed, and will again."""
    return HttpResponseRedirect(address)
