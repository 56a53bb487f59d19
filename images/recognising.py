"""What a file is that is no picture we show, told by its first bytes, so that an editor learns why. Pure."""

from __future__ import annotations

import re
import zlib

_HEAD = 1024
_GZIP = b"\x1f\x8b\x08"

# What may stand before the first element of a page or drawing; possessive, or hostile comments would take for ever.
_PROLOGUE = rb"(?:\xef\xbb\xbf|\s+|<\?.*?\?>|<!--.*?-->)*+"
_PAGE = rb"<(?:!doctype\s+html|(?:html|head|body|title|meta|link|script|style|div|h1|p|table|iframe)\b)"

_OURS = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8[79]a|RIFF.{4}WEBP|.{4}ftyp(?:avi[fs]|m[is]f1.{0,40}avif)"
    rb"|BM.{12}[\x0c-\x7c]\0\0\0|II[*+]\0|MM\0[*+]|\0\0\x01\0",
    re.DOTALL,
)

# The order matters: pages and drawings are XML too, and all of these are text; most boxes of ISO files are films.
_OTHERS = (
    (_PROLOGUE + _PAGE, "The address leads to a web page, not to a picture."),
    (_PROLOGUE + rb"<(?:!doctype\s+svg|(?:\w+:)?svg\b)", "This is an SVG drawing, which is not shown."),
    (rb"\s*%PDF-", "This is a PDF document, which is not shown."),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "This is a PostScript drawing, which is not shown."),
    (rb".{4}ftyp(?:he[iv][cxms]|m[is]f1)", "This is an HEIC picture, which is not shown."),
    (rb".{4}ftypcrx", "This is a camera's raw picture, which is not shown."),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "This is a JPEG XL picture, which is not shown."),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", "This is a JPEG 2000 picture, which is not shown."),
    (rb"8BPS", "This is a Photoshop document, which is not shown."),
    (rb"P[1-7FfX]\s", "This is a Netpbm picture, which is not shown."),
    (rb"\x0a[\0\x02-\x05][\0\x01][\x01\x02\x04\x08].{4}", "This is a PCX picture, which is not shown."),
    (rb".\0[\x02\x03\x0a\x0b]\0{9}.{4}[\x08\x10\x18\x20]", "This is a TGA picture, which is not shown."),
    (rb"\0\0\x02\0[^\0]\0", "This is a mouse pointer, which is not shown."),
    (rb"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF", "This is a Windows metafile, which is not shown."),
    (rb"ID3|RIFF.{4}WAVE|.{4}ftypM4A|fLaC", "This is a sound recording, which is not shown."),
    (
        rb".{4}(?:ftyp|moov|mdat|wide|free|skip)|\x1a\x45\xdf\xa3|RIFF.{4}AVI |OggS|FLV\x01|\0\0\x01[\xb3\xba]",
        "This is a film, which is not shown.",
    ),
    (rb"PK(?:\x03\x04|\x05\x06)", "This is a ZIP archive or an office document, which is not shown."),
    (_GZIP, "This is a compressed file, which is not shown."),
    (_PROLOGUE + rb"<[\w!]|\s*<\?xml", "This is XML, which is not shown."),
    (rb"\s*(?:\{\s*[\"}]|\[\s*[\[\]{\"\d-])", "This is JSON, which is not shown."),
    (rb"(?:[\t\n\f\r -~]|[\xc2-\xf4][\x80-\xbf]{1,3})++[\xc2-\xf4]?\Z", "This is plain text, which is not shown."),
)
_NAMED = tuple((re.compile(pattern, re.DOTALL | re.IGNORECASE), detail) for pattern, detail in _OTHERS)


def looks_like_ours(data: bytes) -> bool:
    """Whether a file begins as one of a format that is shown."""
    return bool(_OURS.match(data))


def name_of_other(data: bytes) -> str:
    """What this is, in a sentence for an editor; empty when it cannot be told."""
    head = _unpacked(data[:_HEAD])
    return next((detail for pattern, detail in _NAMED if pattern.match(head)), "")


def _unpacked(head: bytes) -> bytes:
    """Of a file packed with gzip, what it holds if that is markup: servers keep drawings so, and say so too late."""
    if not head.startswith(_GZIP):
        return head
    try:
        inner = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(head, _HEAD)
    except zlib.error:
        return head
    return inner if inner.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<") else head
