"""The small picture beside a row of an admin list."""

from django.utils.html import format_html
from django.utils.safestring import SafeString

from images.framing import frame_classes
from images.models import RemoteImage

NOTHING = SafeString('<span class="thumbnail placeholder" aria-hidden="true"></span>')


def thumbnail(image: RemoteImage | None, at_least: int = 160) -> SafeString:
    """The smallest rendition of a width in pixels, or an empty frame. Style sheets size it (`.thumbnail`)."""
    widths = image.rendition_widths() if image else []
    if not image or not widths:
        return NOTHING
    width = next((width for width in widths if width >= at_least), widths[-1])
    return format_html(
        '<img class="{}" src="{}" width="{}" height="{}" alt="" loading="lazy" decoding="async">',
        f"thumbnail {frame_classes(image)}".strip(),
        image.rendition_url(width, "webp"),
        width,
        image.rendition_height(width),
    )
