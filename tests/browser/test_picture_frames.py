"""Pictures as readers' browsers choose, frame and load them."""

import re

import pytest
from playwright.sync_api import Page, expect

from images.models import RemoteImage
from tests.factories import add_picture, make_article, make_image, make_topic

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


@pytest.fixture
def lead() -> RemoteImage:
    """The picture of the first of a front page's stories, which has a page of its own."""
    oceans = make_topic("Oceans")
    for number in range(16):
        add_picture(make_article(title=f"Story {number}", topics=[oceans]), make_image(size=(320, 180)))
    image = make_image(size=(1600, 900))
    add_picture(make_article(stem="2026-03-02-lead", title="The lead", quality=90, topics=[oceans]), image)
    return image


def chosen_width(page: Page, image: RemoteImage) -> int:
    """The rendition of the picture that the browser shows."""
    picture = page.locator(f'img[src*="{image.content_hash}"]').first
    expect(picture).to_have_js_property("complete", True)
    return int(re.search(r"-(\d+)\.webp$", picture.evaluate("each => each.currentSrc"))[1])


@pytest.mark.parametrize(
    ("width", "scale", "rendition"), [(360, 1, 320), (360, 2, 640), (360, 3, 960), (1280, 1, 960), (1280, 2, 1280)]
)
def test_each_screen_gets_a_rendition_that_is_sharp_and_no_larger(visit, lead, width, scale, rendition):
    screen = {"width": width, "height": 800}
    page = visit(viewport=screen, device_scale_factor=scale).open("/news/2026-03-02-lead/")
    assert chosen_width(page, lead) == rendition


@pytest.mark.parametrize("width", [360, 1280])
@pytest.mark.parametrize("path", ["/", "/news/2026-03-02-lead/"])
def test_nothing_moves_when_the_pictures_come(visit, lead, path, width):
    visitor = visit(viewport={"width": width, "height": 800})
    visitor.page.add_init_script(SHIFTS)
    page = visitor.open(path)
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.shifted") == 0


@pytest.mark.parametrize("path", ["/", "/news/2026-03-02-lead/"])
def test_one_picture_comes_before_all_others_and_those_far_below_wait(visit, lead, path):
    page = visit().open(path)
    first = page.locator('img[fetchpriority="high"]')
    expect(first).to_have_count(1)
    assert lead.content_hash in first.get_attribute("src")
    assert first.get_attribute("loading") is None
    assert page.locator('img[loading="lazy"]').count() > 0


def test_colour_stands_behind_a_picture_and_the_focus_stays_in_view(visit, lead):
    RemoteImage.objects.filter(pk=lead.pk).update(color="#123364", focus_x=20, focus_y=80)
    page = visit().open("/news/2026-03-02-lead/")
    picture = page.locator(f'img[src*="{lead.content_hash}"]').first
    expect(picture).to_have_css("background-color", "rgb(0, 51, 102)")
    expect(picture).to_have_css("object-position", "20% 80%")
