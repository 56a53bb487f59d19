"""Pictures made on the spot, good and bad."""

import io
import struct
import zlib

from PIL import Image

ORIENTATION = 0x0112
GPS = 0x8825


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def two_tone(size: tuple[int, int] = (400, 300), mode: str = "RGB") -> Image.Image:
    """Red with a blue strip along the top, so that one sees which way is up."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (0, 0, size[0], size[1] // 10))
    return image.convert(mode)


def exif(orientation: int = 1) -> Image.Exif:
    data = Image.Exif()
    data[ORIENTATION] = orientation
    data.get_ifd(GPS)[1] = "N"
    data[0x010F] = "Camera maker"
    return data


def gif_claiming(width: int, height: int) -> bytes:
    """A GIF of some 40 bytes that says it is enormous."""
    screen = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0" + bytes(6)
    return screen + b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x4c\x01\0;"


def png_claiming(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0")) + _chunk(b"IEND")


def icon_hiding(png: bytes) -> bytes:
    """An icon that claims 16 x 16 and holds another picture."""
    return struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(png), 22) + png


def with_text_bomb(png: bytes) -> bytes:
    text = _chunk(b"zTXt", b"comment\0\0" + zlib.compress(b"x" * 70_000_000))
    return png[:33] + text + png[33:]


def with_scans_repeated(jpeg: bytes, times: int) -> bytes:
    """A progressive JPEG whose last scan comes again and again."""
    end = jpeg.index(b"\xff\xd9")
    last = jpeg[jpeg.rindex(b"\xff\xda", 0, end) : end]
    return jpeg[:end] + times * last + jpeg[end:]


def _chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
