"""A film's page: our picture and a button, and of its host nothing but what the reader asks for."""

import pytest

from articles.models import Article
from tests.factories import add_picture, make_article

pytestmark = pytest.mark.django_db

FRAME = '<iframe src="https://www.youtube.com/embed/abc" onload="alert(1)"></iframe><script>alert(2)</script>'


def text_of(client, **overrides) -> str:
    story = make_article(**{"type": "video", "featured_content": FRAME} | overrides)
    add_picture(story)
    return client.get(story.get_absolute_url()).text


def test_film_has_a_button_its_host_and_one_script_of_ours(client):
    text = text_of(client)
    assert 'data-video="https://www.youtube-nocookie.com/embed/abc"' in text
    assert "Play the video</button>" in text
    assert "The video is played from www.youtube-nocookie.com, which is not contacted before." in text
    assert text.count('<script src="/static/js/video.js" defer></script>') == 1


def test_nothing_of_the_sources_html_is_on_the_page(client):
    text = text_of(client)
    assert "<iframe" not in text
    assert "alert(" not in text


@pytest.mark.parametrize(
    "overrides", [{"type": "article"}, {"featured_content": FRAME.replace("www.youtube.com", "evil.example")}]
)
def test_what_may_not_be_played_is_a_link_to_its_outlet(client, overrides):
    text = text_of(client, **overrides)
    assert "data-video" not in text
    assert "video.js" not in text
    assert "evil.example" not in text


def test_hosts_are_those_of_the_setting(client, settings):
    settings.EMBED_HOSTS = ["films.example"]
    assert "data-video" not in text_of(client)
    assert 'data-video="https://films.example/1"' in text_of(
        client, featured_content='<iframe src="https://films.example/1">'
    )


def test_other_pages_do_not_bring_the_script(client):
    make_article()
    assert "video.js" not in client.get("/").text
    assert Article.objects.count() == 1
