import io
import re
from itertools import product
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.core.files.storage import default_storage
from django.template import Context, Template, TemplateSyntaxError
from PIL import Image

from images import caching
from images.framing import CHANNEL, FOCUS_STEP
from images.thumbnails import thumbnail
from tests.factories import add_picture, make_article, make_image
from tests.images.pictures import encoded, exif, icon_hiding, two_tone

pytestmark = pytest.mark.django_db

HOSTILE = '"><script>alert(1)</script>'


def rendered(subject, arguments: str = "", **context) -> str:
    template = Template("{% load pictures %}{% picture subject " + arguments + " %}")
    return template.render(Context({"subject": subject, **context}))


def test_picture_offers_every_width_in_both_formats():
    image = make_image(size=(700, 350))
    html = rendered(image, 'alt="A bridge" sizes="(min-width: 40em) 50vw, 100vw" class="card-picture"')
    for width in (160, 320, 640, 700):
        assert f"{image.rendition_url(width, 'webp')} {width}w" in html
        assert f"{image.rendition_url(width, 'universal')} {width}w" in html
    assert html.startswith('<picture class="picture card-picture"><source type="image/webp"')
    assert f'src="{image.rendition_url(640, "universal")}"' in html
    assert 'width="700" height="350" alt="A bridge"' in html
    assert html.count('sizes="(min-width: 40em) 50vw, 100vw"') == 2


ODDLY_SHAPED = {
    "portrait": encoded(two_tone((700, 1500)), "PNG"),
    "large portrait": encoded(two_tone((1501, 2003)), "JPEG"),
    "turned": encoded(two_tone((2003, 1501)), "JPEG", exif=exif(6)),
    "tiny": encoded(two_tone((9, 30)), "PNG"),
    "flat": encoded(two_tone((3000, 20)), "PNG"),
    "icon of another size": icon_hiding(encoded(two_tone((300, 400)), "PNG")),
}


@pytest.mark.filterwarnings("ignore:Image was not the expected size")
@pytest.mark.parametrize("data", ODDLY_SHAPED.values(), ids=ODDLY_SHAPED)
def test_every_address_and_size_on_the_page_is_true(data):
    image = make_image(cached=False)
    caching.store(image, data)
    html = rendered(image)
    offered = re.findall(r"/media/(\S+) (\d+)w", html)
    assert len(offered) == 2 * len(image.rendition_widths())
    for name, width in offered:
        with default_storage.open(name) as file:
            assert Image.open(io.BytesIO(file.read())).width == int(width)
    with default_storage.open(offered[-1][0]) as file:
        width, height = Image.open(io.BytesIO(file.read())).size
    assert f'width="{width}" height="{height}"' in html


def test_lead_is_loaded_first_and_others_late():
    image = make_image()
    assert 'fetchpriority="high"' in rendered(image, "lead=True")
    assert "loading" not in rendered(image, "lead=True")
    assert 'loading="lazy"' in rendered(image)
    assert "fetchpriority" not in rendered(image)


def test_picture_of_the_first_screen_does_not_wait():
    html = rendered(make_image(), "eager=True")
    assert "loading" not in html
    assert "fetchpriority" not in html


# --- In its frame ---------------------------------------------------------------------------------


def classes_of(html: str) -> list[str]:
    """Those of the `<img>`, but the one that all thumbnails have."""
    assert "style=" not in html
    return [name for name in re.search(r'<img class="([^"]*)"', html)[1].split() if name != "thumbnail"]


@pytest.fixture(params=[rendered, thumbnail], ids=["picture", "thumbnail"])
def shown(request):
    """Makes HTML of an image: on readers' pages, and in the admin."""
    return request.param


@pytest.mark.parametrize(
    ("color", "tint"),
    [("#000000", "000"), ("#ffffff", "fff"), ("#33cc99", "3c9"), ("#19197f", "006"), ("#1a1a80", "339")],
)
def test_dominant_colour_shows_while_a_picture_loads(shown, color, tint):
    image = make_image()
    image.color = color
    assert classes_of(shown(image)) == [f"tint-{tint}"]


def test_processed_pictures_have_a_colour_to_show(shown):
    assert classes_of(shown(make_image()))[0].startswith("tint-")


