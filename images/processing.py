"""A stranger's bytes in, verified facts and renditions out. Pure: no Django, no network, no files.

Equal bytes give equal renditions, so a file named by the hash of its original never has to be written twice.
"""

from __future__ import annotations

import hashlib
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageOps
from PIL.JpegImagePlugin import JpegImageFile

from images.recognising import looks_like_ours, name_of_other

WIDTHS = (160, 320, 640, 960, 1280)
MAX_BYTES = 20 * 1024 * 1024
MAX_HEIGHT = 6_000  # of a rendition: encoders hold several copies of the widest one
# One picture keeps the process under 300 MB, measured with the worst of each format; two at once may take twice that.
MAX_PIXELS = 52_000_000  # of a JPEG, which decodes small: a 50-megapixel phone camera takes 8160 x 6144
MAX_JPEG_BYTES = 220_000_000  # decoded: one that is built up in several scans holds all its coefficients until the last
MAX_SCANS = 100  # as in libtiff: each is a pass over all pixels, however few bytes it has; real pictures have up to 10
MAX_SEGMENTS = 2_000  # of a JPEG: Pillow keeps a list of them; 20 MiB in full ones are 320

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

# Other formats decode at full size: PNGs to 4 bytes a pixel, TIFFs to as many as 12, AVIF to 15 and WebP to 16.
_MAX_PIXELS = dict.fromkeys(FORMATS, 34_000_000) | {"TIFF": 16_000_000, "AVIF": 14_000_000, "WEBP": 12_500_000}
_MAX_PIXELS |= {"JPEG": MAX_PIXELS, "MPO": MAX_PIXELS}
_BAND_PIXELS = 1_000_000
_JPEG_MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd7\xff])", re.DOTALL)  # but those within the coded data

# Measured in docs/decisions/pictures.md: WebP method 2 takes half the time of Pillow's default 4, for files 3 % larger.
# JPEG is for the few readers without WebP: a progressive one is 3 % smaller, but takes more than twice as long.
ENCODINGS: dict[str, dict[str, object]] = {
    "webp": {"format": "WEBP", "quality": 80, "method": 2},
    "jpg": {"format": "JPEG", "quality": 82, "optimize": True},
    "png": {"format": "PNG", "compress_level": 6},
}

# For what the check of the declared size cannot see: a picture inside an icon claims a size of its own.
# Pillow warns of more than this and refuses twice as many, whatever anyone does to the filters of warnings.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


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


