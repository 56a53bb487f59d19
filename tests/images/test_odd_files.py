"""Every odd file is shown as it was meant, or refused by name; all of them together cost little memory."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from images.processing import BadImage, process
from tests.images.odd_files import ODD_FILES, OTHERS, Shown
from tests.images.pictures import near

# Pillow's own remarks about such files. On a running site they go to the log, once; the last is silenced there.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Corrupt EXIF data"),
    pytest.mark.filterwarnings("ignore:Image was not the expected size"),
    pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning"),
]

SHOWN = {name: (make, expected) for name, (make, expected) in ODD_FILES.items() if isinstance(expected, Shown)}
REFUSED = {name: (make, expected) for name, (make, expected) in ODD_FILES.items() if isinstance(expected, str)}


def color_at(image: Image.Image, place: tuple[float, float]) -> tuple[int, ...]:
    """Times its opacity: what is see-through has no colour."""
    across, down = place
    return image.convert("RGBA").convert("RGBa").getpixel((int(across * image.width), int(down * image.height)))


@pytest.mark.parametrize(("make", "expected"), SHOWN.values(), ids=SHOWN)
def test_shown_upright_in_its_size_and_colours(make, expected):
    processed = process(make())
    assert (processed.facts.width, processed.facts.height) == expected.size
    for made in processed.renditions:
        image = Image.open(io.BytesIO(made.data))
        for place, color in expected.colors.items():
            assert near(color_at(image, place), color), (made.extension, made.width, place)


@pytest.mark.parametrize(("make", "code"), REFUSED.values(), ids=REFUSED)
def test_refused_with_a_code_and_a_plain_sentence(make, code):
    with pytest.raises(BadImage) as caught:
        process(make())
    assert caught.value.code == code
    assert caught.value.detail.endswith(".")


@pytest.mark.parametrize(("make", "name"), OTHERS.values(), ids=OTHERS)
def test_what_is_no_picture_of_ours_is_called_by_its_name(make, name):
    with pytest.raises(BadImage) as caught:
        process(make())
    assert caught.value.code == "unsupported_format"
    assert name in caught.value.detail


def test_comments_without_end_are_named_in_no_time():
    """Each of these comments may end at any of the others: tried one after the other, that would take for ever."""
    with pytest.raises(BadImage) as caught:
        process(b"<!---->" * 500)
    assert caught.value.code == "unsupported_format"


POLYGLOTS = [name for name, (make, _) in SHOWN.items() if b"alert(1)" in make() or b"evil.txt" in make()]


@pytest.mark.parametrize("name", POLYGLOTS)
def test_polyglot_is_re_encoded_without_its_other_half(name):
    for made in process(SHOWN[name][0]()).renditions:
        assert b"alert(1)" not in made.data
        assert b"evil.txt" not in made.data


PROCESS_FOLDER = """
import pathlib, re, sys
from images.processing import BadImage, process
codes = {}
for path in sorted(pathlib.Path(sys.argv[1]).iterdir()):
    try:
        process(path.read_bytes())
        codes[path.name] = ""
    except BadImage as error:
        codes[path.name] = error.code
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1]
print(repr((codes, int(peak))))
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="asks Linux for the peak")
def test_folder_of_all_odd_files_takes_less_than_300_megabytes(tmp_path):
    odd = ODD_FILES | {name: (make, "unsupported_format") for name, (make, _) in OTHERS.items()}
    assert len(odd) > 60
    for number, (make, _) in enumerate(odd.values()):
        Path(tmp_path, f"{number:03}").write_bytes(make())
    ran = subprocess.run([sys.executable, "-c", PROCESS_FOLDER, tmp_path], capture_output=True, check=True, text=True)
    codes, peak = eval(ran.stdout)
    expected = ["" if isinstance(outcome, Shown) else outcome for _, outcome in odd.values()]
    assert codes == {f"{number:03}": code for number, code in enumerate(expected)}
    assert peak * 1024 < 300_000_000
