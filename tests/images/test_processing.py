import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from images import processing
from images.processing import MAX_HEIGHT, BadImage, height_for, process, widths_for
from tests.images.pictures import (
    BLUE,
    GREEN,
    RED,
    YELLOW,
    encoded,
    exif,
    four_corners,
    icon_hiding,
    laid,
    near,
    two_tone,
    with_scans_repeated,
)

CORNERS = {(100, 75): RED, (300, 75): GREEN, (100, 225): BLUE, (300, 225): YELLOW}


def rendition(data: bytes, extension: str = "jpg", width: int | None = None) -> Image.Image:
    """One rendition of a picture, decoded; the widest unless told."""
    found = [r for r in process(data).renditions if r.extension == extension and width in (None, r.width)]
    return Image.open(io.BytesIO(max(found, key=lambda r: r.width).data))


def is_upright(image: Image.Image) -> bool:
    image = image.convert("RGB")
    across, down = image.width // 2, image.height
    return near(image.getpixel((across, down // 40)), BLUE) and near(image.getpixel((across, down // 2)), RED)


# --- What comes in: odd_files.py has all that may ----------------------------------------------------


def test_phone_pictures_are_stored_as_the_jpegs_they_are():
    facts = process(encoded(two_tone(), "MPO", save_all=True, append_images=[two_tone()])).facts
    assert (facts.format, facts.extension) == ("MPO", "jpg")


@pytest.mark.filterwarnings("ignore:Image was not the expected size")
def test_picture_in_an_icon_has_the_size_it_has():
    processed = process(icon_hiding(encoded(two_tone((300, 200)), "PNG")))
    assert (processed.facts.width, processed.facts.height) == (300, 200)
    assert {made.width for made in processed.renditions} == {160, 300}


def test_grey_of_16_bits_has_its_colour():
    assert process(encoded(Image.new("I;16", (200, 100), 128 * 256), "TIFF")).facts.color == "#808080"


# --- Which way is up --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_by_exif(kind, orientation):
    data = encoded(laid(four_corners(), orientation), kind, exif=exif(orientation))
    facts = process(data).facts
    assert (facts.width, facts.height) == (400, 300)
    assert rendition(data).size == (400, 300)
    assert [near(rendition(data).getpixel(at), color) for at, color in CORNERS.items()] == [True] * 4


def test_large_turned_picture_has_its_width_after_the_turn():
    data = encoded(two_tone((2000, 3000)).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif(6))
    facts = process(data).facts
    assert (facts.width, facts.height) == (2000, 3000)
    assert rendition(data).size == (1280, 1920)
    assert is_upright(rendition(data))


# --- What goes out ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        ((1, 1), [1]),
        ((160, 90), [160]),
        ((161, 90), [160, 161]),
        ((400, 300), [160, 320, 400]),
        ((1000, 800), [160, 320, 640, 960, 1000]),
        ((1280, 720), [160, 320, 640, 960, 1280]),
        ((8000, 6000), [160, 320, 640, 960, 1280]),
        ((800, 12_000), [160, 320, 400]),
        ((100, 20_000), [30]),
        ((1, 6000), [1]),
    ],
)
def test_widths_are_never_beyond_the_original_nor_too_high(size, widths):
    assert widths_for(*size) == widths


PIXELS = st.integers(1, 100_000)


@given(PIXELS, PIXELS)
def test_widths_of_the_base_are_those_of_the_full_picture(width, height):
    """Rows know the full size alone, and name files by it."""
    assume(height <= width * MAX_HEIGHT)
    base = processing._base_size(width, height)
    assert widths_for(*base) == widths_for(width, height)
    assert base[0] == widths_for(width, height)[-1]
    assert base[1] <= MAX_HEIGHT


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 2_000), st.integers(1, 2_000), st.sampled_from([1, 6]))
def test_renditions_have_the_sizes_that_their_names_and_pages_say(width, height, orientation):
    assume(height <= 600 * width and width <= 600 * height)
    stored = (width, height) if orientation == 1 else (height, width)
    processed = process(encoded(Image.new("L", stored), "PNG", exif=exif(orientation), compress_level=0))
    assert (processed.facts.width, processed.facts.height) == (width, height)
    sizes = {Image.open(io.BytesIO(made.data)).size for made in processed.renditions}
    assert sizes == {(each, height_for(each, width, height)) for each in widths_for(width, height)}


