"""Whether an alternative text says what a picture shows, or was only left by a camera, a stock library or an upload."""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

MISSING = "No alternative text."
LONGEST_QUOTE = 40  # characters

_EXTENSION = re.compile(r"\.(avif|bmp|gif|heic|ico|jfif|jpe?g|png|svg|tiff?|webp)$", re.IGNORECASE)
_NUMBERED = re.compile(  # by a camera, a telephone or a stock library
    r"(img|dsc[fn]?|dcim|pict|pxl|mvimg|gopr|screen ?shot|whatsapp image|shutterstock|istock(photo)?|gettyimages"
    r"|adobe ?stock|depositphotos|dreamstime|pexels|unsplash|alamy)[\s_-]*\d.*",
    re.IGNORECASE,
)
_IN_PIECES = re.compile(  # one word that nobody would write: photo-final2, team_photo, three-words-or-more, 3f2a…
    r"(image|img|photo|pic|picture)[_-]\S*\d\S*|\S*_\S*|[a-z0-9]+(-[a-z0-9]+){2,}|\S*\d+x\d+\S*|[\da-f-]{16,}|p?\d+",
    re.IGNORECASE,
)
_SAYS_NOTHING = re.compile(
    r"(an? |the )?(featured |lead |stock )?(image|img|photo|photograph|pic|picture|thumbnail|untitled)\W*\d*\W*",
    re.IGNORECASE,
)


def alt_warning(alt: str, address: str = "") -> str:
    """Why the text would tell nothing to who cannot see the picture at this address; "" when it may."""
    text = alt.strip()
    if not text:
        return MISSING
    if _is_file_name(text, address):
        return f"“{_short(text)}” is the name of a file, not what the picture shows."
    if _SAYS_NOTHING.fullmatch(text):
        return f"“{_short(text)}” does not say what the picture shows."
    return ""


def _is_file_name(text: str, address: str) -> bool:
    return bool(
        _EXTENSION.search(text)
        or _NUMBERED.fullmatch(text)
        or _IN_PIECES.fullmatch(text)
        or text.casefold() in _names_in(address)
    )


def _names_in(address: str) -> set[str]:
    """The last part of the address, with and without its extension, unless it reads like a sentence."""
    try:
        name = PurePosixPath(unquote(urlsplit(address).path)).name
    except ValueError:  # a bracket that is never closed
        return set()
    return {part.casefold() for part in (name, _EXTENSION.sub("", name)) if " " not in part}


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_QUOTE else f"{text[: LONGEST_QUOTE - 1]}…"
