"""A cached picture as plain values: what a page needs to show it, and can be compared by."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage

from images.models import Kind, RemoteImage, rendition_name
from images.processing import height_for, universal_extension, widths_for


@dataclass(frozen=True, slots=True)
class Shown:
    content_hash: str
    width: int
    height: int
    has_alpha: bool
    color: str
    focus_x: int
    focus_y: int

    has_picture = True

    def rendition_widths(self) -> list[int]:
        return widths_for(self.width, self.height)

    def rendition_url(self, width: int, kind: Kind) -> str:
        extension = "webp" if kind == "webp" else universal_extension(self.has_alpha)
        return _address(rendition_name(self.content_hash, width, extension), settings.MEDIA_URL)

    def rendition_height(self, width: int) -> int:
        return height_for(width, self.width, self.height)


@lru_cache(maxsize=8_192)
def _address(name: str, media_url: str) -> str:
    """Pages say a logo's, and a picture's own, a few times each."""
    return default_storage.url(name)


COLUMNS = ("content_hash", "width", "height", "has_alpha", "color", "focus_x", "focus_y", "state")


def shown(content_hash: str | None, width: int | None, height: int | None, *others: Any) -> Shown | None:
    """Of a row of COLUMNS; None where there is no picture to show (`RemoteImage.has_picture`)."""
    has_alpha, color, focus_x, focus_y, state = others
    if not content_hash or not width or not height or state == RemoteImage.State.TAKEN_DOWN:
        return None
    return Shown(content_hash, width, height, bool(has_alpha), color, focus_x, focus_y)
