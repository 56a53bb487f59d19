"""Odd and hostile files, all made on the spot: how each comes about, and what is to become of it."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from PIL import Image, ImageCms

from tests.images.pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    bmp,
    chunk,
    encoded,
    exif,
    four_corners,
    gif_claiming,
    icon_hiding,
    laid,
    png,
    png_claiming,
    riff,
    segment,
    tiff,
    with_chunks,
    with_frame,
    with_scans_repeated,
    with_segments,
    with_text_bomb,
)

SIZE = (400, 300)
CORNERS = {(0.25, 0.25): RED, (0.75, 0.25): GREEN, (0.25, 0.75): BLUE, (0.75, 0.75): YELLOW}
MIDDLE = (0.5, 0.5)
WHITE, BLACK, GREY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
SEE_THROUGH = (0, 0, 0, 0)


@dataclass(frozen=True)
class Shown:
    """The size after the turn, and the colours at some places, given as parts of width and height.

    Colours that are partly see-through are given times their opacity.
    """

    size: tuple[int, int] = SIZE
    colors: dict[tuple[float, float], tuple[int, ...]] = field(default_factory=lambda: CORNERS)


Expected = Shown | str  # or the code of the refusal
AS_DRAWN = Shown()
OddFile = tuple[Callable[[], bytes], Expected]


def picture(kind: str, mode: str = "RGB", **options) -> bytes:
    return encoded(four_corners(mode=mode), kind, **options)


def flat(color: int | tuple[int, ...], mode: str, kind: str, size: tuple[int, int] = SIZE, **options) -> bytes:
    return encoded(Image.new(mode, size, color), kind, **options)


def halved(kind: str, **options) -> bytes:
    """Yellow above, see-through below."""
    image = Image.new("RGBA", SIZE, (*YELLOW, 255))
    image.paste(SEE_THROUGH, (0, SIZE[1] // 2, *SIZE))
    return encoded(image, kind, **options)


HALVED = Shown(colors={(0.5, 0.25): (*YELLOW, 255), (0.5, 0.75): SEE_THROUGH})


def grainy(size: tuple[int, int] = SIZE) -> Image.Image:
    """Noise: its coded data is long enough to be cut anywhere."""
    return Image.frombytes("RGB", size, random.Random(2026).randbytes(3 * size[0] * size[1]))


def cut(data: bytes, part: float) -> bytes:
    return data[: int(len(data) * part)]


def profile(kind: str = "sRGB", name: str = "") -> bytes:
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile(kind)).tobytes()
    return data.replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be")) if name else data


def swapping_profile() -> bytes:
    """In which what is called red is blue."""
    data = profile(name="Swap")
    return data.replace(b"rXYZ", b"tmp ").replace(b"bXYZ", b"rXYZ").replace(b"tmp ", b"bXYZ")


# --- JPEG -------------------------------------------------------------------------------------------


def without_adobe_marker(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xee")
    return jpeg[:at] + jpeg[at + 2 + int.from_bytes(jpeg[at + 2 : at + 4]) :]


def ycck() -> bytes:
    """Inks as Photoshop stores them: three of them as light and colour difference, all inverted."""
    *inks, black = four_corners(mode="CMYK").split()
    light = Image.merge("RGB", inks).convert("YCbCr").point(lambda value: 255 - value)
    jpeg = encoded(Image.merge("CMYK", (*light.split(), black)), "JPEG", quality=95)
    at = jpeg.index(b"Adobe") + 11
    return jpeg[:at] + b"\2" + jpeg[at + 1 :]


def exif_of(orientation_type: int, value: bytes, *, next_ifd: int = 0) -> bytes:
    entry = struct.pack("<HHI", 0x0112, orientation_type, 1) + value
    return b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", next_ifd)


def with_exif(content: bytes) -> bytes:
    return with_segments(picture("JPEG"), segment(0xE1, content))


def with_height_at_the_end() -> bytes:
    """A frame that says 0 rows, and a DNL segment behind the pixels that says how many: allowed, and hardly used."""
    jpeg = with_frame(picture("JPEG"), size=(SIZE[0], 0))
    return jpeg[:-2] + segment(0xDC, struct.pack(">H", SIZE[1])) + jpeg[-2:]


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as packed:
        packed.writestr("evil.txt", "not a picture")
    return buffer.getvalue()


FILM = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + 3_000 * b"\xff\xda\0\2\xff\xd9"
PROGRESSIVE = picture("JPEG", progressive=True)

JPEGS: dict[str, OddFile] = {
    "JPEG": (lambda: picture("JPEG"), AS_DRAWN),
    "grey JPEG": (lambda: flat(128, "L", "JPEG"), Shown(colors={MIDDLE: GREY})),
    "progressive JPEG": (lambda: PROGRESSIVE, AS_DRAWN),
    "JPEG of 4:2:0 and odd size": (lambda: encoded(four_corners((399, 301)), "JPEG", subsampling=2), Shown((399, 301))),
    "JPEG stored as RGB": (lambda: picture("JPEG", keep_rgb=True), AS_DRAWN),
    "JPEG with restart markers": (lambda: picture("JPEG", restart_marker_blocks=1), AS_DRAWN),
    "JPEG of quality 1": (lambda: picture("JPEG", quality=1), AS_DRAWN),
    "CMYK JPEG": (lambda: picture("JPEG", "CMYK"), AS_DRAWN),
    "CMYK JPEG without Adobe's marker": (lambda: without_adobe_marker(picture("JPEG", "CMYK")), AS_DRAWN),
    "YCCK JPEG": (ycck, AS_DRAWN),
    "MPO": (lambda: picture("MPO", save_all=True, append_images=[Image.new("RGB", SIZE)]), AS_DRAWN),
    "JPEG with a film behind": (lambda: picture("JPEG") + FILM, AS_DRAWN),
    "JPEG that is a ZIP too": (lambda: picture("JPEG") + archive(), AS_DRAWN),
    "JPEG with a page in its comment": (
        lambda: picture("JPEG", comment=b"<html><script>alert(1)</script></html>"),
        AS_DRAWN,
    ),
    "JPEG with megabytes of profile": (lambda: picture("JPEG", icc_profile=profile() + bytes(4_000_000)), AS_DRAWN),
    "JPEG with 8 MB of facts": (
        lambda: with_segments(picture("JPEG"), 128 * segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + bytes(65_000))),
        AS_DRAWN,
    ),
    "JPEG of 60,000 comments": (
        lambda: with_segments(picture("JPEG"), 60_000 * segment(0xFE, b"?")),
        "too_many_segments",
    ),
    "JPEG of 2,000 scans": (lambda: with_scans_repeated(PROGRESSIVE, 2_000), "too_many_scans"),
    "JPEG claiming 4 gigapixels": (lambda: with_frame(picture("JPEG"), size=(65_500, 65_500)), "too_many_pixels"),
    "JPEG claiming no width": (lambda: with_frame(picture("JPEG"), size=(0, 300)), "broken"),
    "JPEG with its height behind": (with_height_at_the_end, "broken"),
    "JPEG claiming more rows than it has": (
        lambda: with_frame(picture("JPEG"), size=(400, 600)),
        Shown((400, 600), {(0.25, 0.1): RED, (0.25, 0.4): BLUE}),
    ),
    "JPEG without its end mark": (lambda: picture("JPEG")[:-2], "broken"),
    "JPEG said to be arithmetic": (lambda: with_frame(picture("JPEG"), marker=0xC9), Shown(colors={})),
    "JPEG of 12 bits": (lambda: with_frame(picture("JPEG"), bits=12), "broken"),
    "JPEG said to be lossless": (lambda: with_frame(picture("JPEG"), marker=0xC3), "broken"),
    "JPEG with a broken profile": (lambda: picture("JPEG", icc_profile=b"no profile"), AS_DRAWN),
    "JPEG with a profile of another mode": (lambda: picture("JPEG", icc_profile=profile("LAB")), AS_DRAWN),
    "JPEG with a profile for grey alone": (lambda: picture("JPEG", "CMYK", icc_profile=profile(name="Mine")), AS_DRAWN),
    "JPEG with EXIF that goes in a circle": (
        lambda: with_exif(exif_of(3, b"\1\0\0\0", next_ifd=8)),
        AS_DRAWN,
    ),
    "JPEG with EXIF that breaks off": (lambda: with_exif(exif_of(3, b"\1\0\0\0")[:15]), AS_DRAWN),
    "JPEG with EXIF of nonsense": (lambda: with_exif(b"Exif\0\0" + bytes(range(256))), AS_DRAWN),
    "JPEG turned by a word": (lambda: with_exif(exif_of(2, b"up\0\0")), AS_DRAWN),
    **{
        f"JPEG of orientation {orientation}": (
            lambda n=orientation: with_exif(exif_of(3, struct.pack("<I", n))),
            AS_DRAWN,
        )
        for orientation in (0, 9, 65_535)
    },
    "JPEG cut in its tables": (lambda: picture("JPEG")[:100], "broken"),
    "JPEG cut before its frame": (lambda: picture("JPEG")[:20], "broken"),
    "JPEG cut at half": (lambda: cut(encoded(grainy(), "JPEG"), 0.5), "broken"),
    "JPEG without its last 100 bytes": (lambda: encoded(grainy(), "JPEG")[:-100], "broken"),
    "progressive JPEG cut at half": (lambda: cut(encoded(grainy(), "JPEG", progressive=True), 0.5), "broken"),
    "JPEG of two bytes": (lambda: b"\xff\xd8", "not_an_image"),
    "JPEG start and end": (lambda: b"\xff\xd8\xff\xd9", "broken"),
}

# --- PNG --------------------------------------------------------------------------------------------


def rgb_rows(image: Image.Image) -> list[bytes]:
    stride = 3 * image.width
    data = image.tobytes()
    return [data[at : at + stride] for at in range(0, len(data), stride)]


def interlaced() -> bytes:
    """Seven pictures, each of some of the pixels, as PNG has it."""
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    pixels = [[row[at : at + 3] for at in range(0, len(row), 3)] for row in rgb_rows(four_corners())]
    rows = b"".join(b"\0" + b"".join(row[x::dx]) for x, y, dx, dy in passes for row in pixels[y::dy])
    return png(SIZE, 8, 2, rows, interlaced=True)


def deep(color: int) -> bytes:
    """16 bits a channel, as science and scanners like it."""
    pixel = (
        struct.pack(">HHH", 255 * 256, 128 * 256, 0) if color == 2 else struct.pack(">HHHH", 65_535, 32_768, 0, 65_535)
    )
    return png((40, 30), 16, color, 30 * (b"\0" + 40 * pixel))


def beyond_its_palette() -> bytes:
    return png((40, 30), 8, 3, 30 * (b"\0" + bytes([0] * 20 + [200] * 20)), chunk(b"PLTE", bytes(RED) + bytes(BLUE)))


def with_bad_sum(data: bytes, kind: bytes) -> bytes:
    """The checksum of the first chunk of that kind is wrong."""
    at = data.index(kind)
    end = at + 4 + int.from_bytes(data[at - 4 : at])
    return data[:end] + b"\0\0\0\0" + data[end + 4 :]


def bomb_of_rows() -> bytes:
    """Sixteen by sixteen pixels, and 300 MB of zeros where they should be."""
    return png((16, 16), 8, 2, bytes(300_000_000))


PNGS: dict[str, OddFile] = {
    "PNG": (lambda: picture("PNG"), AS_DRAWN),
    "opaque RGBA PNG": (lambda: picture("PNG", "RGBA"), AS_DRAWN),
    "interlaced PNG": (interlaced, AS_DRAWN),
    "PNG of 16-bit colours": (lambda: deep(2), Shown((40, 30), {MIDDLE: (255, 128, 0)})),
    "PNG of 16-bit colours with transparency": (lambda: deep(6), Shown((40, 30), {MIDDLE: (255, 128, 0)})),
    "PNG of 16-bit grey": (lambda: flat(128 * 256, "I;16", "PNG"), Shown(colors={MIDDLE: GREY})),
    "PNG of 1 bit": (lambda: flat(1, "1", "PNG"), Shown(colors={MIDDLE: WHITE})),
    "PNG of 2 bits a pixel": (lambda: encoded(four_corners().quantize(4), "PNG", bits=2), AS_DRAWN),
    "grey PNG with transparency": (lambda: flat((128, 0), "LA", "PNG"), Shown(colors={MIDDLE: SEE_THROUGH})),
    "PNG with a half that is see-through": (lambda: halved("PNG"), HALVED),
    "palette PNG with a transparent colour": (
        lambda: flat(0, "P", "PNG", transparency=0),
        Shown(colors={MIDDLE: SEE_THROUGH}),
    ),
    "palette PNG with a list of transparencies": (
        lambda: png((40, 30), 8, 3, 30 * bytes(41), chunk(b"PLTE", bytes(RED)) + chunk(b"tRNS", b"\x80")),
        Shown((40, 30), {MIDDLE: (127, 0, 0, 128)}),
    ),
    "animated PNG": (lambda: picture("PNG", save_all=True, append_images=[Image.new("RGB", SIZE)]), AS_DRAWN),
    "PNG turned by EXIF": (lambda: encoded(laid(four_corners(), 6), "PNG", exif=exif(6)), AS_DRAWN),
    "PNG with colours of a profile": (
        lambda: flat(RED, "RGB", "PNG", icc_profile=swapping_profile()),
        Shown(colors={MIDDLE: BLUE}),
    ),
    "PNG with a page behind": (lambda: picture("PNG") + b"<html><script>alert(1)</script></html>", AS_DRAWN),
    "PNG without an end": (lambda: picture("PNG")[:-12], AS_DRAWN),
    "PNG with an odd gamma": (lambda: with_chunks(picture("PNG"), chunk(b"gAMA", bytes(4))), AS_DRAWN),
    "PNG with an unknown chunk": (lambda: with_chunks(picture("PNG"), chunk(b"quIz", bytes(9))), AS_DRAWN),
    "PNG with 30,000 chunks": (lambda: with_chunks(picture("PNG"), 30_000 * chunk(b"quIz")), AS_DRAWN),
    "PNG text bomb": (lambda: with_text_bomb(picture("PNG")), "broken"),
    "PNG profile bomb": (
        lambda: with_chunks(picture("PNG"), chunk(b"iCCP", b"x\0\0" + zlib.compress(bytes(100_000_000)))),
        "broken",
    ),
    "PNG bomb of rows": (bomb_of_rows, Shown((16, 16), {MIDDLE: BLACK})),
    "PNG claiming 36 megapixels": (lambda: png_claiming(6_000, 6_000), "too_many_pixels"),
    "PNG claiming 3,600 megapixels": (lambda: png_claiming(60_000, 60_000), "too_many_pixels"),
    "PNG claiming all that 32 bits can": (lambda: png_claiming(2**31 - 1, 2**31 - 1), "too_many_pixels"),
    "PNG claiming no width": (lambda: png_claiming(0, 300), "broken"),
    "PNG of one pixel": (lambda: flat(RED, "RGB", "PNG", (1, 1)), Shown((1, 1), {(0, 0): RED})),
    "PNG of 1 x 20,000": (lambda: flat(0, "1", "PNG", (1, 20_000)), "too_tall"),
    "PNG of 20,000 x 1": (lambda: flat(1, "1", "PNG", (20_000, 1)), Shown((20_000, 1), {(0.5, 0): WHITE})),
    "PNG of 100 x 20,000": (lambda: encoded(four_corners((100, 20_000)), "PNG"), Shown((100, 20_000))),
    "PNG beyond its palette": (beyond_its_palette, Shown((40, 30), {(0.2, 0.5): RED})),
    "PNG without a palette": (lambda: png((40, 30), 8, 3, 30 * bytes(41)), Shown((40, 30), {MIDDLE: BLACK})),
    "PNG of an unknown colour type": (lambda: png((40, 30), 8, 5, 30 * bytes(41)), "broken"),
    "PNG with a false sum of its header": (lambda: with_bad_sum(picture("PNG"), b"IHDR"), "broken"),
    "PNG with a false sum of its pixels": (lambda: with_bad_sum(picture("PNG"), b"IDAT"), AS_DRAWN),
    "PNG without pixels": (lambda: picture("PNG")[:33] + chunk(b"IEND"), "broken"),
    "PNG with a chunk of 4 GB": (lambda: picture("PNG")[:33] + b"\xff\xff\xff\xffIDAT", "broken"),
    "PNG cut in its header": (lambda: picture("PNG")[:20], "broken"),
    "PNG cut in its pixels": (lambda: cut(encoded(grainy(), "PNG"), 0.5), "broken"),
    "PNG sent as text": (lambda: picture("PNG").replace(b"\r\n", b"\n"), "broken"),
}

# --- GIF --------------------------------------------------------------------------------------------


def gif_of_frames(*frames: bytes, size: tuple[int, int] = (4, 4)) -> bytes:
    """Of two colours, red and blue."""
    return b"GIF89a" + struct.pack("<HH", *size) + b"\x80\0\0" + bytes(RED) + bytes(BLUE) + b"".join(frames) + b";"


def gif_frame(left: int, top: int, width: int, height: int, codes: bytes = b"\x02\x04\x51\x00") -> bytes:
    return b"," + struct.pack("<HHHH", left, top, width, height) + b"\0" + b"\x02" + codes


def offset_frame() -> bytes:
    """A first frame that covers a corner of the canvas only."""
    return encoded(four_corners(), "GIF").replace(struct.pack("<HH", *SIZE), struct.pack("<HH", 800, 600), 1)


def gif_that_is_script() -> bytes:
    """`GIF89a/*…*/=1;alert(1)` is a script to some: its width is a comment's beginning."""
    image = picture("GIF")
    return image[:-1] + b";*/=1;alert(1)//" + image[:6]


