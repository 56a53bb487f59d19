"""A stranger's bytes in, verified facts and renditions out. Pure: no Django, no network, no files.

Equal bytes give equal renditions, so a file named by the hash of its original never has to be written twice.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps

WIDTHS = (160, 320, 640, 960, 1280)
MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 52_000_000  # a 50-megapixel phone camera takes 8160 x 6144
MAX_HEIGHT = 16_383  # of a rendition: WebP holds no more

# Pillow's other 40 formats hold no news pictures, but bugs. MPO, from phone cameras, opens as JPEG.
FORMATS = {
    "JPEG": "jpg",
    "MPO": "jpg",
    "PNG": "png",
    "GIF": "gif",
    "WEBP": "webp",
    "AVIF": "avif",
    "BMP": "bmp",
    "TIFF": "tif",
    "ICO": "ico",
}
_OPENERS = [name for name in FORMATS if name != "MPO"]

# WebP method 2 takes 0.6 of the time of Pillow's default 4, for files 4 % larger. JPEG is for the few readers
# without WebP: a progressive one is 6 % smaller, but takes half as long again.
_ENCODINGS: dict[str, dict[str, object]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "jpg": {"format": "JPEG", "quality": 82, "optimize": True},
    "png": {"format": "PNG", "compress_level": 6},
}

# For what the check of the declared size cannot see: a picture inside an icon claims a size of its own.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.simplefilter("error", Image.DecompressionBombWarning)


class BadImage(Exception):
    """Bytes that are no picture we show. `code` is stable and short, `detail` plain words for an editor."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


@dataclass(frozen=True)
class Facts:
    """What is true of a picture. `width` and `height` in pixels, after the EXIF turn; `color` as #rrggbb."""

    content_hash: str
    format: str
    extension: str
    width: int
    height: int
    has_alpha: bool
    byte_size: int
    color: str


@dataclass(frozen=True)
class Rendition:
    width: int
    extension: str
    data: bytes


@dataclass(frozen=True)
class Processed:
    facts: Facts
    renditions: tuple[Rendition, ...]


def widths_for(original_width: int) -> list[int]:
    """The rendition widths of a picture, ascending; never wider than the picture itself."""
    largest = min(original_width, WIDTHS[-1])
    return [*(width for width in WIDTHS if width < largest), largest]


def universal_extension(has_alpha: bool) -> str:
    """The format every browser shows: PNG when there is transparency to keep, else JPEG."""
    return "png" if has_alpha else "jpg"


