"""Editors and their pictures, in a real browser."""

import pytest
from playwright.sync_api import Page, expect

from images import caching, queue
from images.models import RemoteImage
from tests.browser.test_editors import log_in
from tests.factories import add_picture, make_article, make_image, make_user, png

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True, serialized_rollback=True)]

LIST = "/admin/images/remoteimage/"


def focus_of(image: RemoteImage) -> tuple[int, int]:
    return RemoteImage.objects.values_list("focus_x", "focus_y").get(pk=image.pk)


def click_at(page: Page, x: float, y: float) -> None:
    """On the picture, as parts of its width and height, once its script is there."""
    expect(page.locator(".focus-marker")).to_be_visible()
    box = page.locator(".focus-frame").bounding_box()
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


def test_editor_sets_the_focus_by_a_click_and_moves_it_with_the_arrow_keys(visit):
    image = make_image(size=(800, 400))
    page = visit().open(f"{LIST}{image.pk}/change/")
    log_in(page, make_user("Editors"))
    click_at(page, 0.25, 0.75)
    expect(page.get_by_label("Focus from the left")).to_have_value("25")
    expect(page.get_by_label("Focus from the top")).to_have_value("75")

    for key in ("ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    expect(page.get_by_role("button", name="Focus: 26 per cent from the left, 65 from the top.")).to_be_focused()
    for crop in page.locator(".focus-crop img").all():
        expect(crop).to_have_css("object-position", "26% 65%")

    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("changed successfully")
    assert focus_of(image) == (26, 65)


def test_numbers_move_the_focus_too_and_stay_within_the_picture(visit):
    image = make_image()
    page = visit().open(f"{LIST}{image.pk}/change/")
    log_in(page, make_user("Editors"))
    page.get_by_label("Focus from the left").fill("0")
    marker = page.get_by_role("button", name="Focus: 0 per cent from the left, 50 from the top.")
    marker.press("ArrowLeft")
    expect(page.get_by_label("Focus from the left")).to_have_value("0")


def test_picture_shows_itself_on_its_page_when_it_arrives(visit):
    image = make_image(cached=False)
    page = visit().open(f"{LIST}{image.pk}/change/")
    log_in(page, make_user("Editors"))
    expect(page.get_by_text("This page shows it as soon as it arrives.")).to_be_visible()
    expect(page.locator(".focus-frame")).to_have_count(0)

    caching.store(image, png())
    expect(page.locator(".focus-frame img")).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("The picture: Cached.")
    click_at(page, 0.5, 0.1)
    expect(page.get_by_label("Focus from the top")).to_have_value("10")


def test_focus_that_is_being_edited_is_not_lost_when_the_picture_arrives(visit):
    image = make_image()
    queue.mark_pending(RemoteImage.objects.all())
    page = visit().open(f"{LIST}{image.pk}/change/")
    log_in(page, make_user("Editors"))
    page.get_by_label("Focus from the left").fill("33")
    RemoteImage.objects.filter(pk=image.pk).update(state="cached", next_attempt_at=None)
    expect(page.get_by_text("There is news.")).to_be_visible()
    expect(page.get_by_label("Focus from the left")).to_have_value("33")


def test_page_without_scripts_keeps_the_numbers_and_says_when_to_look_again(visit):
    there, waiting = make_image(), make_image(cached=False)
    visitor = visit(java_script_enabled=False)
    page = visitor.open(f"{LIST}{there.pk}/change/")
    log_in(page, make_user("Editors"))
    expect(page.get_by_text("Click on what has to stay in view")).to_be_hidden()
    page.get_by_label("Focus from the top").fill("90")
    page.get_by_role("button", name="Save", exact=True).click()
    assert focus_of(there) == (50, 90)
    visitor.open(f"{LIST}{waiting.pk}/change/")
    expect(page.get_by_text("Load this page again to see whether it has arrived.")).to_be_visible()


def test_manager_takes_pictures_down_from_the_list(visit):
    images = [make_image(), make_image()]
    page = visit().open(LIST)
    log_in(page, make_user("Managers"))
    page.locator("#action-toggle").check()
    page.get_by_label("Action:").select_option("Take down…")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("2 addresses")).to_be_visible()
    page.get_by_label("Reason").fill("The agency asked us to.")
    page.get_by_role("button", name="Take down").click()
    expect(page.locator(".messagelist")).to_contain_text("2 addresses were taken down.")
    assert not RemoteImage.objects.filter(pk__in=[image.pk for image in images]).exclude(state="taken_down").exists()


def test_pages_of_pictures_fit_a_phone(visit):
    image = make_image(size=(900, 600), source_url="https://pictures.example/" + "very-long-" * 30 + "path.jpg")
    add_picture(make_article(), image)
    lost = make_image(cached=False, state="failed", detail="x" * 300)
    visitor = visit(viewport={"width": 320, "height": 640})
    log_in(visitor.open("/admin/"), make_user("Managers"))
    for path in (
        *(LIST, f"{LIST}{image.pk}/change/", f"{LIST}{lost.pk}/change/"),
        *(f"{LIST}add/", f"{LIST}{image.pk}/replace/", f"{LIST}take-down/?keys={image.pk}"),
    ):
        visitor.open(path)
        assert visitor.overflow() <= 0, path
