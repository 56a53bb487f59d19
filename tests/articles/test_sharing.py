"""Pictures for links to pages that have none."""

import io

import pytest
from PIL import Image

from articles import sharing
from articles.sharing import address_of, share_picture
from tests.factories import add_picture, make_article, make_image, make_provider, make_topic

pytestmark = pytest.mark.django_db


def test_story_without_a_picture_its_topic_its_outlet_and_the_site_have_one_drawn(client):
    topic, provider = make_topic("Oceans"), make_provider()
    story = make_article(topics=[topic], provider=provider)
    addresses = [address_of(record) for record in (story, topic, provider, None)]
    assert len(set(addresses)) == 4
    for address in addresses:
        response = client.get(address)
        assert (response.status_code, response["Content-Type"]) == (200, "image/png")
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert Image.open(io.BytesIO(response.content)).size == (1200, 630)


def test_drawn_picture_says_what_stands_on_it():
    picture = share_picture(make_article(title="Rain &amp; wind"))
    assert (picture.width, picture.height, picture.alt) == (1200, 630, "Rain & wind – Copydesk")


def test_picture_that_is_too_narrow_gives_way_to_a_drawn_one():
    for size, own in (((299, 400), False), ((320, 400), True)):
        story = make_article()
        add_picture(story, make_image(size=size))
        assert ("/media/" in share_picture(story).url) is own


def test_address_of_other_words_leads_to_the_words_of_now_and_is_kept_by_nobody(client):
    story = make_article(title="First")
    old = address_of(story)
    story.title = "Second"
    story.save()
    response = client.get(old)
    assert (response.status_code, response["Location"]) == (302, address_of(story))
    assert response["Cache-Control"] == "private, no-cache"
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        *("article/0/" + "0" * 20, "article/99999999999999999999999/" + "0" * 20, "user/1/" + "0" * 20),
        *("article/1/x", "site/y"),
    ],
)
def test_nothing_else_is_drawn(client, address):
    assert client.get(f"/share/{address}.png").status_code == 404


def test_words_are_drawn_once(client, monkeypatch):
    cards = []
    monkeypatch.setattr(sharing, "draw", lambda card: cards.append(card) or b"png")
    story = make_article(title="Drawn once, whoever asks")
    for _ in range(3):
        assert client.get(address_of(story)).content == b"png"
    assert len(cards) == 1


def test_picture_of_a_story_is_asked_for_with_one_query(client, django_assert_num_queries):
    address = address_of(make_article())
    with django_assert_num_queries(1):
        client.get(address)
