"""`{% picture %}`: our copy of a picture in every size, or a placeholder. Never the remote address."""

from functools import lru_cache

from django import template
from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from images.framing import frame_classes
from images.models import ImageUse, Kind, RemoteImage
from images.shown import Shown

register = template.Library()

REMEMBERED_PICTURES = 4_096  # about 2 kB each
FALLBACK_WIDTH = 640  # for the few browsers that know no srcset


@register.simple_tag
def picture(
    subject: ImageUse | RemoteImage | Shown | None,
    *,
    alt: str | None = None,
    sizes: str = "100vw",
    lead: bool = False,
    eager: bool = False,
    label: str = "",
    **attributes: str,
) -> SafeString:
    """A `<picture>` of an image or of one of its uses (whose alternative text is then the default for `alt`).

    `class` is added to the outer element. `lead` is for the one picture of a page that is loaded before all others,
    `eager` for others on the first screen; the rest wait until they come near. `label` gives a placeholder its letter.
    """
    css_class = attributes.pop("class", "")
    if attributes:
        raise template.TemplateSyntaxError(f"picture does not know {', '.join(attributes)}.")
    image = subject.image if isinstance(subject, ImageUse) else subject
    text = (subject.alt if isinstance(subject, ImageUse) else "") if alt is None else alt
    if image is None or not image.has_picture:
        return _placeholder(css_class, text, label)
    render = _picture if isinstance(image, Shown) else _picture.__wrapped__  # rows of the database cannot be keys
    html: SafeString = render(image, css_class, text, sizes, _loading(lead, eager), settings.MEDIA_URL)
    return html


@lru_cache(maxsize=REMEMBERED_PICTURES)
def _picture(
    image: RemoteImage | Shown, css_class: str, alt: str, sizes: str, loading: SafeString, media_url: str
) -> SafeString:
    """All that it depends on is in the key."""
    widths = image.rendition_widths()
    fallback = max((width for width in widths if width <= FALLBACK_WIDTH), default=widths[0])
    return format_html(
        '<picture class="{}"><source type="image/webp" srcset="{}" sizes="{}">'
        '<img class="{}" src="{}" srcset="{}" sizes="{}" width="{}" height="{}" alt="{}"{} decoding="async"></picture>',
        _classes("picture", css_class),
        _srcset(image, widths, "webp"),
        sizes,
        frame_classes(image),
        image.rendition_url(fallback, "universal"),
        _srcset(image, widths, "universal"),
        sizes,
        widths[-1],
        image.rendition_height(widths[-1]),
        alt,
        loading,
    )


def _loading(lead: bool, eager: bool) -> SafeString:
    if lead:
        return SafeString(' fetchpriority="high"')
    return SafeString("" if eager else ' loading="lazy"')


def _srcset(image: RemoteImage | Shown, widths: list[int], kind: Kind) -> SafeString:
    return format_html_join(", ", "{} {}w", ((image.rendition_url(width, kind), width) for width in widths))


def _placeholder(css_class: str, alt: str, label: str) -> SafeString:
    meaning = format_html('role="img" aria-label="{}"', alt) if alt else SafeString('aria-hidden="true"')
    return format_html(
        '<span class="{}" {}><span class="placeholder-letter" aria-hidden="true">{}</span></span>',
        _classes("picture placeholder", css_class),
        meaning,
        label.strip()[:1].upper(),
    )


def _classes(own: str, added: str) -> str:
    return f"{own} {added}".strip()
