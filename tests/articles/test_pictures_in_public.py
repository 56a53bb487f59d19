"""Pictures that readers are not to see are named nowhere: not by hash, not by the address they came from."""

import json
import re

import pytest
import time_machine
from django.db.models import Q
from django.urls import reverse

from articles.models import Article, RelatedImage
from images.models import RemoteImage
from providers.models import Provider, ProviderImage
from tests.articles.test_visibility import HIDDEN, NOW, ROWS, addresses
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_topic

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


def provider_with_logo() -> Provider:
    provider = make_provider()
    ProviderImage.objects.create(provider=provider, image=make_image())
    return provider


def illustrated(**overrides) -> Article:
    """A story with a picture wherever one can be: its own, its outlet's, related stories' and their outlets'."""
    provider = provider_with_logo()
    logo = provider.logos.get().image.source_url
    as_given = {"name": provider.name, "domain": provider.domain, "images": [{"url": logo}]}
    values = {"title": "A headline", "provider": provider, "provider_ref": as_given, "published_at": NOW}
    story = make_article(**values | overrides)
    add_picture(story)
    related = make_related(story, provider=provider_with_logo())
    RelatedImage.objects.create(related_story=related, image=make_image())
    return story


def images_of(story: Article) -> list[RemoteImage]:
    outlets = Q(providers=story.provider_id) | Q(providers__related_stories__article=story)
    own = Q(articleimage_uses__article=story) | Q(relatedimage_uses__related_story__article=story)
    return list(RemoteImage.objects.filter(own | outlets).distinct())


def marks_of(images: list[RemoteImage]) -> set[str]:
    return {mark for image in images for mark in (image.content_hash, image.source_url)}


def public_text(client, *stories: Article) -> str:
    """All that readers and their programs get, whatever they ask for these stories."""
    return "\n".join(text_at(client, each) for name in ROWS for each in addresses(name, *stories))


def text_at(client, address: str) -> str:
    """What is written there, be it a picture."""
    return client.get(address).content.decode(errors="ignore")


def named(text: str, marks: set[str]) -> set[str]:
    return {mark for mark in marks if mark in text}


@pytest.fixture
def story() -> Article:
    return illustrated(publish_at=NOW, topics=[make_topic()])


@pytest.mark.parametrize("state", HIDDEN)
def test_pictures_of_a_story_that_is_not_public_are_named_nowhere(client, story, state):
    hidden = illustrated(stem="2026-03-02-hidden", topics=[make_topic(), *story.topics.all()], **HIDDEN[state])
    secret = marks_of(images_of(hidden)) - marks_of(images_of(story))
    assert len(secret) == 8
    assert named(public_text(client, story, hidden), secret) == set()


def test_pictures_of_a_public_story_are_there(client, story):
    own, logo = story.pictures.get().image, story.provider.logo
    related = RelatedImage.objects.get().image
    shown = {own.content_hash, logo.content_hash, related.content_hash, own.source_url, logo.source_url}
    assert named(public_text(client, story), marks_of(images_of(story))) == shown


def test_source_addresses_are_for_the_programs_that_ask_for_json(client, story):
    addresses_of_sources = {image.source_url for image in images_of(story)}
    for name in ROWS:
        if not name.startswith("api_"):
            for address in addresses(name, story):
                assert named(text_at(client, address), addresses_of_sources) == set(), address


# --- Taken down -----------------------------------------------------------------------------------


def take_down(*images: RemoteImage) -> None:
    """As `images.takedown` does, but for the files and the log. The hash stays."""
    keys = [image.pk for image in images]
    RemoteImage.objects.filter(pk__in=keys).update(state=RemoteImage.State.TAKEN_DOWN, next_attempt_at=None)


def test_pictures_that_were_taken_down_are_named_nowhere(client, story):
    images = images_of(story)
    assert named(public_text(client, story), marks_of(images))
    take_down(*images)
    assert named(public_text(client, story), marks_of(images)) == set()


def test_story_whose_picture_was_taken_down_is_shared_with_its_words_alone(client, story):
    assert shared_picture(client, story).startswith("/media/renditions/")
    take_down(story.pictures.get().image)
    assert shared_picture(client, story).startswith(f"/share/article/{story.pk}/")


def shared_picture(client, story: Article) -> str:
    text = client.get(story.get_absolute_url()).text
    [address] = re.findall('<meta property="og:image" content="http://testserver([^"]+)">', text)
    return address


def test_other_pictures_stay_in_the_json(client, story):
    gone, stays = story.pictures.get().image, make_image(cached=False)
    add_picture(story, stays)
    take_down(gone)
    [data] = client.get(reverse("api_news")).json()["value"]
    assert [image["url"] for image in data["images"]] == [stays.source_url]
    assert [image["url"] for image in data["provider"]["images"]] == [story.provider.logo.source_url]


def test_json_of_a_story_that_never_had_pictures_says_so_as_before(client):
    make_article(provider=None)
    [data] = client.get(reverse("api_news")).json()["value"]
    assert (data["images"], data["provider"]) == (None, None)


def test_story_page_shows_no_caption_of_a_picture_that_was_taken_down(client):
    story = make_article()
    use = add_picture(story, title="What one saw in it", attribution="Who took it")
    assert "Who took it" in client.get(story.get_absolute_url()).text
    take_down(use.image)
    text = client.get(story.get_absolute_url()).text
    assert "Who took it" not in text
    assert "What one saw in it" not in json.dumps(client.get(reverse("api_news")).json())
