"""The desk's page: its queues, cards, filters, orders and pages."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles.admin import presence
from articles.admin.desk import queues
from articles.admin.desk.cards import cards_of
from articles.models import Article
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
DESK = reverse("admin:desk")
S = Article.Status
WAITING_QUEUES = ["incoming", "review"]


def keys(client, **asked) -> list[int]:
    response = client.get(DESK, asked)
    assert response.status_code == 200
    return [card.story.pk for card in response.context["cards"]]


def titles(client, **asked) -> list[str]:
    return [str(card.story) for card in client.get(DESK, asked).context["cards"]]


def page(client, **asked) -> str:
    return client.get(DESK, asked).content.decode()


def card(client, story, **asked) -> str:
    """The markup of one card."""
    return re.search(rf'<li id="story-{story.pk}">.*?</article>', page(client, **asked), re.DOTALL).group()


def draft(**overrides):
    return make_article(public=False, **overrides)


# --- Who ----------------------------------------------------------------------------------------


def test_nobody_without_the_right_to_see_stories_gets_to_the_desk(client):
    client.force_login(make_user())
    for name in ("desk", "desk_cards", "desk_counts"):
        assert client.get(reverse(f"admin:{name}")).status_code == 403
    for name in ("desk_act", "desk_topics", "desk_views"):
        assert client.post(reverse(f"admin:{name}")).status_code == 403


def test_reader_is_sent_to_the_login(client):
    client.logout()
    assert client.get(DESK).status_code == 302


def test_desk_is_the_first_of_the_sections_and_current_there(client):
    sections = page(client).partition('id="sections"')[2].partition("</nav>")[0]
    first = re.search(r"<a [^>]+>[^<]+</a>", sections).group()
    assert first == f'<a href="{DESK}" aria-current="true">Desk</a>'


def test_contributor_has_the_buttons_for_their_own_alone(client):
    contributor = make_user("Contributors")
    own, other = draft(created_by=contributor), draft()
    client.force_login(contributor)
    assert re.findall(r'name="verb" value="(\w+)"', card(client, own)) == ["submit"]
    assert "desk_topics" not in card(client, other)
    assert 'name="verb"' not in card(client, other)
    assert ">Look</a>" in card(client, other)


# --- Queues -------------------------------------------------------------------------------------


@time_machine.travel(NOON)
def test_each_queue_has_its_stories(client, editor):
    now = timezone.now()
    stories = {
        "incoming": [draft()],
        "review": [draft(status=S.IN_REVIEW)],
        "scheduled": [make_article(publish_at=now + timedelta(hours=1))],
        "today": [make_article(publish_at=now - timedelta(hours=1))],
        "conflicts": [make_conflict(make_article(publish_at=now - timedelta(days=3))).source.article],
        "mine": [make_article(created_by=editor, status=S.REJECTED, publish_at=None)],
    }
    make_article(publish_at=now - timedelta(days=2))
    for name, expected in stories.items():
        assert keys(client, queue=name) == [story.pk for story in expected], name
    assert client.get(reverse("admin:desk_counts")).json() == dict.fromkeys(stories, "1")


@time_machine.travel(datetime(2026, 3, 2, 23, 30, tzinfo=UTC))
def test_today_is_the_day_of_the_site(client, settings):
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.deactivate()
    in_berlin_today = make_article(publish_at=datetime(2026, 3, 2, 23, 10, tzinfo=UTC))
    make_article(publish_at=datetime(2026, 3, 2, 22, 50, tzinfo=UTC))
    assert keys(client, queue="today") == [in_berlin_today.pk]


def test_counting_ends_somewhere(client, monkeypatch):
    monkeypatch.setattr(queues, "MOST", 3)
    for _ in range(3):
        draft()
    assert client.get(reverse("admin:desk_counts")).json()["incoming"] == "2+"
    assert "<b>2+</b>" in page(client)


def test_unknown_queue_is_404_and_no_queue_is_the_first(client):
    story = draft()
    assert client.get(DESK, {"queue": "nowhere"}).status_code == 404
    assert keys(client) == [story.pk]


def test_empty_queue_says_so(client):
    assert "Nothing is in review." in page(client, queue="review")


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "\0"},
        {"q": "a" * 5000},
        {"topic": "\0", "provider": "\0\0"},
        {"provider": "9" * 400},
        {"kind": "\0", "picture": "9" * 30},
        {"order": "\0"},
        {"after": "\0"},
        {"after": "2026-13-99,5"},
        {"after": f"{'9' * 30},{'9' * 30}"},
        {"after": "0001-01-01T00:00:00,5"},
        {"after": "9999-12-31T23:59:59.999999+14:00,5"},
        {"order": "heat", "after": "--5,5"},
        {"order": "heat", "after": f"-{'9' * 18},{'9' * 18}"},
    ],
)
def test_nonsense_in_the_address_is_no_error(client, asked):
    draft()
    assert client.get(DESK, asked).status_code == 200


@pytest.mark.parametrize("asked", ["", "1,\0,x", "9" * 40, ",".join(["7"] * 500)])
def test_nonsense_for_cards_is_none(client, asked):
    response = client.get(reverse("admin:desk_cards"), {"keys": asked})
    assert (response.status_code, response.content) == (200, b"")


# --- Orders and pages ---------------------------------------------------------------------------


def all_pages(client, **asked) -> list[int]:
    """What following the link to the next page finds, from the first page on."""
    found, query = [], "?" + "&".join(f"{name}={value}" for name, value in asked.items())
    while query:
        response = client.get(DESK + query)
        found += [card.story.pk for card in response.context["cards"]]
        query = f"?{response.context['rest']}" if response.context["rest"] else ""
    return found


@pytest.mark.parametrize(("queue", "state"), [("incoming", S.DRAFT), ("review", S.IN_REVIEW)])
@pytest.mark.parametrize("order", ["newest", "oldest", "heat", "quality"])
def test_pages_of_what_waits_have_each_story_once_in_order(client, monkeypatch, queue, state, order):
    monkeypatch.setattr("articles.admin.desk.pages.A_PAGE", 3)
    values = [None, -1, 5, 5, 0, 7, 7, 7]
    stories = [
        draft(status=state, heat=value, quality=value, published_at=NOON + timedelta(hours=value or 0))
        for value in values
    ]
    score = {story.pk: -1 if value is None else value for story, value in zip(stories, values, strict=True)}
    dates = {story.pk: story.published_at for story in stories}
    by = score if order in ("heat", "quality") else dates
    expected = sorted((story.pk for story in stories), key=lambda key: (by[key], key), reverse=order != "oldest")
    assert all_pages(client, queue=queue, order=order) == expected


@pytest.mark.parametrize("order", ["soonest", "latest"])
def test_pages_of_what_is_scheduled(client, monkeypatch, order):
    monkeypatch.setattr("articles.admin.desk.pages.A_PAGE", 2)
    begin = timezone.now() + timedelta(days=1)
    stories = [make_article(publish_at=begin + timedelta(minutes=minute // 2)) for minute in range(5)]
    expected = [story.pk for story in stories]
    assert all_pages(client, queue="scheduled", order=order) == (expected if order == "soonest" else expected[::-1])


def test_next_page_begins_where_this_one_ended_whatever_has_gone_meanwhile(client, monkeypatch):
    monkeypatch.setattr("articles.admin.desk.pages.A_PAGE", 2)
    stories = [draft(published_at=NOON - timedelta(hours=hour)) for hour in range(4)]
    rest = client.get(DESK).context["rest"]
    Article.objects.filter(pk__in=[story.pk for story in stories[:2]]).update(status=S.REJECTED)
    assert [card.story.pk for card in client.get(f"{DESK}?{rest}").context["cards"]] == [s.pk for s in stories[2:]]


def test_order_that_a_queue_does_not_have_is_its_usual_one(client):
    assert client.get(DESK, {"queue": "scheduled", "order": "heat"}).context["asked"].order is queues.SOONEST


@pytest.mark.parametrize("queue", queues.QUEUES.values(), ids=queues.QUEUES)
def test_index_serves_each_order_of_each_queue(editor, queue):
    """No rows are put in order that an index has in order; but of what is in conflict there is little."""
    if connection.vendor != "sqlite" or queue.name == "conflicts":
        pytest.skip("SQLite says it plainly, and conflicts are few")
    for order in queue.orders:
        plan = order.arrange(queue.stories(editor)).values("pk")[:40].explain()
        assert "USING" in plan, plan
        assert "B-TREE" not in plan, plan
        assert "SCAN articles_article\n" not in f"{plan}\n", plan


# --- Filters ------------------------------------------------------------------------------------


def test_words_are_searched_for_as_in_the_list(client):
    draft(title="Herring in the harbour")
    draft(title="Something else")
    assert titles(client, q="herring") == ["Herring in the harbour"]


@pytest.mark.parametrize("name", ["whales", "Whales", "  WHALES "])
def test_topic_by_its_slug_or_name(client, name):
    story = draft(topics=[make_topic("Whales")])
    draft(topics=[make_topic("Trams")])
    assert keys(client, topic=name) == [story.pk]


@pytest.mark.parametrize("name", ["harbour.example", "Harbour Post", "harbour post"])
def test_provider_by_its_domain_or_name(client, name):
    story = draft(provider=make_provider(domain="harbour.example", name="Harbour Post"))
    draft()
    assert keys(client, provider=name) == [story.pk]


def test_filter_that_names_nothing_there_is_says_so_and_finds_nothing(client):
    draft()
    shown = page(client, topic="<b>Nope", provider="nobody.example")
    assert "There is no topic “&lt;b&gt;Nope”." in shown
    assert "There is no provider “nobody.example”." in shown
    assert "No story here fits the filters." in shown


def test_type_and_picture(client):
    film, pictured = draft(type="video"), draft()
    add_picture(pictured)
    assert keys(client, kind="video") == [film.pk]
    assert keys(client, picture="there") == [pictured.pk]
    assert keys(client, picture="needed") == [film.pk]


def test_filters_go_with_the_next_page_and_stand_in_their_fields(client, monkeypatch):
    monkeypatch.setattr("articles.admin.desk.pages.A_PAGE", 1)
    whales = make_topic("Whales")
    stories = [draft(topics=[whales], type="video") for _ in range(2)]
    draft()
    found = all_pages(client, topic="whales", kind="video", order="oldest")
    assert found == [story.pk for story in stories]
    shown = page(client, topic="whales", kind="video")
    assert 'name="topic" value="whales"' in shown
    assert '<option value="video" selected>' in shown


# --- Cards --------------------------------------------------------------------------------------


@time_machine.travel(NOON)
def test_card_shows_what_an_editor_decides_by(client):
    story = draft(
        title="Pilots &amp; whales",
        excerpt="They share the &#8220;sound&#8221;.",
        published_at=NOON - timedelta(hours=3),
        topics=[make_topic("Zebras"), make_topic("Apes")],
        quality=70,
        heat=12,
        provider=make_provider(name="Harbour Post"),
    )
    lead = add_picture(story, alt="A whale").image
    shown = card(client, story)
    assert lead.content_hash in shown
    assert f'data-seen="{story.pk}:{story.version}"' in shown
    assert f'href="{story.web_url}" target="_blank" rel="noopener noreferrer">Pilots &amp; whales</a>' in shown
    assert "They share the “sound”." in shown
    assert 'datetime="2026-03-02T09:00:00+00:00" title="2 Mar 2026, 09:00 UTC">3 h</time>' in shown
    text = " ".join(re.sub(r"<[^>]+>", " ", shown).split())
    assert "Quality 70 Heat 12" in text
    assert "Zebras Apes" in text
    assert "Harbour Post" in text
    assert ">Draft</span>" in shown


def test_never_scored_heat_is_a_dash(client):
    assert '<span title="Never scored">–</span>' in card(client, draft(heat=-1))


def test_card_of_a_story_whose_time_is_over_asks_from_when_it_is_to_be_public_again(editor):
    now = timezone.now()
    stories = [make_article(unpublish_at=now + timedelta(hours=hours)) for hours in (-1, 1)]
    over, live = cards_of([story.pk for story in stories], editor)
    assert (over.is_live, over.ends, over.at, over.until) == (False, "", "", "")
    assert live.is_live
    assert live.until


def test_what_the_checks_say_stands_on_the_card_and_what_is_required_stands_out(client, settings):
    settings.CHECKS_REQUIRED = ["topic"]
    shown = card(client, draft())
    assert re.search(r'<li class="is-required">\s*<b>Required:</b> It has no topic\.', shown)
    assert re.search(r"<li>\s*It has no picture\.", shown)


def test_conflict_leads_to_where_it_is_settled(client):
    conflict = make_conflict(draft())
    link = reverse("admin:articles_sourcefile_change", args=[conflict.source_id])
    assert f'<a class="badge badge-differs" href="{link}">' in card(client, conflict.source.article)


def test_hostile_title_and_address_are_text(client):
    story = draft(title="<script>alert(1)</script>&lt;b&gt;", web_url="javascript:alert(1)")
    shown = card(client, story)
    assert "<script>alert(1)" not in shown
    assert "<b>" not in shown.partition("<h2")[2].partition("</h2>")[0]
    assert "javascript:" not in shown


def test_sealed_text_is_not_read(client):
    draft(secured="c2VhbGVk;aXY=", body="A long body.")
    with CaptureQueriesContext(connection) as queries:
        client.get(DESK)
    assert not [
        query["sql"] for query in queries if re.search(r'"articles_article"."(secured|body|extra)"', query["sql"])
    ]


@pytest.mark.parametrize(
    ("gone", "said"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=59), "59 min"),
        (timedelta(hours=23), "23 h"),
        (timedelta(days=13), "13 d"),
        (timedelta(days=20), "10 Feb 2026"),
        (-timedelta(hours=2), "on 2 Mar 2026"),
    ],
)
def test_age(client, gone, said):
    with time_machine.travel(NOON):
        assert f">{said}</time>" in card(client, draft(published_at=NOON - gone))


def test_fresh_cards_come_in_the_order_they_are_asked_for_without_those_that_are_gone(client):
    one, two = draft(), draft()
    answer = client.get(reverse("admin:desk_cards"), {"keys": f"{two.pk},999999,{one.pk}"}).content.decode()
    assert re.findall(r'<li id="story-(\d+)"', answer) == [str(two.pk), str(one.pk)]


def test_story_that_is_edited_leads_back_to_its_card(client):
    story = draft()
    link = re.search(r'class="desk-edit" href="([^"]+)"', card(client, story, order="oldest")).group(1)
    form = client.get(link.replace("&amp;", "&"))
    values = {name: value for name, value in form.context["adminform"].form.initial.items() if value is not None}
    sets = {}
    for formset in form.context["inline_admin_formsets"]:
        sets |= {f"{formset.formset.prefix}-{part}": 0 for part in ("TOTAL_FORMS", "INITIAL_FORMS")}
    date = {"published_at_0": "2026-03-02", "published_at_1": "12:00:00"}
    saved = client.post(link, {**values, **sets, **date, "title": "A better title"})
    assert saved.status_code == 302
    assert saved["Location"] == f"{DESK}?queue=incoming&order=oldest#story-{story.pk}"


def test_form_leads_nowhere_else(client):
    story = draft()
    url = reverse("admin:articles_article_change", args=[story.pk])
    sets = {
        f"{prefix}-{part}": 0 for prefix in ("pictures", "related_stories") for part in ("TOTAL_FORMS", "INITIAL_FORMS")
    }
    values = {"title": "New", "category": "news", "type": "article", "version": story.version, "stem": story.stem}
    date = {"published_at_0": "2026-03-02", "published_at_1": "12:00:00"}
    saved = client.post(f"{url}?next=//evil.example/", {**values, **sets, **date})
    assert saved["Location"] == reverse("admin:articles_article_changelist")


# --- How much is asked of the database ----------------------------------------------------------


def add_to_every_queue(editor, number: int, image) -> None:
    """So many stories, with all that a card shows, in each queue; in some there are those of others too."""
    later, earlier = timezone.now() + timedelta(hours=1), timezone.now()
    states = [
        {"public": False},
        {"public": False, "status": S.IN_REVIEW},
        {"publish_at": later},
        {"publish_at": earlier},
    ]
    for state in states * number:
        story = make_article(topics=[make_topic(), make_topic()], created_by=editor, **state)
        add_picture(story, image)
        make_conflict(story)


def queries_of(client, queue: str, cards: int) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert len(keys(client, queue=queue)) >= cards
    return len(queries)


def test_query_count_does_not_grow_with_the_cards(client, editor, monkeypatch):
    monkeypatch.setattr("articles.admin.desk.pages.A_PAGE", 50)
    image = make_image(size=(20, 10))
    with time_machine.travel(timezone.localtime().replace(hour=12, minute=0), tick=False):
        client.get(DESK)  # the session and the content types are warm from here on
        for more, cards in ((5, 5), (45, 50)):
            add_to_every_queue(editor, more, image)
            assert {name: queries_of(client, name, cards) for name in queues.QUEUES} == dict.fromkeys(queues.QUEUES, 20)


def test_card_names_who_else_has_its_form_open(client, editor):
    ben, story = make_user("Editors", username="ben"), draft(title="Whales")
    presence.mark(story.pk, editor)
    assert "Being edited by" not in page(client)
    presence.mark(story.pk, ben)
    assert "Being edited by ben<" in page(client)
