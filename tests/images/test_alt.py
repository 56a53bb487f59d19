"""What is said of an alternative text."""

import pytest

from images.alt import MISSING, alt_warning

ADDRESS = "https://pictures.example/2026/ebb%2Dtide.jpg?w=640"


@pytest.mark.parametrize("alt", ["", "  ", "\n"])
def test_empty_text_is_missing(alt):
    assert alt_warning(alt) == MISSING


@pytest.mark.parametrize(
    "alt",
    [
        *(
            "IMG_1234",
            "img 20260302 0012",
            "DSC00012.JPG",
            "DSCN0012",
            "PXL_20260302",
            "P1010023",
            "Screenshot 2026-03-02",
        ),
        *("shutterstock_123456", "GettyImages-99", "WhatsApp Image 2026-03-02 at 10.00.00"),
        *("photo-final2.png", "photo-final2", "team_photo", "A fine view.webp", "three-words-here", "cat-640x480"),
        *("123456", "6f1ed002ab5595859014ebf0951522d9", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
    ],
)
def test_name_of_a_file_is_no_alternative_text(alt):
    assert alt_warning(alt) == f"“{alt}” is the name of a file, not what the picture shows."


@pytest.mark.parametrize("alt", ["ebb-tide.jpg", "ebb-tide", "Ebb-Tide"])
def test_last_part_of_the_address_is_the_name_of_a_file(alt):
    assert "is the name of a file" in alt_warning(alt, ADDRESS)


@pytest.mark.parametrize("alt", ["image", "Photo", "picture", "The photo.", "Image 3", "featured image", "Untitled"])
def test_word_for_any_picture_says_nothing(alt):
    assert alt_warning(alt) == f"“{alt}” does not say what the picture shows."


@pytest.mark.parametrize(
    "alt",
    [
        *("A cat on a wall", "Photo of a cat", "Lighthouse", "COVID-19 test", "GPT-4", "MH370", "Airbus A350-900"),
        *("Picture this: a cat", "Ebb tide", "Ein Hafen bei Nacht", "夜の港", "Imgard 3 at sea", "In 1066 and 1492"),
    ],
)
def test_words_about_the_picture_are_not_warned_of(alt):
    assert alt_warning(alt, ADDRESS) == ""


def test_address_whose_name_is_a_sentence_lends_its_words():
    assert alt_warning("A cat on a wall", "https://pictures.example/A%20cat%20on%20a%20wall.jpg") == ""


def test_address_that_cannot_be_read_is_no_obstacle():
    assert alt_warning("Harbour", "https://[pictures.example/harbour.jpg") == ""


def test_long_name_is_quoted_in_short():
    assert alt_warning(f"{'x' * 300}.jpg") == f"“{'x' * 39}…” is the name of a file, not what the picture shows."
