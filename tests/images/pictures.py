"""Pictures made on the spot, good and bad, and the parts of file formats that are needed to make them."""

import io
import struct
import zlib
from collections.abc import Iterable

from PIL import Image

ORIENTATION = 0x0112
GPS = 0x8825

RED, GREEN, BLUE, YELLOW = (254, 0, 0), (0, 254, 0), (0, 0, 254), (254, 254, 0)
TURNS = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
TURNS |= {7: "TRANSVERSE", 8: "ROTATE_270"}


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_tone(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    """Red with a blue strip along the top, so that one sees which way is up."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0], size[1] // 10))
    return image.convert(mode)


def four_corners(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    """Red and green above blue and yellow: no two of its eight turns look alike."""
    image = Image.new("RGB", size, RED)
    across, down = size[0] // 2, size[1] // 2
    image.paste(GREEN, (across, 0, *size))
    image.paste(BLUE, (0, down, *size))
    image.paste(YELLOW, (across, down, *size))
    return image.convert(mode)


def laid(image: Image.Image, orientation: int) -> Image.Image:
    """The picture as a camera stores it that notes this EXIF orientation."""
    return image.transpose(Image.Transpose[TURNS[orientation]]) if orientation in TURNS else image


def near(color, expected, tolerance=40) -> bool:
    return all(abs(one - other) <= tolerance for one, other in zip(color, expected, strict=False))


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    data.get_ifd(GPS)[1] = "N"
    data[0x010F] = "Camera maker"
    return data


# --- Parts of JPEGs ---------------------------------------------------------------------------------


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(content) + 2) + content


def with_segments(jpeg: bytes, segments: bytes) -> bytes:
    """The JPEG with these right behind its start."""
    return jpeg[:2] + segments + jpeg[2:]


def with_scans_repeated(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    end = jpeg.index(b"\xff\xd9")
    last = jpeg[jpeg.rindex(b"\xff\xda", 0, end) : end]
    return jpeg[:end] + times * last + jpeg[end:]


def with_frame(jpeg: bytes, *, marker: int = 0xC0, bits: int = 8, size: tuple[int, int] | None = None) -> bytes:
    """The baseline JPEG with another word for how it is coded, how deep its colours are, or how large it is."""
    at = jpeg.index(b"\xff\xc0")
    height, width = struct.unpack(">HH", jpeg[at + 5 : at + 9])
    width, height = size or (width, height)
    return jpeg[:at] + struct.pack(">BBHBHH", 0xFF, marker, 17, bits, height, width) + jpeg[at + 9 :]


# --- Parts of PNGs ----------------------------------------------------------------------------------


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(size: tuple[int, int], depth: int, color: int, rows: bytes, before: bytes = b"", *, interlaced=False) -> bytes:
    """A PNG of filtered rows; `before` are chunks that come ahead of the pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, color, 0, 0, int(interlaced))
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + pixels + chunk(b"IEND")


def png_claiming(width: int, height: int) -> bytes:
    return png((width, height), 8, 2, b"\0")


def with_chunks(data: bytes, chunks: bytes) -> bytes:
    """The PNG with these right behind its header."""
    return data[:33] + chunks + data[33:]


def with_text_bomb(data: bytes) -> bytes:
    return with_chunks(data, chunk(b"zTXt", b"comment\0\0" + zlib.compress(b"x" * 70_000_000)))


# --- Other formats ----------------------------------------------------------------------------------


def gif_claiming(width: int, height: int) -> bytes:
    """A GIF of some 40 bytes that says it is enormous."""
    screen = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6)
    return screen + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x4c\x01\0;"


def icon_hiding(picture: bytes) -> bytes:
    """An icon that claims 16 x 16 and holds another picture."""
    entry = struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(picture), 22)
    return struct.pack("<HHH", 0, 1, 1) + entry + picture


def bmp(size: tuple[int, int], bits: int, pixels: bytes, *, compression: int = 0, masks: bytes = b"") -> bytes:
    """A BMP of the usual header; a negative height says that its rows come from the top."""
    at = 14 + 40 + len(masks)
    info = struct.pack("<IiiHHIIiiII", 40, *size, 1, bits, compression, len(pixels), 2835, 2835, 0, 0)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + masks + pixels


def tiff(size: tuple[int, int], parts: Iterable[bytes], tags: dict[int, tuple[int, ...]], next_ifd: int = 0) -> bytes:
    """An uncompressed TIFF of strips, or of tiles if the tags say so."""
    body, offsets, counts = b"", [], []
    for part in parts:
        offsets.append(8 + len(body))
        counts.append(len(part))
        body += part
    places = (324, 325) if 322 in tags else (273, 279)
    tags = {256: (size[0],), 257: (size[1],), 259: (1,)} | tags
    tags |= {places[0]: tuple(offsets), places[1]: tuple(counts)}
    return _ifd(body, tags, next_ifd)


def _ifd(body: bytes, tags: dict[int, tuple[int, ...]], next_ifd: int) -> bytes:
    entries, aside = b"", b""
    start = 8 + len(body)
    after = start + 2 + 12 * len(tags) + 4
    for tag, values in sorted(tags.items()):
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(packed) > 4:
            packed, aside = struct.pack("<I", after + len(aside)), aside + packed
        entries += struct.pack("<HHI", tag, 4, len(values)) + packed
    directory = struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_ifd or 0)
    return b"II*\0" + struct.pack("<I", start) + body + directory + aside


def riff(webp_chunks: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 4 + len(webp_chunks)) + b"WEBP" + webp_chunks