GIFS: dict[str, OddFile] = {
    "GIF": (lambda: picture("GIF", "P"), AS_DRAWN),
    "animated GIF": (lambda: picture("GIF", save_all=True, append_images=[Image.new("RGB", SIZE)]), AS_DRAWN),
    "interlaced GIF": (lambda: picture("GIF", interlace=1), AS_DRAWN),
    "GIF with a half that is see-through": (lambda: halved("GIF"), HALVED),
    "GIF with a first frame in a corner": (offset_frame, Shown((800, 600), {(0.1, 0.1): RED, (0.4, 0.4): YELLOW})),
    "GIF that is a script too": (gif_that_is_script, AS_DRAWN),
    "GIF with a comment": (lambda: picture("GIF", comment=b"<script>alert(1)</script>"), AS_DRAWN),
    "GIF claiming 4 gigapixels": (lambda: gif_claiming(65_535, 65_535), "too_many_pixels"),
    "GIF with a frame larger than itself": (
        lambda: gif_of_frames(gif_frame(0, 0, 60_000, 60_000)),
        "too_many_pixels",
    ),
    "GIF with a frame far outside": (lambda: gif_of_frames(gif_frame(65_000, 65_000, 4, 4)), "too_many_pixels"),
    "GIF without frames": (lambda: gif_of_frames(), "broken"),
    "GIF claiming no size": (lambda: gif_of_frames(size=(0, 0)), "broken"),
    "GIF with codes out of place": (lambda: gif_of_frames(gif_frame(0, 0, 4, 4, b"\x04\xff\xff\xff\xff\0")), "broken"),
    "GIF cut in its pixels": (lambda: cut(encoded(grainy(), "GIF"), 0.5), "broken"),
    "GIF cut in its palette": (lambda: picture("GIF", "P")[:30], "broken"),
}

