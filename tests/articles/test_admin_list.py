"""The editors' list of stories."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from articles.models import Article
from images import newsroom
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_source,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
LIST = reverse("admin:articles_article_changelist")


def titles(client, **parameters) -> list[str]:
    response = client.get(LIST, parameters)
    assert response.status_code == 200
    return [str(article) for article in response.context["cl"].result_list]


def row(client, text: str) -> str:
    """The table row in which `text` stands."""
    page = client.get(LIST).content.decode()
    return next(row for row in re.findall(r"<tr>.*?</tr>", page, re.DOTALL) if text in row)


def run(client, action: str, *articles, **more):
    data = {"action": action, "_selected_action": [article.pk for article in articles], **more}
    return client.post(LIST, data, follow=True)


# --- What a row shows ---------------------------------------------------------------------------


def test_row_shows_topics_in_their_order(client):
    make_article(title="Ordered", topics=[make_topic("Zebras"), make_topic("Apes")])
    text = re.sub(r"<[^>]+>", "", row(client, "Ordered"))
    assert "Zebras, Apes" in text


def test_never_scored_heat_is_a_dash_that_says_so(client):
    make_article(title="Unscored", heat=-1)
    assert '<span title="Never scored">–</span>' in row(client, "Unscored")


def test_scheduled_story_says_from_when_it_is_public(client):
    make_article(title="Tomorrow", publish_at=datetime(2999, 1, 2, 14, 0, tzinfo=UTC))
    shown = row(client, "Tomorrow")
    assert '<span class="badge badge-scheduled">Scheduled</span>' in shown
    assert "public from 2 Jan 2999, 14:00 UTC" in shown
    assert "On the site" not in shown


def test_story_whose_time_is_over_has_expired(client):
    make_article(title="Over", unpublish_at=datetime(2026, 3, 3, 14, 0, tzinfo=UTC))
    shown = row(client, "Over")
    assert '<span class="badge badge-expired">Expired</span>' in shown
    assert "was public until 3 Mar 2026, 14:00 UTC" in shown


def test_public_story_links_to_the_site_and_to_its_source(client):
    article = make_article(title="Out", web_url="https://outlet.example/out")
    shown = row(client, "Out")
    assert f'<a href="{article.get_absolute_url()}" rel="noopener noreferrer">On the site</a>' in shown
    assert '<a href="https://outlet.example/out" rel="noopener noreferrer">At the source</a>' in shown


def test_address_that_is_not_of_the_web_is_no_link(client):
    make_article(title="Trap", web_url="javascript:alert(1)")
    assert "javascript:" not in row(client, "Trap")


def test_hostile_title_is_text(client):
    make_article(title="<script>alert(1)</script> &lt;img src=x&gt;")
    page = client.get(LIST).content.decode()
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &lt;img src=x&gt;" in page


def test_story_that_its_source_contradicts_has_a_badge_that_leads_to_where_it_is_settled(client):
    conflict = make_conflict(make_article(title="Disputed"), "title")
    make_conflict(conflict.source.article, "excerpt")
    make_source(make_article(title="Agreed"))
    link = reverse("admin:articles_sourcefile_change", args=[conflict.source_id])
    assert f'<a class="badge badge-differs" href="{link}">Source differs</a>' in row(client, "Disputed")
    assert "Source differs" not in row(client, "Agreed")


def test_thumbnail_is_the_lead_picture_and_silent(client):
    article = make_article(title="Pictured")
    lead = add_picture(article).image
    add_picture(article)
    shown = row(client, "Pictured")
    assert lead.content_hash in shown
    assert shown.count("<img") == 1
    assert shown.count(f'href="{reverse("admin:articles_article_change", args=[article.pk])}"') == 1
    assert 'alt=""' in shown


def test_query_count_does_not_grow_with_the_rows(client, django_assert_num_queries):
    def add_row():
        article = make_article(topics=[make_topic(), make_topic()])
        add_picture(article)
        make_conflict(article)

    add_row()
    client.get(LIST)  # the session and the content types are warm from here on
    with django_assert_num_queries(9):
        client.get(LIST)
    for _ in range(9):
        add_row()
    with django_assert_num_queries(9):
        assert len(titles(client)) == 10


# --- Filters and search -------------------------------------------------------------------------


def test_filter_by_state(client):
    make_article(title="Live")
    make_article(title="Later", publish_at=timezone.now() + timedelta(days=1))
    make_article(title="Draft", public=False)
    assert titles(client, state="draft") == ["Draft"]
    assert set(titles(client, state="published")) == {"Live", "Later"}
    assert titles(client, state="public") == ["Live"]
    assert titles(client, state="scheduled") == ["Later"]


def test_filter_by_topic_names_the_chosen_one_and_no_other(client):
    ai, sea = make_topic("AI"), make_topic("The sea")
    make_article(title="Machines", topics=[ai])
    make_article(title="Whales", topics=[sea])
    assert titles(client, topic=ai.pk) == ["Machines"]
    filters = client.get(LIST, {"topic": ai.pk}).content.decode().partition('id="changelist-filter"')[2]
    assert f'<option value="{ai.pk}" selected>AI</option>' in filters
    assert "The sea" not in filters


def test_filter_by_provider(client):
    wired = make_provider(name="Wired")
    make_article(title="Theirs", provider=wired)
    make_article(title="Other")
    assert titles(client, provider=wired.pk) == ["Theirs"]


def test_filters_add_up_and_survive_one_another(client):
    wired = make_provider()
    make_article(title="Both", provider=wired, public=False)
    make_article(title="One", provider=wired)
    assert titles(client, provider=wired.pk, state="draft") == ["Both"]
    page = client.get(LIST, {"provider": wired.pk, "state": "draft"}).content.decode()
    assert '<input type="hidden" name="state" value="draft">' in page


@pytest.mark.parametrize("name", ["topic", "provider"])
@pytest.mark.parametrize("asked", ["x", "9" * 19, "9" * 30, "-1", "\0", "٣"])
def test_filter_by_something_that_is_no_key_is_refused_without_an_error(client, name, asked):
    make_article()
    response = client.get(LIST, {name: asked})
    assert (response.status_code, response.url) == (302, f"{LIST}?e=1")


@pytest.mark.parametrize("name", ["topic", "provider"])
def test_filter_by_what_is_no_longer_there_finds_nothing(client, name):
    make_article()
    assert titles(client, **{name: "999999"}) == []


@pytest.mark.parametrize("name", ["state", "picture", "when", "kind"])
@pytest.mark.parametrize("asked", ["nonsense", "\0", ""])
def test_choice_that_was_not_offered_filters_nothing(client, name, asked):
    make_article(title="There")
    assert titles(client, **{name: asked}) == ["There"]


@pytest.mark.parametrize("role", ["Contributors", "Editors"])
@pytest.mark.parametrize(
    "lookup",
    ["secured__startswith", "title__regex", "title", "id__in", "created_by__password__startswith", "provider__name"],
)
def test_list_is_filtered_by_its_own_filters_only(client, role, lookup):
    """Else whoever may see the list could read sealed text by guessing, and keep the database busy for ever."""
    make_article(secured="Quiet")
    client.force_login(make_user(role))
    assert client.get(LIST, {lookup: "Q"}).status_code == 400


def test_filter_by_what_the_source_contradicts(client):
    article = make_article(title="Disputed")
    make_conflict(article, "title")
    make_conflict(article, "excerpt")
    make_conflict(make_topic(), "name")
    make_source(make_article(title="Agreed"))
    assert titles(client, source="differs") == ["Disputed"]
    assert titles(client, source="nonsense") == ["Agreed", "Disputed"]


def test_filter_by_type(client):
    for kind in ("article", "video", "download"):
        make_article(title=kind, type=kind)
    assert titles(client, kind="video") == ["video"]
    assert titles(client, kind="other") == ["download"]


@time_machine.travel("2026-03-03 00:30:00+00:00", tick=False)
def test_filter_by_date():
    """Days begin and end at midnight, and a month with its first day."""
    from articles.admin.filters import DateFilter  # the filter alone: logging in needs a clock that moves

    moments = {
        "today": datetime(2026, 3, 3, 0, 0, tzinfo=UTC),
        "yesterday": datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC),
        "a week ago": datetime(2026, 2, 25, 0, 0, tzinfo=UTC),
        "just over": datetime(2026, 2, 24, 23, 59, tzinfo=UTC),
        "tomorrow": datetime(2026, 3, 4, 0, 0, tzinfo=UTC),
    }
    for title, moment in moments.items():
        make_article(title=title, published_at=moment)

    def found(period: str) -> set[str]:
        chosen = DateFilter(None, {"when": [period]}, Article, None)
        return {str(article) for article in chosen.queryset(None, Article.objects.all())}

    assert found("today") == {"today"}
    assert found("yesterday") == {"yesterday"}
    assert found("week") == {"today", "yesterday", "a week ago"}
    assert found("month") == {"today", "yesterday"}
    assert found("last-month") == {"a week ago", "just over"}
    assert found("year") == set(moments) - {"tomorrow"}
    assert found("later") == {"tomorrow"}


def test_filter_by_date_narrows_the_list(client):
    make_article(title="Now", published_at=timezone.now())
    make_article(title="Long ago", published_at=NOON)
    assert titles(client, when="week") == ["Now"]


def test_needs_an_image_is_about_the_lead_picture(client):
    add_picture(make_article(title="Has one"))
    make_article(title="Has none")
    waiting = make_article(title="Lead is waiting")
    add_picture(waiting, make_image(cached=False))
    add_picture(waiting)
    assert set(titles(client, picture="needed")) == {"Has none", "Lead is waiting"}
    assert titles(client, picture="there") == ["Has one"]


@pytest.mark.parametrize(
    "words", ["dojo", "supercomputer", "wired", "robotaxis", "2023-09-14-dojo", "https://wired.example/dojo?a=b"]
)
def test_search_finds_by_words_and_addresses(client, words):
    make_article(
        title="Dojo",
        excerpt="On a supercomputer.",
        stem="2023-09-14-dojo",
        web_url="https://wired.example/dojo?a=b",
        provider=make_provider(name="Wired"),
        topics=[make_topic("Robotaxis")],
    )
    make_article(title="Other")
    assert titles(client, q=words) == ["Dojo"]


def test_search_takes_wildcards_and_quotes_as_they_are(client):
    make_article(title='100% "sure"')
    make_article(title="Other")
    assert titles(client, q='100% "') == ['100% "sure"']


# --- Bulk actions -------------------------------------------------------------------------------


def test_nobody_but_those_with_the_right_can_delete(client):
    article = make_article()
    actions = client.get(LIST).content.decode()
    assert "delete_selected" not in actions
    run(client, "delete_selected", article, post="yes")
    assert Article.objects.filter(pk=article.pk).exists()


# --- Long lists ---------------------------------------------------------------------------------


@pytest.fixture
def short_pages(monkeypatch):
    monkeypatch.setattr(newsroom.AheadPaginator, "ahead", 1)
    monkeypatch.setattr(newsroom.NewsroomAdmin, "list_per_page", 2)


@pytest.mark.parametrize(
    ("page", "told", "reached"),
    [("", "more than 4 articles", 3), ("2", "more than 6 articles", 4), ("3", "7 articles", 4), ("4", "7 articles", 4)],
)
@pytest.mark.usefixtures("short_pages")
def test_stories_are_counted_no_further_than_some_pages_ahead(client, page, told, reached):
    for _ in range(7):
        make_article()
    response = client.get(LIST, {"p": page} if page else {})
    assert told in " ".join(response.content.decode().split())
    assert response.context["cl"].paginator.num_pages == reached
    assert len(response.context["cl"].result_list) == (1 if page == "4" else 2)


@pytest.mark.usefixtures("short_pages")
def test_all_of_more_than_were_counted_are_not_said_to_be_that_many(client):
    for _ in range(7):
        make_article()
    page = client.get(LIST).content.decode()
    assert "Select all of them, more than 4" in page
    assert "Select all of them" not in client.get(f"{LIST}?p=4").content.decode()


@pytest.mark.parametrize("page", ["5", "0", "-1", "x", "9" * 18, "9" * 40, "\0"])
@pytest.mark.usefixtures("short_pages")
def test_page_that_is_not_there_leads_to_the_list(client, page):
    make_article()
    assert client.get(LIST, {"p": page}, follow=True).status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "https://www.outlet.example/whales/?utm_source=mail",
        "outlet.example/whales",
        "http://news.example/news/2026-03-02-whales/",
        "_news/2026-03-02-whales.md",
        "example/wha",
    ],
)
def test_story_is_found_by_its_address_however_it_is_pasted(client, address):
    make_article(title="Whales", web_url="https://outlet.example/whales", stem="2026-03-02-whales")
    make_article(title="Other")
    assert titles(client, q=address) == ["Whales"]


def test_part_of_an_address_is_looked_for_among_the_newest_only(client, monkeypatch):
    monkeypatch.setattr("articles.admin.finding.LOOKED_THROUGH", 1)
    for title, day in (("Old", NOON - timedelta(days=1)), ("New", NOON)):
        make_article(title=title, web_url=f"https://outlet.example/part-{title.lower()}", published_at=day)
    assert titles(client, q="example/part-") == ["New"]
    assert titles(client, q="https://outlet.example/part-old") == ["Old"]