def process(data: bytes) -> Processed:
    """Verify a picture and make its renditions, or raise BadImage whatever Pillow raises."""
    if len(data) > MAX_BYTES:
        raise BadImage("too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    with _faults_translated(), Image.open(io.BytesIO(data), formats=_OPENERS) as image:
        return _processed(image, data)


def _processed(image: Image.Image, data: bytes) -> Processed:
    picture_format = image.format or ""
    width, height = _checked_size(image)
    base, turned = _base(image, width, height)
    if turned:
        width, height = height, width
    if base.height > MAX_HEIGHT:
        raise BadImage("too_tall", "The picture is too tall for its width.")
    has_alpha = base.mode == "RGBA"
    facts = Facts(
        content_hash=hashlib.sha256(data).hexdigest(),
        format=picture_format,
        extension=FORMATS[picture_format],
        width=width,
        height=height,
        has_alpha=has_alpha,
        byte_size=len(data),
        color=_dominant_color(base),
    )
    return Processed(facts, tuple(_renditions(base, ("webp", universal_extension(has_alpha)))))


def _checked_size(image: Image.Image) -> tuple[int, int]:
    """The declared size, judged before a single pixel is decoded."""
    width, height = image.size
    if not width or not height:
        raise BadImage("empty", "The picture has no pixels.")
    if width * height > MAX_PIXELS:
        raise BadImage("too_many_pixels", f"The picture claims {width} x {height} pixels, which is too many.")
    return width, height


def _base(image: Image.Image, width: int, height: int) -> tuple[Image.Image, bool]:
    """The picture in sRGB, upright, at most as wide as the widest rendition; and whether that meant a turn.

    It is reduced before its colours are converted and it is turned: those cost by the pixel.
    """
    scale = min(1.0, WIDTHS[-1] / min(width, height))
    image.draft(None, (round(width * scale), round(height * scale)))  # JPEGs decode at 1/2, 1/4 or 1/8
    image.load()
    orientation = _orientation(image)
    turned = orientation >= 5
    across = height if turned else width
    base = _resizable(image)
    if across > WIDTHS[-1]:
        scale = WIDTHS[-1] / across
        base = _resized(base, max(1, round(width * scale)), max(1, round(height * scale)))
    base = _in_srgb(base, image.info.get("icc_profile"))
    return _upright(_without_idle_alpha(base), orientation), turned


def _orientation(image: Image.Image) -> int:
    """1 to 8 as in EXIF. Ask after loading: some files keep it behind the pixels, TIFFs turn themselves."""
    orientation = image.getexif().get(0x0112, 1)
    return orientation if orientation in range(1, 9) else 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    image.info = {}  # no comment, profile, place or serial number goes on into a rendition
    if orientation == 1:
        return image
    exif = image.getexif()
    exif[0x0112] = orientation
    turned = ImageOps.exif_transpose(image)
    turned.info = {}
    return turned


def _resizable(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled without harm: palettes and masks spelled out, 16 bits made 8."""
    if image.mode in {"RGB", "RGBA", "L", "CMYK"} and "transparency" not in image.info:
        return image
    if image.mode.startswith("I"):
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if "transparency" in image.info or image.mode in {"PA", "LA", "La", "RGBa"}:
        return image.convert("RGBA")
    return image.convert("RGB")


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    target = "RGBA" if image.mode == "RGBA" else "RGB"
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if "sRGB" not in ImageCms.getProfileDescription(source):
                srgb = ImageCms.createProfile("sRGB")
                return ImageCms.profileToProfile(image, source, srgb, outputMode=target) or image
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a broken or mismatched profile: the colours are taken as they are, as browsers do
    return image.convert(target)


def _without_idle_alpha(image: Image.Image) -> Image.Image:
    """Many pictures carry an alpha channel that is opaque throughout; those need no PNG."""
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    return image


def _renditions(base: Image.Image, extensions: tuple[str, ...]) -> Iterator[Rendition]:
    """From large to small, each made from the one before: the small ones then cost next to nothing."""
    image = base
    for width in reversed(widths_for(base.width)):
        image = _resized(image, width, max(1, round(base.height * width / base.width)))
        for extension in extensions:
            yield Rendition(width, extension, _encoded(image, extension))


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encoded(image: Image.Image, extension: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **_ENCODINGS[extension])  # type: ignore[arg-type]
    return buffer.getvalue()


def _dominant_color(image: Image.Image) -> str:
    """The most frequent of a few colours; transparent parts count as the white page they show."""
    small = image.resize((24, 24), Image.Resampling.BOX)
    if small.mode == "RGBA":
        small = Image.alpha_composite(Image.new("RGBA", small.size, "white"), small).convert("RGB")
    few = small.quantize(6)
    counts = few.histogram()
    index = counts.index(max(counts))
    red, green, blue = (few.getpalette() or [])[3 * index : 3 * index + 3]
    return f"#{red:02x}{green:02x}{blue:02x}"


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage("too_many_pixels", "The picture claims more pixels than it may.") from error
    except Image.UnidentifiedImageError as error:
        raise BadImage("not_an_image", "The file is not a picture of a kind we show.") from error
    except Exception as error:  # Pillow raises a dozen kinds for broken files, SyntaxError and KeyError among them
        raise BadImage("broken", "The picture is damaged or incomplete.") from error