# --- WebP and AVIF ----------------------------------------------------------------------------------


def with_length(webp: bytes, length: int) -> bytes:
    return webp[:4] + struct.pack("<I", length) + webp[8:]


def webp_claiming(width: int, height: int) -> bytes:
    """A canvas of that size, and on it a small picture."""
    canvas = b"\0\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return riff(b"VP8X" + struct.pack("<I", 10) + canvas + encoded(four_corners(), "WEBP")[12:])


def avif_claiming(width: int, height: int) -> bytes:
    claim = b"ispe\0\0\0\0" + struct.pack(">II", *SIZE)
    return picture("AVIF", speed=10).replace(claim, claim[:8] + struct.pack(">II", width, height))


BLACK_FRAME = [Image.new("RGB", SIZE)]

MODERN: dict[str, OddFile] = {
    "WebP": (lambda: picture("WEBP"), AS_DRAWN),
    "lossless WebP": (lambda: picture("WEBP", lossless=True), AS_DRAWN),
    "WebP with a half that is see-through": (lambda: halved("WEBP"), HALVED),
    "animated WebP": (lambda: picture("WEBP", save_all=True, append_images=BLACK_FRAME), AS_DRAWN),
    "WebP turned by EXIF": (lambda: encoded(laid(four_corners(), 8), "WEBP", exif=exif(8)), AS_DRAWN),
    "WebP with a broken profile": (lambda: picture("WEBP", icc_profile=b"no profile"), AS_DRAWN),
    "WebP that says it is longer": (lambda: with_length(picture("WEBP"), 2**31), "broken"),
    "WebP that says it is shorter": (lambda: with_length(picture("WEBP"), 40), "broken"),
    "WebP claiming 268 megapixels": (lambda: webp_claiming(16_383, 16_383), "too_many_pixels"),
    "WebP claiming another size": (lambda: webp_claiming(500, 500), "broken"),
    "WebP cut at half": (lambda: cut(encoded(grainy(), "WEBP"), 0.5), "broken"),
    "WebP cut in its header": (lambda: picture("WEBP")[:16], "broken"),
    "AVIF": (lambda: picture("AVIF", speed=10), AS_DRAWN),
    "AVIF with a half that is see-through": (lambda: halved("AVIF", speed=10), HALVED),
    "animated AVIF": (lambda: picture("AVIF", speed=10, save_all=True, append_images=BLACK_FRAME), AS_DRAWN),
    **{
        f"AVIF turned by its own means ({turn})": (
            lambda n=turn: encoded(laid(four_corners(), n), "AVIF", speed=10, exif=exif(n)),
            AS_DRAWN,
        )
        for turn in (2, 3, 5, 6)
    },
    "AVIF claiming 4 gigapixels": (lambda: avif_claiming(65_000, 65_000), "broken"),
    "AVIF cut at half": (lambda: cut(encoded(grainy(), "AVIF", speed=10), 0.5), "broken"),
}

