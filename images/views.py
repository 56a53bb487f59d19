"""Pictures for readers, when no other server hands them out."""

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseNotFound, HttpResponseNotModified
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from images.models import rendition_name

CONTENT_TYPES = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}
FOREVER = "public, max-age=31536000, immutable"  # the name tells the content
POLICY = "default-src 'none'; style-src 'unsafe-inline'"  # the style is of browsers' own viewers
HEADERS = {"Cache-Control": FOREVER, "Content-Security-Policy": POLICY, "X-Content-Type-Options": "nosniff"}


@require_safe
def rendition(request: HttpRequest, prefix: str, content_hash: str, width: str, extension: str) -> HttpResponseBase:
    """A rendition from the storage, or from the server in front. That one is missing is not to be remembered."""
    tag = f'"{content_hash}-{width}.{extension}"'
    headers = HEADERS | {"ETag": tag, "Content-Type": CONTENT_TYPES[extension]}
    try:
        return _answer(request, rendition_name(content_hash, int(width), extension), headers)
    except FileNotFoundError:
        return HttpResponseNotFound("There is no such picture.\n", "text/plain", headers={"Cache-Control": "no-store"})


def _answer(request: HttpRequest, name: str, headers: dict[str, str]) -> HttpResponseBase:
    without_picture = get_conditional_response(request, headers["ETag"])  # who asks has it, or wants another
    if without_picture is None and request.method == "GET" and not _accelerated():
        return FileResponse(default_storage.open(name), headers=headers)
    length = default_storage.size(name)  # raises if there is none: what was taken down is not "unchanged"
    if without_picture is not None:
        return HttpResponseNotModified(headers=headers) if without_picture.status_code == 304 else without_picture
    if _accelerated():
        return HttpResponse(headers=headers | {"X-Accel-Redirect": f"{settings.MEDIA_ACCEL.rstrip('/')}/{name}"})
    return HttpResponse(headers=headers | {"Content-Length": str(length)})


def _accelerated() -> bool:
    return bool(settings.MEDIA_ACCEL) and isinstance(default_storage, FileSystemStorage)
