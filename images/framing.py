"""How a picture sits in its frame: the colour behind it while it loads, and what stays in view when it is cropped.

Both are said by classes of `static/css/frames.css`, since no page may bring styles of its own
(docs/decisions/frames.md): so colours are those of a palette, and the focus moves in steps.
"""

import re

from images.models import RemoteImage
from images.shown import Shown

CHANNEL = "0369cf"  # what there is of red, green and blue in the palette, as in #3c9
FOCUS_STEP = 5  # per cent
_COLOR = re.compile(r"#[0-9a-f]{6}")


def frame_classes(image: RemoteImage | Shown) -> str:
    """The classes of the picture's `<img>`. Nothing of the picture itself becomes part of them but digits."""
    classes = []
    if _COLOR.fullmatch(image.color) and not image.has_alpha:  # it would show through for good
        classes.append(f"tint-{_in_palette(image.color)}")
    for side, focus in (("x", image.focus_x), ("y", image.focus_y)):
        if (nearest := FOCUS_STEP * round(focus / FOCUS_STEP)) != 50:  # where browsers crop by themselves
            classes.append(f"focus-{side}-{nearest}")
    return " ".join(classes)


def _in_palette(color: str) -> str:
    return "".join(CHANNEL[round(int(color[at : at + 2], 16) / 51)] for at in (1, 3, 5))
