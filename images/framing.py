"""How a picture sits in its frame: the colour behind it while it loads, and what stays in view when it is cropped."""

import re

from django.utils.html import format_html
from django.utils.safestring import SafeString

from images.models import RemoteImage

_COLOR = re.compile(r"#[0-9a-f]{6}")
MIDDLE = (50, 50)  # where browsers crop by themselves


def style_attribute(image: RemoteImage) -> SafeString:
    """The `style` of the image's `<img>`, or nothing. Only a colour and whole numbers can become part of it."""
    declarations = []
    if _COLOR.fullmatch(image.color) and not image.has_alpha:  # it would show through for good
        declarations.append(f"background-color:{image.color}")
    if (image.focus_x, image.focus_y) != MIDDLE:
        declarations.append(f"object-position:{int(image.focus_x)}% {int(image.focus_y)}%")
    return format_html(' style="{}"', ";".join(declarations)) if declarations else SafeString("")