@pytest.mark.parametrize("orientation", [1, 6])
def test_tall_picture_is_shown_narrow(orientation):
    tall = laid(four_corners((600, 30_000)), orientation)
    data = encoded(tall, "JPEG", exif=exif(orientation))
    facts = process(data).facts
    assert (facts.width, facts.height) == (600, 30_000)
    assert rendition(data).size == (120, 6_000)
    assert near(rendition(data).getpixel((90, 5_000)), YELLOW)
    assert near(rendition(data).getpixel((30, 5_000)), BLUE)


def test_a_rendition_for_each_width_in_two_formats():
    renditions = process(encoded(two_tone((1000, 500)), "JPEG")).renditions
    assert {(r.width, r.extension) for r in renditions} == {
        (width, extension) for width in (160, 320, 640, 960, 1000) for extension in ("webp", "jpg")
    }
    for made in renditions:
        image = Image.open(io.BytesIO(made.data))
        assert image.size == (made.width, made.width // 2)
        assert image.format == {"webp": "WEBP", "jpg": "JPEG"}[made.extension]


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF"])
def test_transparency_is_kept(kind):
    image = two_tone(mode="RGBA")
    image.paste((0, 0, 0, 0), (0, 150, 400, 300))
    data = encoded(image, kind)
    assert process(data).facts.has_alpha
    for extension in ("png", "webp"):
        assert rendition(data, extension).convert("RGBA").getpixel((200, 280))[3] == 0
        assert rendition(data, extension).convert("RGBA").getpixel((200, 80))[3] == 255


@pytest.mark.parametrize("mode", ["P", "L", "RGB"])
def test_transparent_colour_of_a_png_is_kept(mode):
    image = Image.new(mode, (200, 100), 0)
    image.paste(1 if mode != "RGB" else (9, 9, 9), (0, 0, 200, 50))
    data = encoded(image, "PNG", transparency=0 if mode != "RGB" else (0, 0, 0))
    made = rendition(data, "png").convert("RGBA")
    assert (made.getpixel((100, 90))[3], made.getpixel((100, 10))[3]) == (0, 255)


def telling(kind: str, mode: str, orientation: int) -> bytes:
    """A picture that says "taken at home" wherever its format has a place for words."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", "taken at home")
    text.add_itxt("XML:com.adobe.xmp", "<x>taken at home</x>")
    facts = exif(orientation)
    facts[0x010E] = "taken at home"
    image = two_tone(mode=mode)
    if mode == "RGBA":
        image.paste((0, 0, 0, 0), (0, 150, 400, 300))  # so that a PNG is made of it
    return encoded(
        image,
        kind,
        exif=facts,
        icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        **{"PNG": {"pnginfo": text}, "TIFF": {}, "JPEG": {"comment": b"taken at home"}}.get(kind, {}),
        **{} if kind in {"PNG", "TIFF"} else {"xmp": b"<x>taken at home</x>"},
    )


@pytest.mark.parametrize("orientation", [1, 6])
@pytest.mark.parametrize(
    ("kind", "mode"),
    [
        ("JPEG", "RGB"),
        ("PNG", "RGB"),
        ("PNG", "RGBA"),
        ("WEBP", "RGB"),
        ("WEBP", "RGBA"),
        ("TIFF", "RGB"),
        ("AVIF", "RGB"),
    ],
)
def test_place_maker_words_and_profile_are_dropped(kind, mode, orientation):
    data = telling(kind, mode, orientation)
    assert b"taken at home" in data
    renditions = process(data).renditions
    assert {made.extension for made in renditions} == {"webp", "png" if mode == "RGBA" else "jpg"}
    for made in renditions:
        image = Image.open(io.BytesIO(made.data))
        image.load()
        assert not image.getexif()
        assert not {"icc_profile", "comment", "Comment", "exif", "xmp", "XML:com.adobe.xmp"} & set(image.info)
        for words in (b"taken at home", b"Camera maker", b"Exif", b"ICC_PROFILE", b"ICCP", b"iCCP", b"XMP "):
            assert words not in made.data


def test_comment_of_a_gif_is_dropped():
    data = encoded(two_tone(mode="P"), "GIF", comment=b"taken at home")
    assert not any(b"taken at home" in made.data for made in process(data).renditions)


def test_equal_bytes_give_equal_renditions():
    data = encoded(two_tone((700, 500)), "JPEG")
    assert process(data) == process(data)


def test_dominant_colour_is_that_of_most_of_the_picture():
    assert process(encoded(two_tone(), "PNG")).facts.color in {"#ff0000", "#fe0000"}


def test_very_flat_picture_keeps_a_pixel_of_height():
    assert rendition(encoded(two_tone((3000, 10)), "PNG"), width=160).size == (160, 1)


def test_large_jpeg_is_decoded_small(monkeypatch):
    data = encoded(two_tone((6000, 4000)), "JPEG")
    resized = []
    resize = processing._resized
    monkeypatch.setattr(
        processing, "_resized", lambda image, *size: resized.append(image.width) or resize(image, *size)
    )
    process(data)
    assert max(resized) <= 3000


# --- What is refused --------------------------------------------------------------------------------


def test_too_many_bytes_are_refused_unread(monkeypatch):
    monkeypatch.setattr(processing, "MAX_BYTES", 100)
    with pytest.raises(BadImage) as caught:
        process(encoded(two_tone(), "PNG"))
    assert caught.value.code == "too_large"


PROGRESSIVE = encoded(two_tone(), "JPEG", progressive=True)
SCANS = PROGRESSIVE.count(b"\xff\xda")


@pytest.mark.parametrize(
    "data",
    [PROGRESSIVE, encoded(two_tone(), "MPO", progressive=True, save_all=True, append_images=[two_tone()])],
    ids=["JPEG", "MPO"],
)
def test_jpeg_of_too_many_scans_is_refused_undecoded(data, monkeypatch):
    """Each scan costs a pass over all pixels: a file of 342 KB with 2,000 of them took 37 seconds."""
    process(with_scans_repeated(data, 100 - SCANS))
    monkeypatch.setattr(processing.JpegImageFile, "load", lambda image: pytest.fail("It was decoded."))
    with pytest.raises(BadImage) as caught:
        process(with_scans_repeated(data, 101 - SCANS))
    assert caught.value.code == "too_many_scans"


def test_scan_markers_that_are_none_are_not_counted():
    """Phones append a film to their pictures, and a profile may hold any bytes."""
    markers = 200 * b"\xff\xda\0\x02"
    assert process(PROGRESSIVE + b"\0\0" + markers)
    assert process(encoded(two_tone(), "JPEG", comment=markers))


# --- What it costs ----------------------------------------------------------------------------------

MEASURE = """
import re, sys
from images.processing import process
process(sys.stdin.buffer.read())
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
"""
LARGEST = {
    "palette PNG": ("P", (5_830, 5_830), "PNG", {"transparency": 0}),
    "grey PNG with transparency": ("LA", (5_830, 5_830), "PNG", {}),
    "RGBA PNG": ("RGBA", (5_830, 5_830), "PNG", {}),
    "tall RGBA PNG": ("RGBA", (2_690, 12_600), "PNG", {}),
    "tall RGB PNG": ("RGB", (2_690, 12_600), "PNG", {}),
    "very tall RGBA PNG": ("RGBA", (400, 85_000), "PNG", {}),
    "16-bit PNG": ("I;16", (5_830, 5_830), "PNG", {}),
    "CMYK JPEG": ("CMYK", (7_200, 7_200), "JPEG", {}),
    "progressive CMYK JPEG": ("CMYK", (5_000, 4_800), "JPEG", {"progressive": True}),
    "tall JPEG": ("RGB", (800, 65_000), "JPEG", {}),
    "flat JPEG": ("RGB", (40_000, 1_290), "JPEG", {}),
    "WebP": ("RGBA", (3_535, 3_535), "WEBP", {"method": 0}),
    "AVIF": ("RGBA", (3_740, 3_740), "AVIF", {"speed": 10}),
}


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
@pytest.mark.parametrize(("mode", "size", "kind", "options"), LARGEST.values(), ids=LARGEST)
def test_largest_pictures_stay_under_300_megabytes(mode, size, kind, options):
    data = encoded(Image.new(mode, size), kind, **options)
    measured = subprocess.run([sys.executable, "-c", MEASURE], input=data, capture_output=True, check=True)
    assert int(measured.stdout) * 1024 < 300_000_000


def test_progressive_jpeg_that_would_hold_too_much_is_refused(monkeypatch):
    """The coefficients of all 4:2:0 pixels are 3 bytes a pixel, and wait in memory however small the draft."""
    monkeypatch.setattr(processing, "MAX_JPEG_BYTES", 3 * 4_000 * 4_000)
    flat = Image.new("RGB", (4_000, 4_000))
    assert process(encoded(flat, "JPEG"))
    with pytest.raises(BadImage) as caught:
        process(encoded(flat, "JPEG", progressive=True))
    assert caught.value.code == "too_many_pixels"