# --- BMP, TIFF, ICO ---------------------------------------------------------------------------------

PIXEL_OF_RED = bytes(reversed(RED))


def bmp_from_the_top() -> bytes:
    blue_green_red = Image.merge("RGB", four_corners().split()[::-1])
    return bmp((SIZE[0], -SIZE[1]), 24, blue_green_red.tobytes())


def bmp_of_16_bits() -> bytes:
    """Five bits of red, six of green, five of blue, as the masks say."""
    masks = struct.pack("<III", 0xF800, 0x07E0, 0x001F)
    return bmp((40, 30), 16, 40 * 30 * struct.pack("<H", 0xF800), compression=3, masks=masks)


def os2_bmp() -> bytes:
    """The header of 12 bytes, from before there were others."""
    header = struct.pack("<IHHHH", 12, 40, 30, 1, 24)
    return b"BM" + struct.pack("<IHHI", 26 + 3_600, 0, 0, 26) + header + 1_200 * PIXEL_OF_RED


RGB_TAGS = {258: (8, 8, 8), 262: (2,), 277: (3,)}


def tiled_tiff() -> bytes:
    """Of four tiles, one a colour."""
    tiles = [128 * 128 * bytes(color) for color in (RED, GREEN, BLUE, YELLOW)]
    return tiff((256, 256), tiles, RGB_TAGS | {322: (128,), 323: (128,)})


