"""What a process remembers of the site holds as long as the site is the same, and no longer."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction

from articles import public
from articles import remembered as memory
from articles.models import Article
from articles.remembered import answering, remembered, version
from tests.factories import NOON, make_article, make_topic

# Tokens tell of what was committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept(settings):
    settings.PAGE_CACHE_SECONDS = 600


@pytest.fixture
def made():
    """How often something was made anew for the site as it is."""
    times = iter(range(100))
    name = f"a test of {id(times)}"
    return lambda: remembered(name, lambda: next(times))


def test_value_is_made_once_until_readers_see_something_else(made):
    story = make_article()
    assert (made(), made()) == (0, 0)
    make_article(public=False, provider=story.provider)
    assert made() == 0
    Article.objects.filter(pk=story.pk).update(title="Another")
    assert (made(), made()) == (1, 1)


def test_value_is_made_anew_when_a_story_comes_or_goes_by_the_clock(made):
    make_article(publish_at=NOON, unpublish_at=NOON + timedelta(hours=1))
    with time_machine.travel(NOON - timedelta(seconds=1), tick=False) as clock:
        assert made() == 0
        for number, moment in enumerate((NOON, NOON + timedelta(hours=1)), start=1):
            clock.move_to(moment - timedelta(microseconds=1))
            assert made() == number - 1
            clock.move_to(moment)
            assert made() == number


def test_nothing_is_remembered_of_a_transaction(made):
    with transaction.atomic():
        assert version() is None
        assert (made(), made()) == (0, 1)


def test_navigation_costs_one_query_while_it_is_known(django_assert_num_queries):
    science = make_topic("Science")
    make_article(topics=[science])
    names = [section.name for section in public.sections()]
    with django_assert_num_queries(1):
        assert [section.name for section in public.sections()] == names == ["Science"]
    science.delete()
    assert public.sections() == ()


def test_request_asks_for_the_version_once_and_what_is_committed_meanwhile_is_for_the_next(
    made, django_assert_num_queries
):
    story = make_article()
    assert made() == 0
    with answering(version()):
        with django_assert_num_queries(0):
            assert made() == 0
        Article.objects.filter(pk=story.pk).update(title="Another")
        assert made() == 0
    assert made() == 1


def test_nothing_is_remembered_of_a_transaction_within_a_request(made):
    make_article()
    with answering(version()), transaction.atomic():
        assert (made(), made()) == (0, 1)


def test_no_more_is_remembered_than_fits(monkeypatch):
    make_article()
    monkeypatch.setattr(memory, "MOST", 3)
    for number in range(20):
        assert remembered(("a number", number), lambda number=number: number) == number
        assert len(memory._values) <= 3


def test_all_stories_of_a_topic_share_what_is_newest_in_it(client, django_assert_num_queries):
    science = make_topic("Science")
    first, second, third = (make_article(topics=[science]) for _ in range(3))
    for story, others in ((first, (second, third)), (second, (first, third))):
        more = client.get(story.get_absolute_url()).text.partition('id="more"')[2]
        assert story.get_absolute_url() not in more
        assert all(other.get_absolute_url() in more for other in others)
    with django_assert_num_queries(4):  # the version, the story, its topics, who else told it
        client.get(third.get_absolute_url())
    Article.objects.filter(pk=first.pk).update(title="What it is called now")
    assert "What it is called now" in client.get(third.get_absolute_url()).text
