from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest
from django.views.decorators.http import require_safe

from images.models import rendition_name

CONTENT_TYPES = {"webp": "image/webp", "jpg": "image/jpeg", "png": "image/png"}


@require_safe
def rendition(request: HttpRequest, prefix: str, content_hash: str, width: str, extension: str) -> FileResponse:
    """A rendition from the storage. The name tells the content, so it may be kept for ever."""
    name = rendition_name(content_hash, int(width), extension)
    try:
        file = default_storage.open(name)
    except FileNotFoundError as error:
        raise Http404("There is no such picture.") from error
    response = FileResponse(file, content_type=CONTENT_TYPES[extension])
    response["Cache-Control"] = "public, max-age=31536000, immutable"
    return response
