"""For load balancers."""

from __future__ import annotations

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from images.queue import standstill
from images.tasks import STILL_AFTER


@csrf_exempt
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """For load balancers: whether this process can ask the database. And for people: a second line when the background
    work stands still, which is no reason to send readers elsewhere."""
    try:
        still = standstill(STILL_AFTER)
    except DatabaseError:
        return HttpResponse("database unavailable\n", content_type="text/plain", status=503)
    lines = ["ok", *([f"queue stands still: {still}"] if still else [])]
    return HttpResponse("".join(f"{line}\n" for line in lines), content_type="text/plain")