def test_nothing_shows_through_a_transparent_picture(shown):
    image = make_image(cached=False)
    caching.store(image, encoded(Image.new("RGBA", (400, 300), (200, 0, 0, 90)), "PNG"))
    assert image.color
    assert classes_of(shown(image)) == []


@pytest.mark.parametrize(
    ("focus", "classes"),
    [
        ((30, 0), ["focus-x-30", "focus-y-0"]),
        ((100, 50), ["focus-x-100"]),
        ((48, 53), ["focus-y-55"]),
        ((50, 50), []),
    ],
)
def test_what_matters_stays_in_view_when_a_picture_is_cropped(shown, focus, classes):
    image = make_image()
    image.color, (image.focus_x, image.focus_y) = "", focus
    assert classes_of(shown(image)) == classes


@pytest.mark.parametrize(
    "color",
    ["red", "#ABCDEF", "#abcde", "#abcdef;", "#abcdef\n", "#abcdef}", 'x"><script>', "url(//x.example)"],
)
def test_nothing_but_a_colour_becomes_a_class(shown, color):
    image = make_image()
    image.color = color
    assert classes_of(shown(image)) == []


def test_style_sheet_has_the_classes_that_pictures_get():
    tints = ["".join(channels) for channels in product(CHANNEL, repeat=3)]
    places = [(side, at) for side in "xy" for at in range(0, 101, FOCUS_STEP) if at != 50]
    rules = [f".tint-{tint}{{background-color:#{tint}}}" for tint in tints]
    rules += [f".focus-{side}-{at}{{--focus-{side}:{at}%}}" for side, at in places]
    sheet = Path(finders.find("css/frames.css")).read_text()
    assert sheet.partition("\n")[2] == "".join(f"{rule}\n" for rule in rules)


# --- Words, and pictures that are not there -------------------------------------------------------


def test_use_brings_its_own_alternative_text():
    use = add_picture(make_article(), make_image(), alt="From the use")
    assert 'alt="From the use"' in rendered(use)
    assert 'alt="From the page"' in rendered(use, 'alt="From the page"')
    assert 'alt=""' in rendered(use, 'alt=""')


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_placeholder_stands_in_for_a_picture_that_is_not_there(state):
    image = make_image(cached=False, state=state, source_url="https://remote.example/secret.png")
    html = rendered(image, 'alt="A bridge" label="wired" class="wide"')
    assert html == (
        '<span class="picture placeholder wide" role="img" aria-label="A bridge">'
        '<span class="placeholder-letter" aria-hidden="true">W</span></span>'
    )


def test_placeholder_without_meaning_is_hidden_from_screen_readers():
    html = rendered(None)
    assert html.startswith('<span class="picture placeholder" aria-hidden="true">')
    assert "role" not in html


def test_remote_address_is_never_shown():
    image = make_image(source_url="https://remote.example/a.png")
    assert "remote.example" not in rendered(image)
    assert "remote.example" not in thumbnail(image)


@pytest.mark.parametrize("cached", [True, False])
def test_everything_is_escaped(cached):
    html = rendered(make_image(cached=cached), "alt=evil sizes=evil class=evil label=evil", evil=HOSTILE)
    assert "<script>" not in html
    assert "style=" not in html


def test_unknown_argument_is_an_error():
    with pytest.raises(TemplateSyntaxError, match="heigth"):
        rendered(None, "heigth=3")


def test_pictures_cost_no_query(django_assert_num_queries):
    image = make_image()
    with django_assert_num_queries(0):
        rendered(image)
        thumbnail(image)


def test_thumbnail_is_the_smallest_rendition():
    image = make_image(size=(400, 200))
    html = thumbnail(image)
    assert f'src="{image.rendition_url(160, "webp")}" width="160" height="80" alt=""' in html
    assert f'src="{image.rendition_url(320, "webp")}"' in thumbnail(image, at_least=320)
    assert f'src="{image.rendition_url(400, "webp")}"' in thumbnail(image, at_least=900)


def test_thumbnail_of_nothing_is_an_empty_frame():
    assert thumbnail(None) == thumbnail(make_image(cached=False))
    assert "placeholder" in thumbnail(None)
