import pytest
from django.core.exceptions import PermissionDenied

from articles.importing import Options, import_paths
from images.models import RemoteImage
from images.takedown import take_down
from images.tasks import wanted
from providers.models import Provider, ProviderImage
from providers.takedown import allow_pictures_again, pictures_of, take_down_pictures
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_user

pytestmark = pytest.mark.django_db

State = RemoteImage.State

STORY = """---
title: {title}
publishedDateTime: 2026-03-02T12:00:00Z
webUrl: https://outlet.example/{number}
provider:
  name: Outlet
  domain: outlet.example
images:
  - url: https://pictures.example/{number}.jpg
---
"""


@pytest.fixture
def manager():
    return make_user("Managers")


def states(*images: RemoteImage) -> list[str]:
    return [RemoteImage.objects.get(pk=image.pk).state for image in images]


@pytest.fixture
def outlet() -> Provider:
    return make_provider(domain="outlet.example")


def test_all_pictures_of_the_provider_are_taken_down_and_no_others(manager, outlet):
    own = add_picture(make_article(provider=outlet)).image
    other = make_article()
    foreign = add_picture(other).image
    beside = make_image()
    make_related(other, provider=outlet).pictures.create(image=beside)
    logo = make_image()
    ProviderImage.objects.create(provider=outlet, image=logo)
    uploaded = make_image(by_hand=True)
    RemoteImage.objects.filter(pk=uploaded.pk).update(by_hand=True)
    add_picture(make_article(provider=outlet), uploaded)
    assert take_down_pictures(outlet, by=manager, reason="They ask for it.") == 3
    assert states(own, beside, logo) == [State.TAKEN_DOWN] * 3
    assert states(foreign, uploaded) == [State.CACHED] * 2
    assert own.events.get().note == "They ask for it."
    assert Provider.objects.get(pk=outlet.pk).no_pictures == "They ask for it."


def test_what_an_import_brings_of_it_is_never_fetched(manager, outlet, tmp_path):
    take_down_pictures(outlet, by=manager, reason="They ask for it.")
    for number in (1, 2):
        (tmp_path / f"2026-03-02-{number}.md").write_text(STORY.format(title=f"Story {number}", number=number))
    assert import_paths([tmp_path], Options()).failed == []
    images = RemoteImage.objects.all()
    assert [(image.state, image.detail) for image in images] == [(State.TAKEN_DOWN, "They ask for it.")] * 2
    assert set(images.values_list("events__actor", "events__note")) == {(None, "They ask for it.")}


def test_pictures_of_others_in_the_same_import_are_fetched(manager, tmp_path):
    take_down_pictures(make_provider(), by=manager, reason="They ask for it.")
    (tmp_path / "2026-03-02-1.md").write_text(STORY.format(title="Story", number=1))
    import_paths([tmp_path], Options())
    assert RemoteImage.objects.get().state == State.PENDING


def test_picture_that_an_editor_chose_is_the_editors_business(manager, outlet, tmp_path):
    take_down_pictures(outlet, by=manager, reason="They ask for it.")
    chosen = add_picture(make_article(provider=outlet), wanted("https://agency.example/1.jpg")).image
    (tmp_path / "2026-03-02-1.md").write_text(STORY.format(title="Story", number=1))
    import_paths([tmp_path], Options())
    assert states(chosen) == [State.PENDING]


def test_allowed_again_they_are_fetched_and_so_are_new_ones(manager, outlet):
    image = add_picture(make_article(provider=outlet)).image
    take_down_pictures(outlet, by=manager, reason="A mistake.")
    assert allow_pictures_again(outlet, by=manager, reason="It was one.") == 1
    assert states(image) == [State.PENDING]
    assert Provider.objects.get(pk=outlet.pk).no_pictures == ""


def test_what_was_taken_down_for_itself_or_with_another_provider_stays_down(manager, outlet):
    other = make_provider()
    for_itself, shared, its_own = (add_picture(make_article(provider=outlet)).image for _ in range(3))
    add_picture(make_article(provider=other), shared)
    take_down(RemoteImage.objects.filter(pk=for_itself.pk), by=manager, reason="Court order.")
    take_down_pictures(outlet, by=manager, reason="They ask for it.")
    take_down_pictures(other, by=manager, reason="So do they.")
    assert allow_pictures_again(outlet, by=manager, reason="They changed their mind.") == 1
    assert states(for_itself, shared, its_own) == [State.TAKEN_DOWN, State.TAKEN_DOWN, State.PENDING]


def test_only_who_may(outlet):
    image = add_picture(make_article(provider=outlet)).image
    for verb in (take_down_pictures, allow_pictures_again):
        with pytest.raises(PermissionDenied):
            verb(outlet, by=make_user("Contributors"), reason="Because.")
    assert states(image) == [State.CACHED]
    assert list(pictures_of(outlet)) == [image]