def planar_tiff() -> bytes:
    planes = [plane.tobytes() for plane in four_corners().split()]
    return tiff(SIZE, planes, RGB_TAGS | {278: (SIZE[1],), 284: (2,)})


def striped_tiff(**changes: int) -> bytes:
    return tiff(SIZE, [four_corners().tobytes()], RGB_TAGS | {278: (SIZE[1],)}, **changes)


def circular_tiff() -> bytes:
    """Its second page is its first."""
    data = striped_tiff()
    return striped_tiff(next_ifd=int.from_bytes(data[4:8], "little"))


def tiff_with_pixels_elsewhere() -> bytes:
    data = striped_tiff()
    place = struct.pack("<HHII", 273, 4, 1, 8)
    return data.replace(place, place[:-4] + struct.pack("<I", 2**31))


def tiff_pages() -> bytes:
    return picture("TIFF", save_all=True, append_images=[Image.new("RGB", (50, 50))])


OLD: dict[str, OddFile] = {
    "BMP": (lambda: picture("BMP"), AS_DRAWN),
    "BMP of 1 bit": (lambda: flat(1, "1", "BMP"), Shown(colors={MIDDLE: WHITE})),
    "BMP of a palette": (lambda: picture("BMP", "P"), AS_DRAWN),
    "BMP from the top": (bmp_from_the_top, AS_DRAWN),
    "BMP of 16 bits": (bmp_of_16_bits, Shown((40, 30), {MIDDLE: RED})),
    "BMP of OS/2": (os2_bmp, Shown((40, 30), {MIDDLE: RED})),
    "BMP claiming 4 gigapixels": (lambda: bmp((2**31 - 1, 2**31 - 1), 24, b""), "too_many_pixels"),
    "BMP claiming a negative width": (lambda: bmp((-40, 30), 24, 1_200 * PIXEL_OF_RED), "too_many_pixels"),
    "BMP claiming no height": (lambda: bmp((40, 0), 24, b""), "broken"),
    "BMP with its pixels cut": (lambda: cut(picture("BMP"), 0.5), "broken"),
    "BMP with an unknown compression": (lambda: bmp((40, 30), 24, 1_200 * PIXEL_OF_RED, compression=99), "broken"),
    **{
        f"TIFF packed by {way}": (lambda way=way: picture("TIFF", compression=way), AS_DRAWN)
        for way in ("raw", "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
    },
    "fax TIFF": (lambda: flat(1, "1", "TIFF", compression="group4"), Shown(colors={MIDDLE: WHITE})),
    "CMYK TIFF": (lambda: picture("TIFF", "CMYK"), AS_DRAWN),
    "LAB TIFF": (lambda: flat((136, 208, 195), "LAB", "TIFF"), Shown(colors={MIDDLE: RED})),
    "TIFF of several pages": (tiff_pages, AS_DRAWN),
    "big TIFF": (lambda: picture("TIFF", big_tiff=True), AS_DRAWN),
    "tiled TIFF": (tiled_tiff, Shown((256, 256))),
    "planar TIFF": (planar_tiff, AS_DRAWN),
    "TIFF of 16-bit grey": (lambda: flat(128 * 256, "I;16", "TIFF"), Shown(colors={MIDDLE: GREY})),
    "big-endian TIFF of 16-bit grey": (lambda: flat(128 * 256, "I;16B", "TIFF"), Shown(colors={MIDDLE: GREY})),
    "TIFF of 32-bit grey": (lambda: flat(128 * 256, "I", "TIFF"), Shown(colors={MIDDLE: GREY})),
    "TIFF of measurements": (lambda: flat(0.5, "F", "TIFF"), "unsupported_format"),
    "TIFF with a half that is see-through": (lambda: halved("TIFF"), HALVED),
    "TIFF turned by EXIF": (lambda: encoded(laid(four_corners(), 6), "TIFF", exif=exif(6)), AS_DRAWN),
    "TIFF that goes in a circle": (circular_tiff, AS_DRAWN),
    "TIFF claiming 4 gigapixels": (lambda: tiff((65_000, 65_000), [b"\0"], RGB_TAGS), "too_many_pixels"),
    "TIFF claiming no width": (lambda: tiff((0, 300), [b"\0"], RGB_TAGS), "broken"),
    "TIFF with its pixels elsewhere": (tiff_with_pixels_elsewhere, "broken"),
    "TIFF whose directory is elsewhere": (lambda: b"II*\0\xff\xff\xff\x7f" + bytes(100), "broken"),
    "TIFF of one samples in 100 bits": (lambda: tiff(SIZE, [bytes(100)], RGB_TAGS | {258: (100,)}), "broken"),
    "TIFF cut at half": (lambda: cut(picture("TIFF"), 0.5), "broken"),
    "icon": (lambda: encoded(four_corners((64, 64)), "ICO", sizes=[(64, 64)]), Shown((64, 64))),
    "icon of BMPs": (
        lambda: encoded(four_corners((64, 64)), "ICO", sizes=[(16, 16), (64, 64)], bitmap_format="bmp"),
        Shown((64, 64)),
    ),
    "icon hiding a larger picture": (lambda: icon_hiding(picture("PNG")), AS_DRAWN),
    "icon hiding 60 megapixels": (lambda: icon_hiding(png_claiming(10_000, 6_000)), "too_many_pixels"),
    "icon of nothing": (lambda: struct.pack("<HHH", 0, 1, 0), "broken"),
    "icon of 65,535 pictures": (lambda: struct.pack("<HHH", 0, 1, 65_535) + bytes(200), "broken"),
    "icon that holds itself": (lambda: icon_hiding(icon_hiding(b"")), "broken"),
}

# --- What is no picture of ours ---------------------------------------------------------------------

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'
OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "SVG": (lambda: SVG, "SVG"),
    "SVG with a prologue": (
        lambda: (
            b'\xef\xbb\xbf<?xml version="1.0"?>\n<!-- <html> -->\n<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN">' + SVG
        ),
        "SVG",
    ),
    "SVG with a prefix": (lambda: b'<?xml version="1.0"?><svg:svg xmlns:svg="http://www.w3.org/2000/svg"/>', "SVG"),
    "gzipped SVG": (lambda: gzip.compress(SVG), "SVG"),
    "page": (lambda: b"<!doctype html><title>Not found</title>" + SVG, "web page"),
    "page without a doctype": (lambda: b"\r\n <!-- served by --> <HTML lang=en><head>", "web page"),
    "XHTML page": (lambda: b'<?xml version="1.0"?><!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0"><html/>', "web page"),
    "gzipped page": (lambda: gzip.compress(b"<!doctype html><title>Not found</title>"), "web page"),
    "PDF": (lambda: picture("PDF"), "PDF"),
    "EPS": (lambda: picture("EPS"), "PostScript"),
    "HEIC": (lambda: b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(50), "HEIC"),
    "HEIC by another brand": (lambda: b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic" + bytes(50), "HEIC"),
    "Canon's raw picture": (lambda: b"\0\0\0\x18ftypcrx \0\0\0\1crx isom" + bytes(50), "raw"),
    "JPEG XL": (lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL"),
    "bare JPEG XL": (lambda: b"\xff\x0a\xfa\x7f" + bytes(50), "JPEG XL"),
    "JPEG 2000": (lambda: picture("JPEG2000"), "JPEG 2000"),
    "bare JPEG 2000": (lambda: picture("JPEG2000", no_jp2=True), "JPEG 2000"),
    "Photoshop document": (lambda: b"8BPS\0\1" + bytes(50), "Photoshop"),
    "Netpbm": (lambda: picture("PPM"), "Netpbm"),
    "PCX": (lambda: picture("PCX"), "PCX"),
    "TGA": (lambda: picture("TGA"), "TGA"),
    "mouse pointer": (lambda: b"\0\0\2\0\1\0" + bytes(50), "mouse pointer"),
    "Windows metafile": (lambda: b"\xd7\xcd\xc6\x9a" + bytes(50), "metafile"),
    "MP4": (lambda: b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "film"),
    "QuickTime": (lambda: b"\0\0\0\x08wide\0\0\1\0mdat", "film"),
    "WebM": (lambda: b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81", "film"),
    "AVI": (lambda: b"RIFF\0\1\0\0AVI LIST", "film"),
    "MP3": (lambda: b"ID3\4\0\0\0\0\0\0", "sound"),
    "ZIP": (archive, "ZIP"),
    "gzipped numbers": (lambda: gzip.compress(bytes(99)), "compressed"),
    "XML": (lambda: b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', "XML"),
    "JSON": (lambda: b'{"error": "not found"}', "JSON"),
    "JSON list": (lambda: b'[{"error": 1}]', "JSON"),
    "text": (lambda: "Das Bild fehlt. Größe: 0".encode(), "plain text"),
    "text cut in a letter": (lambda: ("x" * 1023 + "ß and so on").encode(), "plain text"),
    "text that begins as a picture does": (lambda: b"BMW shows a new car. The address: II, MM.", "plain text"),
}
UNKNOWN: dict[str, OddFile] = {
    "nothing": (lambda: b"", "empty"),
    "zeros": (lambda: bytes(500), "not_an_image"),
    "noise": (lambda: random.Random(7).randbytes(5_000), "not_an_image"),
    "half a gzip": (lambda: b"\x1f\x8b\x08", "unsupported_format"),
}

ODD_FILES = JPEGS | PNGS | GIFS | MODERN | OLD | UNKNOWN