def widths_for(width: int, height: int) -> list[int]:
    """The rendition widths of a picture of this size, ascending; never wider than the picture itself, nor higher than
    MAX_HEIGHT."""
    largest = max(1, min(width, WIDTHS[-1], width * MAX_HEIGHT // height))
    return [*(each for each in WIDTHS if each < largest), largest]


def height_for(rendition_width: int, width: int, height: int) -> int:
    """The height of the rendition of that width, of a picture of this size."""
    return max(1, round(height * rendition_width / width))


def universal_extension(has_alpha: bool) -> str:
    """The format every browser shows: PNG when there is transparency to keep, else JPEG."""
    return "png" if has_alpha else "jpg"


def process(data: bytes) -> Processed:
    """Verify a picture and make its renditions, or raise BadImage whatever Pillow raises."""
    if not data:
        raise BadImage("empty", "The file is empty.")
    if len(data) > MAX_BYTES:
        raise BadImage("too_large", f"The file is larger than {MAX_BYTES // 2**20} MiB.")
    with _faults_translated(data):
        base, kind, width, height = _base(data)
        has_alpha = base.mode == "RGBA"
        facts = Facts(
            content_hash=hashlib.sha256(data).hexdigest(),
            format=kind,
            extension=FORMATS[kind],
            width=width,
            height=height,
            has_alpha=has_alpha,
            byte_size=len(data),
            color=_dominant_color(base),
        )
        return Processed(facts, tuple(_renditions(base, facts)))


def _base(data: bytes) -> tuple[Image.Image, str, int, int]:
    """The picture in sRGB, upright, as large as its widest rendition; its format, and its full size upright.

    It is reduced before its colours are converted and it is turned: those cost by the pixel. The full picture
    is let go of when this returns, before any encoder asks for memory.
    """
    scans = _checked_scans(data) if data.startswith(b"\xff\xd8\xff") else []
    with Image.open(io.BytesIO(data), formats=_OPENERS) as image:
        width, height = _load(image, scans)
        orientation = _orientation(image)
        lies = orientation >= 5
        across, down = (height, width) if lies else (width, height)
        base = _scaled(image, *_base_size(across, down)[:: -1 if lies else 1])
        base = _without_idle_alpha(_in_srgb(base, image.info.get("icc_profile")))
        return _upright(base, orientation), image.format or "", across, down


def _base_size(width: int, height: int) -> tuple[int, int]:
    """The size of the widest rendition. Of a tall picture it is narrow, down to a single pixel."""
    if height > width * MAX_HEIGHT:
        raise BadImage("too_tall", "The picture is too tall for its width.")
    widest = widths_for(width, height)[-1]
    return widest, height_for(widest, width, height)


def _load(image: Image.Image, scans: list[int]) -> tuple[int, int]:
    """Decode, JPEGs at 1/2, 1/4 or 1/8 where that is enough. Returns the full size."""
    width, height = _checked_size(image)
    if image.mode == "F":
        raise BadImage("unsupported_format", "This holds measurements, not colours, and is not shown.")
    if isinstance(image, JpegImageFile):
        scale = max(_scale(width, height), _scale(height, width))  # which way is up is not known yet
        image.draft(None, (round(width * scale), round(height * scale)))
        if _decoded_bytes(image, scans, width * height) > MAX_JPEG_BYTES:
            raise _too_many_pixels(width, height)
    image.load()
    return width, height


def _scale(width: int, height: int) -> float:
    return min(1.0, WIDTHS[-1] / width, MAX_HEIGHT / height)


def _checked_size(image: Image.Image) -> tuple[int, int]:
    """The declared size, judged before a single pixel is decoded."""
    width, height = image.size
    if width * height > _MAX_PIXELS[image.format or ""]:
        raise _too_many_pixels(width, height)
    return width, height


def _too_many_pixels(width: int, height: int) -> BadImage:
    return BadImage("too_many_pixels", f"The picture claims {width} x {height} pixels, which is too many for its kind.")


def _decoded_bytes(image: JpegImageFile, scans: list[int], pixels: int) -> float:
    """What libjpeg and Pillow will hold. Coefficients come at full size, whatever the draft."""
    drafted = 4.0 * image.width * image.height
    if scans == [image.layers] and not image.info.get("progressive"):
        return drafted
    across, down = (max(layer[side] for layer in image.layer) for side in (1, 2))
    samples = sum(layer[1] * layer[2] for layer in image.layer) / (across * down)
    return drafted + 2 * samples * pixels


def _checked_scans(data: bytes) -> list[int]:
    """How many components each scan of a JPEG has, up to the end of its first picture.

    Segments are stepped over as libjpeg does. Counting the two bytes alone would refuse phone pictures, behind which
    there may be megabytes of film.
    """
    scans: list[int] = []
    at = 2
    for _ in range(MAX_SEGMENTS):
        found = _JPEG_MARKER.search(data, at)
        if not found or found[1] == b"\xd9":
            return scans
        at = found.end()
        if found[1] == b"\xda":
            scans += data[at + 2 : at + 3]
        if len(scans) > MAX_SCANS:
            raise BadImage("too_many_scans", f"The JPEG is built up in more than {MAX_SCANS} passes.")
        if found[1] >= b"\xc0":  # lower ones are errors; when libjpeg forgives one, it searches on from there
            at += max(2, int.from_bytes(data[at : at + 2]))
    raise BadImage("too_many_segments", f"The JPEG is made of more than {MAX_SEGMENTS} parts.")


def _scaled(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return _resizable(image)
    scaled = _resized(image if _is_resizable(image) else _narrowed(image, width), width, height)
    return scaled.convert("RGBA") if scaled.mode == "RGBa" else scaled


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    """Converted and scaled across in bands of rows, so that no second picture of full size is ever held."""
    narrow = Image.new(_band(image, 0, 1).mode, (width, image.height), None)  # not cleared: every row is pasted
    rows = max(1, _BAND_PIXELS // image.width)
    for top in range(0, image.height, rows):
        band = _band(image, top, min(top + rows, image.height))
        narrow.paste(_resized(band, width, band.height), (0, top))
    return narrow


def _band(image: Image.Image, top: int, bottom: int) -> Image.Image:
    """Some rows, ready to be scaled. Alpha is multiplied in: what is see-through lends no colour to its neighbours."""
    band = _resizable(image.crop((0, top, image.width, bottom)))
    return band.convert("RGBa") if band.mode == "RGBA" else band


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
    return ImageOps.exif_transpose(image)


def _is_resizable(image: Image.Image) -> bool:
    return image.mode in {"RGB", "L", "CMYK"} and "transparency" not in image.info


def _resizable(image: Image.Image) -> Image.Image:
    """In a mode that can be scaled without harm: palettes and masks spelled out, 16 bits made 8."""
    if _is_resizable(image) or image.mode == "RGBA":
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


def _renditions(base: Image.Image, facts: Facts) -> Iterator[Rendition]:
    """From large to small, each made from the one before: the small ones then cost next to nothing."""
    image = base
    for width in reversed(widths_for(facts.width, facts.height)):
        image = _resized(image, width, height_for(width, facts.width, facts.height))
        for extension in ("webp", universal_extension(facts.has_alpha)):
            yield Rendition(width, extension, _encoded(image, extension))


def _resized(image: Image.Image, width: int, height: int) -> Image.Image:
    if image.size == (width, height):
        return image
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)


def _encoded(image: Image.Image, extension: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, **ENCODINGS[extension])  # type: ignore[arg-type]
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
def _faults_translated(data: bytes) -> Iterator[None]:
    try:
        yield
    except BadImage:
        raise
    except Image.DecompressionBombError as error:
        raise BadImage("too_many_pixels", "The picture claims more pixels than it may.") from error
    except Exception as error:  # Pillow raises a dozen kinds for broken files, SyntaxError and KeyError among them
        raise _refusal(data) from error


def _refusal(data: bytes) -> BadImage:
    if looks_like_ours(data):
        return BadImage("broken", "The picture is damaged, incomplete or of a rare kind.")
    if other := name_of_other(data):
        return BadImage("unsupported_format", other)
    return BadImage("not_an_image", "The file is not a picture of a kind we show.")
