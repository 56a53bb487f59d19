"""Words as pictures."""

import io

import pytest
from PIL import Image, ImageChops

from images.cards import SIZE, Card, draw


def drawn(*words: str) -> Image.Image:
    image = Image.open(io.BytesIO(draw(Card(*words))))
    assert (image.format, image.size) == ("PNG", SIZE)
    return image.convert("L")


def ink(image: Image.Image) -> tuple[int, int, int, int] | None:
    """Where the headline's part of the card is not paper."""
    part = image.crop((0, 140, SIZE[0], 520))
    return (
        ImageChops.difference(part, Image.new("L", part.size, part.getpixel((0, 0))))
        .point(lambda v: v > 40 and 255)
        .getbbox()
    )


@pytest.mark.parametrize(
    "headline",
    [
        "Rain",
        "Rain and wind " * 30,
        "W" * 5_000,
        "Donaudampfschifffahrt" * 40,
        "Привет, Ωμέγα – “Größe” № 1",
        "a\x00b\u202ec\n\nd",
    ],
)
def test_headline_is_drawn_within_its_margins(headline):
    left, top, right, bottom = ink(drawn("Copydesk", headline, "Weatherglass"))
    assert left >= 60
    assert right <= SIZE[0] - 60
    assert bottom - top <= 370


@pytest.mark.parametrize("headline", ["東京の話", "أخبار اليوم", "🚋🚋", "", "\u200b\u2060"])
def test_headline_that_the_font_cannot_show_gives_way_to_the_nameplate(headline):
    assert draw(Card("Copydesk", headline, "朝日")) == draw(Card("Copydesk", ""))


def test_pictographs_alone_are_left_out():
    assert draw(Card("Copydesk", "The 🚋 is back")) == draw(Card("Copydesk", "The is back"))


def test_card_with_no_words_at_all_is_a_picture_still():
    assert ink(drawn("", "", "", "")) is None


def test_equal_cards_are_equal_pictures_and_others_have_other_digests():
    assert draw(Card("A", "B", "C", "D")) == draw(Card("A", "B", "C", "D"))
    cards = [Card("A", "B"), Card("B", "A"), Card("A", "B", "C"), Card("A", "B", "", "C"), Card("AB", "")]
    assert len({card.digest for card in cards}) == len(cards)
