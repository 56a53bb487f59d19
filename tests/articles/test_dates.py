"""The stories by their dates: archive, calendar, today, this week; and the timeline of one story."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.utils import timezone

from articles.cards import related_to
from articles.days import Month, day_span, months_between, week_of
from articles.templatetags.readers import apart
from tests.factories import NOON, make_article, make_provider, make_related

pytestmark = pytest.mark.django_db

MARCH = Month(2026, 3)


# --- Days, weeks and months ---------------------------------------------------------------------


def test_month_has_its_days_in_weeks_that_begin_on_monday():
    assert (MARCH.days[0], MARCH.days[-1], len(MARCH.days)) == (date(2026, 3, 1), date(2026, 3, 31), 31)
    weeks = MARCH.weeks()
    assert weeks[0] == [None] * 6 + [date(2026, 3, 1)]
    assert weeks[1][0] == date(2026, 3, 2)
    assert [day for week in weeks for day in week if day] == MARCH.days


def test_months_follow_each_other_over_the_year():
    assert list(months_between(Month(2025, 11), Month(2026, 2))) == [
        Month(2025, 11),
        Month(2025, 12),
        Month(2026, 1),
        Month(2026, 2),
    ]
    assert list(months_between(MARCH, Month(2026, 2))) == []


def test_week_begins_on_monday_and_a_day_is_as_long_as_the_clock_makes_it():
    assert week_of(date(2026, 3, 1)) == [date(2026, 2, 23) + timedelta(days=number) for number in range(7)]
    with timezone.override("Europe/Berlin"):
        span = day_span(date(2026, 3, 29))
    assert span.end.astimezone(UTC) - span.begin.astimezone(UTC) == timedelta(hours=23)


# --- Archive ------------------------------------------------------------------------------------


def test_archive_names_the_years_and_months_that_have_public_stories(client):
    for year, month in ((2024, 12), (2026, 1), (2026, 3)):
        make_article(published_at=datetime(year, month, 5, tzinfo=UTC))
    make_article(published_at=datetime(2025, 6, 5, tzinfo=UTC), public=False)
    assert client.get("/archive/").context["years"] == [
        (2026, [Month(2026, 1), MARCH]),
        (2024, [Month(2024, 12)]),
    ]


def test_archive_without_stories_says_so(client):
    assert "There are no stories yet." in client.get("/archive/").text


@pytest.mark.parametrize("address", ["/archive/2026/03/", "/archive/2026/03/02/"])
@pytest.mark.parametrize("count", [1, 3])
def test_no_story_is_twice_on_a_page_of_dates(client, address, count):
    stories = [make_article(published_at=NOON - timedelta(minutes=n), quality=n) for n in range(count)]
    text = client.get(address).text
    for story in stories:
        assert text.count(f'href="{story.get_absolute_url()}"') == 1


def test_calendar_counts_the_stories_of_each_day_and_leads_to_the_nearest_months(client):
    for day in (1, 1, 31):
        make_article(published_at=datetime(2026, 3, day, 23, 59, tzinfo=UTC))
    make_article(published_at=datetime(2026, 3, 9, tzinfo=UTC), public=False)
    make_article(published_at=datetime(2025, 12, 9, tzinfo=UTC))
    make_article(published_at=datetime(2026, 5, 9, tzinfo=UTC))
    response = client.get("/archive/2026/03/")
    calendar = response.context["calendar"]
    counts = {entry[0].day: entry[1] for week in calendar.weeks for entry in week if entry and entry[1]}
    assert counts == {1: 2, 31: 1}
    assert (calendar.stories, calendar.previous, calendar.next) == (3, Month(2025, 12), Month(2026, 5))
    assert response.text.count('<th scope="col">') == 7
    assert re.search(
        r'<a href="/archive/2026/03/01/">1<span class="count">2<span class="hidden"> stories', response.text
    )
    assert "/archive/2026/03/09/" not in response.text


@pytest.mark.parametrize("zone, month", [("Pacific/Kiritimati", "03"), ("Pacific/Honolulu", "02")])
def test_month_and_day_are_those_of_the_sites_clock(client, zone, month):
    make_article(published_at=datetime(2026, 2, 28, 20, 0, tzinfo=UTC), publish_at=NOON)
    with timezone.override(zone):
        assert [str(m.month) for _, months in client.get("/archive/").context["years"] for m in months] == [month[1]]
        assert client.get(f"/archive/2026/{month}/").context["calendar"].stories == 1


@pytest.mark.parametrize("month", ["2026/04", "2026/13", "2026/00", "2026/3", "0026/03"])
def test_month_that_does_not_exist_or_has_no_stories_is_404(client, month):
    make_article()
    assert client.get(f"/archive/{month}/").status_code == 404


# --- Today and this week ------------------------------------------------------------------------


@time_machine.travel(datetime(2026, 3, 4, 0, 30, tzinfo=UTC), tick=False)
@pytest.mark.parametrize("address, newest", [("/today/", "3 March 2026"), ("/this-week/", "3 March 2026")])
def test_empty_day_says_so_and_leads_to_the_newest_stories(client, address, newest):
    assert "The first stories are with the editors." in client.get(address).text
    make_article(published_at=datetime(2026, 3, 1, 12, tzinfo=UTC), publish_at=NOON)
    text = client.get(address).text
    assert "Nothing yet" in text
    assert 'href="/archive/2026/03/01/"' in text


@time_machine.travel(datetime(2026, 3, 4, 12, 0, tzinfo=UTC), tick=False)
def test_today_has_the_stories_of_the_day_and_this_week_those_since_monday(client):
    sunday, monday, today = (
        make_article(published_at=datetime(2026, 3, day, 9, tzinfo=UTC), publish_at=NOON - timedelta(days=9))
        for day in (1, 2, 4)
    )
    assert [card.pk for card in client.get("/today/").context["page"]] == [today.pk]
    week = client.get("/this-week/").context
    assert week["lead"].pk == today.pk
    assert [(day.day, [card.pk for card in cards]) for day, cards in week["by_day"]] == [(2, [monday.pk])]
    assert sunday.headline not in client.get("/this-week/").text


# --- The timeline -------------------------------------------------------------------------------


def test_outlets_stand_in_the_order_of_time_with_the_story_in_its_place_and_undated_ones_last(client):
    story = make_article(provider=make_provider(name="Ours"))
    make_related(story, title="No date", published_at=None)
    make_related(story, title="Later", published_at=NOON + timedelta(minutes=90))
    make_related(story, title="First", published_at=NOON - timedelta(days=3), provider=make_provider(name="Early"))
    response = client.get(story.get_absolute_url())
    told = [(report.title, report.is_ours) for report in response.context["timeline"]]
    assert told == [("First", False), (story.title, True), ("Later", False), ("No date", False)]
    assert "3 days earlier" in response.text
    assert "1 hour later" in response.text
    assert "This story" in response.text


def test_story_that_nobody_else_told_has_no_timeline(client):
    response = client.get(make_article().get_absolute_url())
    assert response.context["timeline"] == []
    assert "How the story was told" not in response.text


def test_reports_of_one_moment_keep_the_sources_order():
    story = make_article()
    for position, title in ((1, "Second"), (0, "First")):
        make_related(story, title=title, position=position)
    assert [report.title for report in related_to(story.pk)] == ["First", "Second"]


@pytest.mark.parametrize(
    "minutes, text",
    [(0, "at the same time"), (1, "1 minute later"), (-59, "59 minutes earlier"), (60, "1 hour later"),
     (-1439, "23 hours earlier"), (1440, "1 day later"), (-4321, "3 days earlier")],
)  # fmt: skip
def test_time_between_is_told_in_the_largest_unit(minutes, text):
    assert apart(NOON + timedelta(minutes=minutes), NOON) == text
