"""What every answer carries, and what a missing page looks like."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404
from django.middleware.gzip import GZipMiddleware
from django.urls import reverse
from django.views.defaults import page_not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

PERMISSIONS = "camera=(), geolocation=(), microphone=()"


class ContentPolicyMiddleware:
    """Browsers may load what we serve and nothing else: a script that slips in does not run."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = content_policy(settings.MEDIA_URL, settings.EMBED_HOSTS)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS
        technical = settings.DEBUG and response.status_code >= 400  # one file, with its own styles and scripts
        if not technical:
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


def content_policy(media_url: str, embed_hosts: Iterable[str] = ()) -> str:
    parts = urlsplit(media_url)
    pictures = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    frames = " ".join(f"https://{host}" for host in embed_hosts) or "'none'"
    return (
        f"default-src 'self'; img-src 'self' data:{pictures}; frame-src {frames}; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


class CompressionMiddleware(GZipMiddleware):
    """Text only: what is streamed are pictures, which gain nothing and would lose their length."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if response.streaming else super().process_response(request, response)


class MissingPageMiddleware:
    """With DEBUG on, readers' addresses that do not exist still look as they do without it; the log names them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if not settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != 404 or request.path.startswith(reverse("admin:index")):
            return response
        return page_not_found(request, Http404())
