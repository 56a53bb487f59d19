"""Lists of stories, a page at a time."""

import itertools
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.http import Http404
from django.test import RequestFactory
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase as PropertyTestCase

from articles import public
from articles.views.pages import STORIES_A_PAGE, Cursor, stretch_of
from tests.factories import NOON, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db


def page(query: str = ""):
    return stretch_of(RequestFactory().get(f"/{query}"), public.stories())


def keys(stretch) -> list[int]:
    return [card.pk for card in stretch]


def walk_forward() -> list[list[int]]:
    pages = [page()]
    while pages[-1].older:
        pages.append(page(pages[-1].older))
    return [keys(each) for each in pages]


def walk_back(query: str) -> list[list[int]]:
    pages = [page(query)]
    while pages[-1].newer:
        pages.append(page(pages[-1].newer))
    return [keys(each) for each in reversed(pages)]


class EveryStoryOnceTest(PropertyTestCase):
    """Whatever the dates, many the same: there and back again."""

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=2 * STORIES_A_PAGE + 10))
    def test_both_ways_show_each_story_once_in_order(self, minutes):
        provider = make_provider()
        for number in minutes:
            make_article(published_at=NOON + timedelta(minutes=number), provider=provider)
        expected = list(public.stories().values_list("pk", flat=True))
        forward = walk_forward()
        assert list(itertools.chain(*forward)) == expected
        last = page()
        while last.older:
            query, last = last.older, page(last.older)
            assert walk_back(query) == forward[: len(walk_back(query))]


def test_first_page_has_no_query_of_its_own_however_one_comes_to_it():
    stories = [make_article(published_at=NOON - timedelta(minutes=number)) for number in range(STORIES_A_PAGE + 5)]
    back = page(page(page().older).newer)
    assert (keys(back), back.query, back.newer) == (keys(page()), "", "")
    ahead = page(f"?before={Cursor(NOON + timedelta(days=1), 1)}")
    assert (keys(ahead), ahead.query) == (keys(page()), "")
    assert keys(page(page().older)) == [story.pk for story in stories[STORIES_A_PAGE:]]


def test_further_page_has_one_address_of_its_own_whichever_way_one_comes_to_it():
    for number in range(3 * STORIES_A_PAGE + 5):
        make_article(published_at=NOON - timedelta(minutes=number // 3))
    second = page(page().older)
    third = page(second.older)
    back = page(third.newer)
    assert (keys(back), back.query) == (keys(second), second.query)
    assert second.query == page().older
    assert keys(page(back.query)) == keys(back)


def test_place_of_a_story_that_is_gone_is_still_a_place():
    stories = [make_article(published_at=NOON - timedelta(minutes=number)) for number in range(STORIES_A_PAGE + 5)]
    older = page().older
    stories[STORIES_A_PAGE - 1].delete()
    assert keys(page(older)) == [story.pk for story in stories[STORIES_A_PAGE:]]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "2026-03-02",
        "2026-03-02T12:00:00Z",
        "2026-03-02T12:00:00_1",
        "2026-03-02T12:00:00Z_0",
        "2026-03-02T12:00:00Z_01",
        "2026-03-02T12:00:00Z_-1",
        "2026-03-02T12:00:00Z_1 ",
        "2026-03-02T12:00:00.000000Z_1",
        "2026-03-02T12:00:00.5Z_1",
        "2026-13-02T12:00:00Z_1",
        "2026-03-02T25:00:00Z_1",
        "2026-03-02T12:00:00Z_" + "9" * 30,
        "２０２６-03-02T12:00:00Z_1",
        "2026-03-02T12:00:00Z_1\x00",
        "2026-03-02T12:00:00Z_1' OR 1=1",
    ],
)
@pytest.mark.parametrize("name", ["before", "after"])
def test_place_that_is_not_written_as_we_write_it_is_404(client, name, text):
    story = make_article(topics=[make_topic()])
    for address in (story.topics.first().get_absolute_url(), story.provider.get_absolute_url(), "/today/"):
        assert client.get(address, {name: text}).status_code == 404


@pytest.mark.parametrize("at", [NOON, NOON.replace(microsecond=5), datetime(1900, 1, 1, tzinfo=UTC)])
def test_place_is_read_as_it_is_written(at):
    assert Cursor.read(str(Cursor(at, 42))) == (at, 42)


def test_beyond_the_last_story_there_is_no_page():
    story = make_article()
    with pytest.raises(Http404):
        page(f"?before={Cursor(story.published_at, story.pk)}")


def test_both_ways_at_once_is_404():
    make_article()
    with pytest.raises(Http404):
        page("?before=2026-03-02T12:00:00Z_1&after=2026-03-02T12:00:00Z_1")


def test_neighbours_are_told_in_the_page_and_in_its_head_and_the_address_is_its_own(client):
    topic = make_topic()
    for number in range(2 * STORIES_A_PAGE + 1):
        make_article(topics=[topic], published_at=NOON - timedelta(minutes=number))
    address = topic.get_absolute_url()
    first = client.get(address)
    assert 'rel="prev"' not in first.text
    assert f'<link rel="canonical" href="http://testserver{address}">' in first.text
    older = first.context["page"].older
    second = client.get(address + older)
    page = second.context["page"]
    assert f'<link rel="canonical" href="http://testserver{address}{older}">' in second.text
    for kind, query in (("prev", page.newer), ("next", page.older)):
        assert f'<link rel="{kind}" href="{query}">' in second.text
        assert f'<a rel="{kind}" href="{query}">' in second.text
    assert re.search(r"<title>[^<]+, up to 2 March 2026 11:36 – ", second.text)


@pytest.mark.parametrize("where", ["topic", "parent", "provider", "day", "month"])
def test_every_list_of_stories_goes_on(client, where):
    parent = make_topic("Above")
    topic, provider = make_topic(parent=parent), make_provider()
    stories = [make_article(topics=[topic], provider=provider) for _ in range(STORIES_A_PAGE + 3)]
    address = {
        "topic": topic.get_absolute_url(),
        "parent": parent.get_absolute_url(),
        "provider": provider.get_absolute_url(),
        "day": "/archive/2026/03/02/",
        "month": "/archive/2026/03/",
    }[where]
    first = client.get(address).context["page"]
    second = client.get(address + first.older).context["page"]
    assert [*keys(first), *keys(second)] == [story.pk for story in reversed(stories)]
    assert keys(client.get(address + second.newer).context["page"]) == keys(first)
