"""What is not there, in the words of who asks: a page for people, JSON for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpResponse, JsonResponse
from django.views.defaults import page_not_found

if TYPE_CHECKING:
    from django.http import HttpRequest


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.path.startswith("/api/"):
        return JsonResponse({"error": "There is nothing at this address."}, status=404)
    return page_not_found(request, exception)
