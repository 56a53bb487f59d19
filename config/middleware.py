"""What every answer carries, and what is said to who asks in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import Http404, HttpResponse, JsonResponse
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware
from django.urls import reverse
from django.views.defaults import page_not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.http import HttpRequest
    from django.http.response import HttpResponseBase

# What pages and whatever they frame may never ask a reader for. Full screen and playing are left to videos' frames.
PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        *("accelerometer", "browsing-topics", "camera", "clipboard-read", "compute-pressure", "display-capture"),
        *("gamepad", "geolocation", "gyroscope", "hid", "identity-credentials-get", "idle-detection", "local-fonts"),
        *("magnetometer", "microphone", "midi", "otp-credentials", "payment", "publickey-credentials-create"),
        *("publickey-credentials-get", "screen-wake-lock", "serial", "storage-access", "usb", "window-management"),
        "xr-spatial-tracking",
    )
)
API = "/api/"
READABLE = (API, "/feeds/")  # by scripts on other sites
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "Accept, Cache-Control, Content-Type, If-Modified-Since, If-None-Match, "
    "X-Requested-With",
    "Access-Control-Max-Age": "86400",
    "Allow": "GET, HEAD, OPTIONS",
}


class ContentPolicyMiddleware:
    """Browsers may load what we serve and nothing else: a script that slips in does not run. What is no page is said to
    be for other sites too, and an error is asked for again each time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self.policy = content_policy(settings.MEDIA_URL, settings.EMBED_HOSTS)
        self.shared = (*READABLE, "/share/", settings.STATIC_URL, settings.MEDIA_URL)

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        response["Permissions-Policy"] = PERMISSIONS
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Referrer-Policy", settings.SECURE_REFERRER_POLICY)
        response["Cross-Origin-Resource-Policy"] = (
            "cross-origin" if request.path.startswith(self.shared) else "same-origin"
        )
        if response.status_code >= 400:
            response.headers.setdefault("Cache-Control", "no-cache")
        technical = settings.DEBUG and response.status_code >= 400  # one file, with its own styles and scripts
        if not technical:
            response.headers.setdefault("Content-Security-Policy", self.policy)
        return response


def content_policy(media_url: str, embed_hosts: Iterable[str] = ()) -> str:
    parts = urlsplit(media_url)
    pictures = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    frames = " ".join(f"https://{host}" for host in embed_hosts) or "'none'"
    ours = "".join(f"{kind}-src 'self'; " for kind in ("script", "style", "font", "connect", "manifest"))
    return (
        f"default-src 'none'; {ours}img-src 'self'{pictures}; frame-src {frames}; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


ERRORS = {
    400: "The site could not make sense of this request.",
    404: "There is nothing at this address.",
    405: "Only GET, HEAD and OPTIONS are answered here.",
    500: "Something went wrong on our side.",
}


class SharingMiddleware:
    """Feeds and the JSON API may be read by scripts on any site, errors and "not modified" included: they are the same
    for everybody, so no site learns anything by its reader's cookies. The API's errors are JSON too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path.startswith(READABLE):
            return self.get_response(request)
        if request.method == "OPTIONS":
            request.get_host()  # raises for one that is not ours
            response: HttpResponseBase = HttpResponse(status=204, headers=PREFLIGHT)
        else:
            response = self.get_response(request)
        if request.path.startswith(API) and response.status_code in ERRORS:
            response = _as_json(response)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "ETag"
        return response


def _as_json(error: HttpResponseBase) -> HttpResponseBase:
    if settings.DEBUG and error.status_code == 500:
        return error
    allowed = {"Allow": error["Allow"]} if "Allow" in error else {}
    return JsonResponse({"error": ERRORS[error.status_code]}, status=error.status_code, headers=allowed)


class CompressionMiddleware(GZipMiddleware):
    """Text only: what is streamed are pictures, which gain nothing and would lose their length."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        return response if response.streaming else super().process_response(request, response)


class ConditionalMiddleware(ConditionalGetMiddleware):
    """A page that is about to be kept gets its ETag, and is compared with what was asked, in `config.page_cache`."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if getattr(request, "is_for_keeping", False) and getattr(response, "is_kept", False):
            return response
        return super().process_response(request, response)


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
        missing = page_not_found(request, Http404())
        for name, value in response.headers.items():
            missing.headers.setdefault(name, value)  # a view may have said who may keep it
        return missing
