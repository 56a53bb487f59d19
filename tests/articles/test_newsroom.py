"""The admin's first page as a newsroom's desk."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles import workflow
from articles.admin import newsroom
from articles.admin.desk import queues
from articles.models import Article, Event, ImportRun, WorkingCopy
from images.models import RemoteImage
from tests.factories import make_article, make_conflict, make_image, make_run, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 13, 30, tzinfo=UTC)
INDEX = reverse("admin:index")
LIST = reverse("admin:articles_article_changelist")


@pytest.fixture(autouse=True)
def clock(settings):
    settings.TIME_ZONE = "Europe/Paris"
    timezone.get_default_timezone.cache_clear()
    with time_machine.travel(NOW, tick=False):
        yield
    timezone.get_default_timezone.cache_clear()


@pytest.fixture
def manager(client):
    manager = make_user("Managers", username="max")
    client.force_login(manager)
    return manager


def waiting(client) -> dict[str, str]:
    return {line.label: line.told for line in client.get(INDEX).context["waiting"]}


def faults(client) -> dict[str, str]:
    return {line.label: line.told for line in client.get(INDEX).context["faults"]}


def listed(client, url: str) -> list[int]:
    """What stands in the list behind a number."""
    response = client.get(url)
    assert response.status_code == 200
    return sorted(row.pk for row in response.context["cl"].result_list)


def scheduled(**away: float) -> Article:
    return make_article(publish_at=NOW + timedelta(**away))


# --- What waits ---------------------------------------------------------------------------------


def test_numbers_are_those_of_what_waits(client, manager):
    make_article(public=False)
    make_article(public=False, created_by=manager)
    make_article(public=False, status="in_review")
    scheduled(hours=1)
    make_conflict(make_article())
    WorkingCopy.objects.create(article=make_article(), base={}, base_version=1, document={})
    assert waiting(client) == {
        "Incoming": "2",
        "In review": "1",
        "Conflicts": "1",
        "Scheduled": "1",
        "Mine": "1",
        "Unpublished changes": "1",
    }


def test_each_number_leads_to_what_it_counts(client, manager):
    changed = make_article()
    WorkingCopy.objects.create(article=changed, base={}, base_version=1, document={})
    make_article()
    lines = client.get(INDEX).context["waiting"]
    for line in lines:
        assert client.get(line.url).status_code == 200
    assert [line.url for line in lines[:2]] == ["/admin/desk/?queue=incoming", "/admin/desk/?queue=review"]
    assert listed(client, lines[-1].url) == [changed.pk]


def test_nobody_counts_to_a_hundred_thousand(client, manager, monkeypatch):
    for _ in range(4):
        WorkingCopy.objects.create(article=make_article(), base={}, base_version=1, document={})
    with monkeypatch.context() as patch:
        patch.setattr(queues, "MOST", 3)
        counts = [line.count for line in client.get(INDEX).context["waiting"]]
    assert counts[-1] == 3
    assert newsroom.Line("Many", 10_000, "").told == "9,999+"


# --- What runs today ----------------------------------------------------------------------------


def test_today_is_told_by_the_hour_in_the_sites_zone(client, manager):
    at_night = scheduled(hours=-13.75)  # 00:45 in Paris, and yesterday in UTC
    live, to_come, later = scheduled(minutes=-20), scheduled(minutes=20), scheduled(hours=8)
    scheduled(hours=10), scheduled(hours=-15)  # other days
    make_article(public=False)
    page = client.get(INDEX)
    today = page.context["today"]
    told = {f"{hour.begin:%H:%M}": (hour.live, hour.to_come) for hour in today["hours"] if hour.count}
    assert told == {"00:00": (1, 0), "14:00": (1, 1), "22:00": (0, 1)}
    assert (today["live"].count, today["to_come"].count) == (2, 2)
    assert len(today["hours"]) == 23
    urls = {f"{hour.begin:%H:%M}": hour.url for hour in today["hours"]}
    assert listed(client, urls["00:00"]) == [at_night.pk]
    assert listed(client, urls["14:00"]) == [live.pk, to_come.pk]
    assert listed(client, urls["22:00"]) == [later.pk]
    assert listed(client, urls["15:00"]) == []
    assert listed(client, today["live"].url) == [at_night.pk, live.pk]
    assert listed(client, today["to_come"].url) == [to_come.pk, later.pk]
    assert f'<a href="{today["to_come"].url}">2 to come</a>' in page.text
    table = page.text.partition("<table>")[2].partition("</table>")[0]
    assert "1 live, 1 to come</a>" in table
    assert "Europe/Paris" in table
    assert re.search(r'aria-current="time">\s*<th scope="row"><time [^>]*>14:00<', table)


def test_quiet_day_has_the_hour_that_it_is(client, manager):
    today = client.get(INDEX).context["today"]
    assert [f"{hour.begin:%H:%M}" for hour in today["hours"]] == ["14:00"]


@pytest.mark.parametrize(("day", "count"), [((2026, 3, 29), 23), ((2026, 10, 25), 25)])
def test_days_on_which_the_clock_is_changed_have_as_many_hours_as_they_have(client, manager, day, count):
    noon = datetime(*day, 12, tzinfo=UTC)
    midnight = timezone.make_aware(datetime(*day))  # noqa: DTZ001
    make_article(publish_at=midnight)
    last = make_article(publish_at=timezone.make_aware(datetime(*day, 23, 59)))  # noqa: DTZ001
    with time_machine.travel(noon, tick=False):
        client.force_login(manager)
        hours = client.get(INDEX).context["today"]["hours"]
        assert len(hours) == count
        assert f"{hours[-1].begin:%H:%M}" == "23:00"
        assert listed(client, hours[-1].url) == [last.pk]


@pytest.mark.parametrize(
    "asked", ["2026-13-02T14:00Z", "2026-03-02T14:00", "x", "", "2026-03-02T14:00Z\0", "2026-03-02T99:00Z"]
)
def test_hour_that_no_clock_has_narrows_nothing(client, manager, asked):
    story = make_article()
    assert listed(client, reverse("admin:articles_article_changelist", query={"live": asked})) == [story.pk]


def test_list_says_which_hour_it_is_of(client, manager):
    page = client.get(f"{LIST}?live=2026-03-02T13:00Z").text
    assert "The hour from 2 Mar, 14:00 CET" in page


# --- Faults -------------------------------------------------------------------------------------


def test_no_faults_are_a_calm_line(client, manager):
    page = client.get(INDEX)
    assert page.context["faults"] == []
    assert "No faults." in page.text


def test_faults_lead_to_exactly_what_is_wrong(client, manager):
    failed = make_image(cached=False, state="failed", next_attempt_at=None)
    make_image()
    make_conflict(make_article())
    with_failures = make_run(failed=2, began_at=NOW - timedelta(days=1))
    stopped = make_run(state=ImportRun.State.STOPPED, began_at=NOW)
    killed = make_run(state=ImportRun.State.RUNNING, ended_at=None, began_at=NOW)
    make_run(failed=2, began_at=NOW - timedelta(days=8)), make_run(failed=2, dry_run=True, began_at=NOW)
    make_run(began_at=NOW)
    found = {line.label: line for line in client.get(INDEX).context["faults"]}
    assert {label: line.count for label, line in found.items()} == {
        "Pictures that could not be fetched": 1,
        "Imports of the past week that stopped or had failures": 3,
        "Sources in conflict with what is here": 1,
    }
    pictures, imports, sources = found.values()
    assert listed(client, pictures.url) == [failed.pk]
    assert listed(client, imports.url) == sorted([with_failures.pk, stopped.pk, killed.pk])
    assert len(listed(client, sources.url)) == 1


def test_pictures_that_wait_are_no_fault_until_nobody_fetches_them(client, manager):
    waits = make_image(cached=False, next_attempt_at=NOW)
    page = client.get(INDEX)
    assert "No faults." in page.text
    assert listed(client, page.context["pictures"].url) == [waits.pk]
    RemoteImage.objects.update(next_attempt_at=NOW - timedelta(hours=1))
    page = client.get(INDEX)
    assert "Is the worker running?" in page.text
    assert "No faults." not in page.text


# --- Who did what -------------------------------------------------------------------------------


def test_last_doings_name_who_what_and_which_story(client, manager):
    story = make_article(title="Walrus &amp; friends", public=False)
    workflow.publish(story, by=manager)
    page = client.get(INDEX)
    [doing] = page.context["doings"]
    assert (doing.who, doing.what, doing.more) == ("max", "published", 0)
    row = page.text.partition("<ol>")[2].partition("</ol>")[0]
    assert "Walrus &amp; friends</a>" in row
    assert reverse("admin:articles_article_change", args=[story.pk]) in row
    assert "2 Mar, 14:30" in row
    assert " ".join(re.sub(r"<[^>]+>", "", row).split()) == "2 Mar, 14:30 max: published, Walrus &amp; friends"


def test_what_was_done_together_is_one_doing(client, manager):
    drafts = [make_article(public=False) for _ in range(40)]
    single = make_article(public=False)
    workflow.reject(single, by=manager)
    workflow.apply_to_each(workflow.PUBLISH, {draft.pk: None for draft in drafts}, by=manager, batch=uuid4())
    for draft in drafts[:3]:
        Event.objects.create(article=draft, verb="import", data={"fields": ["title"]})
    doings = client.get(INDEX).context["doings"]
    assert [(doing.who, doing.event.verb, doing.more) for doing in doings] == [
        ("Import", "import", 2),
        ("max", "publish", 39),
        ("max", "reject", 0),
    ]


def test_no_more_is_read_than_is_shown(client, manager, monkeypatch):
    monkeypatch.setattr(newsroom, "EVENTS_READ", 10)
    story, batch = make_article(), uuid4()
    for _ in range(20):
        Event.objects.create(article=story, actor=manager, verb="edit", batch=batch)
    [doing] = client.get(INDEX).context["doings"]
    assert (doing.more, doing.is_open) == (9, True)
    Event.objects.all().delete()
    monkeypatch.setattr(newsroom, "EVENTS_READ", 300)
    for _ in range(20):
        Event.objects.create(article=story, actor=manager, verb="edit")
    assert len(client.get(INDEX).context["doings"]) == newsroom.DOINGS_SHOWN


# --- For whom, and at which price ---------------------------------------------------------------


def test_staff_without_rights_see_nothing_of_it(client):
    make_article(title="A secret draft", public=False)
    make_conflict(make_article())
    make_image(cached=False, state="failed", next_attempt_at=None)
    workflow.publish(Article.objects.get(title="A secret draft"), by=make_user("Editors"))
    client.force_login(make_user())
    page = client.get(INDEX)
    assert page.status_code == 200
    assert [page.context.get(name) for name in ("waiting", "today", "doings", "pictures", "faults")] == [None] * 5
    for words in ("secret", "What waits", "What runs today", "Faults", "Who did what"):
        assert words not in page.text


@pytest.mark.parametrize(("role", "sees_runs"), [("Contributors", False), ("Editors", True), ("Managers", True)])
def test_faults_are_told_to_those_who_may_see_them(client, role, sees_runs):
    make_run(failed=1, began_at=NOW)
    client.force_login(make_user(role))
    assert ("Imports of the past week that stopped or had failures" in faults(client)) == sees_runs
    for line in client.get(INDEX).context["faults"]:
        assert client.get(line.url).status_code == 200


def test_queries_of_the_page_are_as_many_however_much_there_is(client, manager, django_assert_num_queries):
    def add() -> None:
        for number in range(5):
            workflow.publish(make_article(public=False), by=make_user("Editors"))
            scheduled(hours=number)
            make_conflict(make_article())
            make_image(cached=False, state="failed", next_attempt_at=None)
            make_run(failed=1, began_at=NOW)
            WorkingCopy.objects.create(article=make_article(), base={}, base_version=1, document={})

    add()
    client.get(INDEX)
    with CaptureQueriesContext(connection) as captured:
        client.get(INDEX)
    add()
    assert len(captured) == QUERIES
    with django_assert_num_queries(QUERIES):
        client.get(INDEX)


QUERIES = 19
