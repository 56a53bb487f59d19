"""Many stories at once: what would happen, doing it, what became of each, and taking it back."""

import html
import json
import re
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from articles import editing, workflow
from articles.admin import bulk
from articles.models import Article, Event
from tests.articles.pages import filled, messages
from tests.factories import NOON, add_picture, make_article, make_provider, make_topic, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
LIST = reverse("admin:articles_article_changelist")
BULK = reverse("admin:desk_bulk")
UNDO = reverse("admin:desk_undo")
READY = "A gull on a mast"


def choose(client, action: str, *articles, **more):
    """Run an action of the list."""
    return client.post(LIST, {"action": action, "_selected_action": [each.pk for each in articles]} | more, follow=True)


def ask(client, verb: str, *articles, **more):
    """Ask what would happen."""
    chosen = ",".join(f"{each.pk}:{each.version}" for each in articles)
    return client.post(BULK, {"verb": verb, "stories": chosen} | more, follow=True)


def confirm(client, response, **changes):
    """Press the button of the page that says what would happen."""
    return client.post(BULK, filled(response, "bulk_form") | {"confirm": "1"} | changes, follow=True)


def text(response) -> str:
    """The content of a page as it is read."""
    page = response.text.partition('<div id="content-main">')[2]
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", page).split()))


def ready(**values) -> Article:
    """A draft of which nothing is wanting."""
    article = make_article(public=False, topics=[make_topic()], no_picture=True, **values)
    return article


def states(*articles) -> list[str]:
    found = dict(Article.objects.values_list("pk", "status"))
    return [found[each.pk] for each in articles]


def batch_of(article) -> UUID:
    return article.events.first().batch


def page_of(batch) -> str:
    return reverse("admin:desk_batch", args=[batch])


# --- What would happen --------------------------------------------------------------------------


def test_preview_counts_what_would_happen_and_changes_nothing(client):
    fine = [ready() for _ in range(3)]
    bare = [make_article(public=False, topics=[make_topic()]) for _ in range(2)]
    ready(web_url="https://outlet.example/same", title="First")
    double = ready(web_url="https://outlet.example/same", title="Second")
    live = make_article(title="Live already")
    response = choose(client, "publish_selected", *fine, *bare, double, live)
    assert text(response).startswith(
        "6 go live , 2 lack a picture, 1 is a duplicate, 1 cannot be published. Nothing has been changed yet. "
        "1 It is published already. Live already"
    )
    assert "The same link waits too: “First”." in text(response)
    assert re.search(r'data-label="Publish">Publish 6</button>', response.text)
    assert set(states(*fine, *bare, double)) == {"draft"}
    assert not Event.objects.exists()


def test_what_a_required_check_finds_cannot_be_ticked_and_advice_can(client, settings):
    settings.CHECKS_REQUIRED = ["topic"]
    bare, advised = make_article(public=False, no_picture=True), make_article(public=False, topics=[make_topic()])
    response = ask(client, "publish", bare, advised)
    boxes = dict(re.findall(r'name="stories" value="(\d+):\d+" id="story-\d+" (\w+)', response.text))
    assert boxes == {str(bare.pk): "disabled", str(advised.pk): "checked"}
    assert text(response).startswith("1 goes live , 1 has no topic, 1 lacks a picture.")
    assert "Needed before it can go live: It has no topic." in text(response)
    confirm(client, response)
    assert states(bare, advised) == ["draft", "published"]


def test_required_check_refuses_in_bulk_who_ticks_all_the_same(client, settings):
    settings.CHECKS_REQUIRED = ["topic"]
    bare, fine = make_article(public=False), ready()
    response = ask(client, "publish", bare, fine, confirm="1")
    assert states(bare, fine) == ["draft", "published"]
    assert messages(response) == ["Published: 1 story. 1 left alone. It has no topic."]


@pytest.mark.parametrize("verb", ["unpublish", "reject"])
def test_checks_are_no_matter_where_nothing_goes_live(client, verb):
    article = make_article(public=verb == "unpublish", provider=None)
    response = ask(client, verb, article)
    assert "It has no provider." not in text(response)
    assert messages(confirm(client, response)) == [f"{verb.capitalize()}ed: 1 story."]


def test_many_of_one_reason_are_counted_and_the_first_named(client):
    live = [make_article(title=f"Live {number:02}") for number in range(bulk.NAMED + 2)]
    response = ask(client, "publish", ready(), *live)
    assert "22 It is published already. Live 00" in text(response)
    assert "… and 2 more" in text(response)


def test_where_nothing_can_be_done_the_list_says_why_and_names_no_story(client):
    drafts = [make_article(public=False, title="Not to be named") for _ in range(2)]
    response = choose(client, "unpublish_selected", *drafts)
    assert messages(response) == ["Nothing was done. It is a draft, so it cannot be unpublished."]
    response = ask(client, "unpublish", *drafts, make_article(public=False, status="rejected"), next="/admin/")
    assert response.redirect_chain == [("/admin/", 302)]
    assert messages(response) == [
        "Nothing was done. It is a draft, so it cannot be unpublished. (2) "
        "It has been rejected, so it cannot be unpublished. (1)"
    ]


def test_story_that_changed_before_the_preview_is_left_out_of_it(client):
    article, other = ready(), ready()
    Article.objects.filter(pk=article.pk).update(version=2)
    response = ask(client, "publish", article, other)
    assert text(response).startswith("1 goes live , 1 cannot be published.")
    assert workflow.CHANGED_SINCE in text(response)


def test_version_that_is_not_told_is_the_one_of_now(client):
    article = ready()
    response = client.post(BULK, {"verb": "publish", "stories": str(article.pk)})
    Article.objects.filter(pk=article.pk).update(version=2)
    assert messages(confirm(client, response)) == ["Nothing was done. It has changed since."]
    assert states(article) == ["draft"]


def test_hostile_titles_are_text(client):
    article = make_article(public=False, title="<script>alert(1)</script> &lt;img src=x&gt;", provider=None)
    live = make_article(title="<script>alert(2)</script>", provider=make_provider(name="<b>bold</b>"))
    page = ask(client, "publish", article, live).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    confirm(client, ask(client, "publish", article))
    assert "<script>alert" not in client.get(page_of(batch_of(article))).text


@pytest.mark.parametrize("stories", ["x", "1:x", "1:2:3", "-1", "9" * 30, "1:" + "9" * 30, "\0", "1;2"])
def test_what_no_page_would_send_is_refused(client, stories):
    response = client.post(BULK, {"verb": "publish", "stories": stories, "confirm": "1"}, follow=True)
    assert messages(response) == ["Nothing was done. These are no stories."]


def test_nothing_chosen_is_said(client):
    for more in ({}, {"confirm": "1"}):
        assert messages(ask(client, "publish", **more)) == ["Nothing was done. No story was chosen."]


def test_more_than_can_be_done_at_once_are_refused_with_their_number(client, monkeypatch):
    monkeypatch.setattr(bulk, "MOST", 2)
    articles = [ready() for _ in range(4)]
    told = "Nothing was done. At most 2 stories can be done at once, and these are 4: narrow them down first."
    assert messages(ask(client, "publish", *articles)) == [told]
    assert messages(ask(client, "publish", *articles, confirm="1")) == [told]
    assert messages(choose(client, "publish_selected", articles[0], select_across="1", index="0")) == [told]
    assert set(states(*articles)) == {"draft"}


def test_all_that_a_filter_finds_can_be_chosen(client):
    drafts, live = [ready() for _ in range(3)], make_article()
    data = {"action": "publish_selected", "_selected_action": [drafts[0].pk], "select_across": "1", "index": "0"}
    response = client.post(f"{LIST}?state=draft", data)
    assert "3 go live" in text(response)
    confirm(client, response)
    assert states(*drafts, live) == ["published"] * 4
    assert live.events.count() == 0


# --- Doing it -----------------------------------------------------------------------------------


def test_only_what_is_ticked_is_done_and_its_page_tells_of_each(client, editor):
    first, second, third = (ready(title=title) for title in ("First", "Second", "Third"))
    response = ask(client, "publish", first, second, third)
    done = confirm(client, response, stories=[f"{first.pk}:1", f"{third.pk}:1"], note="Good ones")
    assert states(first, second, third) == ["published", "draft", "published"]
    events = Event.objects.filter(verb="publish")
    assert {(event.actor, event.note) for event in events} == {(editor, "Good ones")}
    assert len(set(events.values_list("batch", flat=True))) == 1
    assert done.redirect_chain[-1][0].startswith(page_of(batch_of(first)))
    assert messages(done) == ["Published: 2 stories."]
    assert "First" in text(done)
    assert "Published: Draft → Published" in text(done)
    assert "Second" not in text(done)
    assert "“Good ones”" in text(done)


def test_what_changed_or_went_after_the_preview_is_left_alone_and_told(client):
    fine, stale, gone = (ready(title=title) for title in ("Fine", "Stale", "Gone"))
    response = ask(client, "publish", fine, stale, gone)
    editing.edit(stale.pk, lambda document: bulk.dataclasses.replace(document, title="Better"), by=editor_of(), seen=1)
    Article.objects.filter(pk=gone.pk).delete()
    done = confirm(client, response)
    assert states(fine, stale) == ["published", "draft"]
    [told] = messages(done)
    assert told.startswith("Published: 1 story. 2 left alone.")
    assert "Left alone: 2" in text(done)
    assert "Better It has changed since." in text(done)
    assert "Deleted It is no longer there." in text(done)


def editor_of():
    return make_user("Editors")


def test_page_of_a_batch_keeps_to_itself_who_was_refused_in_another(client):
    live, first, second = make_article(title="Live"), ready(), ready()
    ask(client, "publish", live, first, confirm="1")
    assert "Left alone: 1" in text(client.get(page_of(batch_of(first))))
    ask(client, "publish", second, confirm="1")
    assert "Left alone" not in text(client.get(page_of(batch_of(first))))


def test_sending_back_wants_a_reason_and_keeps_what_was_ticked(client):
    article = make_article(public=False, status="in_review")
    response = confirm(client, ask(client, "send_back", article))
    assert "This field is required." in text(response)
    assert states(article) == ["in_review"]
    confirm(client, response, note="Which whale?")
    assert states(article) == ["draft"]
    assert article.events.get().note == "Which whale?"


def test_many_are_scheduled_by_the_sites_clock(client):
    articles = [ready(), ready()]
    with timezone.override("Pacific/Auckland"):
        response = ask(client, "schedule", *articles)
        assert "Pacific/Auckland" in text(response)
        assert 'data-label="Schedule">Schedule 2</button>' in response.text
        confirm(client, response, at="2099-07-01T14:00", until="2099-07-02T14:00")
    for article in Article.objects.all():
        assert (article.status, article.publish_at.isoformat()) == ("published", "2099-07-01T02:00:00+00:00")
        assert article.unpublish_at.isoformat() == "2099-07-02T02:00:00+00:00"


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, {"at": ["Say from when, or until when, it is to be public."]}),
        ({"at": "2020-01-01T10:00"}, {"at": ["The time from which it is to be public has passed."]}),
        ({"at": "2090-01-02T10:00", "until": "2090-01-01T10:00"}, {"until": [workflow.ENDS_TOO_SOON]}),
        ({"at": "tomorrow"}, {"at": ["Enter a valid date/time."]}),
        ({"until": "2090-01-01T10:00"}, {"__all__": ["Nothing was done. Say from when it is to be public."]}),
    ],
)
def test_times_that_make_no_sense_bring_the_page_back_with_the_reason_at_the_field(client, told, reason):
    article = ready()
    response = confirm(client, ask(client, "schedule", article), note="Mind the tide", **told)
    assert response.context["form"].errors == reason
    assert text(response).count(next(iter(reason.values()))[0]) == 1
    for name in reason.keys() - {"__all__"}:
        assert re.search(
            rf'<input[^>]* name="{name}"[^>]* aria-invalid="true"[^>]* aria-describedby="[^"]*id_{name}_error',
            response.text,
        )
        assert f'id="id_{name}_error"' in response.text
    assert filled(response, "bulk_form")["note"] == ["Mind the tide"]
    assert states(article) == ["draft"]


def test_end_of_public_stories_can_be_scheduled(client):
    article, draft = make_article(), ready()
    end = timezone.localtime(timezone.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    response = confirm(client, ask(client, "schedule", article, draft), until=end)
    assert messages(response) == ["Scheduled: 1 story. 1 left alone. Say from when it is to be public."]
    article.refresh_from_db()
    assert (article.publish_at, article.unpublish_at is None) == (NOON, False)


# --- Topics -------------------------------------------------------------------------------------


def topics(article) -> list[str]:
    return [topic.name for topic in Article.objects.get(pk=article.pk).topics.all()]


def test_topics_are_added_and_taken_away_and_come_back_with_an_undo(client, editor):
    whales, apes, newts = (make_topic(name) for name in ("Whales", "Apes", "Newts"))
    first, second = make_article(topics=[apes, newts]), make_article(topics=[newts])
    response = choose(client, "topics_selected", first, second)
    assert text(response).startswith("2 get other topics .")
    done = confirm(client, response, add=[whales.pk], take=[apes.pk], note="Sea week")
    assert (topics(first), topics(second)) == (["Newts", "Whales"], ["Newts", "Whales"])
    assert messages(done) == ["Changed: 2 stories."]
    event = first.events.get()
    assert (event.verb, event.actor, event.note, event.data["fields"]) == ("edit", editor, "Sea week", ["topics"])
    client.post(UNDO, {"batch": event.batch})
    assert (topics(first), topics(second)) == (["Apes", "Newts"], ["Newts"])


def test_preview_of_topics_tells_who_has_them_already(client):
    whales = make_topic("Whales")
    has, lacks = make_article(topics=[whales], title="Has"), make_article(title="Lacks")
    response = ask(client, "topics", has, lacks, again="1", add=[whales.pk])
    assert text(response).startswith("1 gets other topics , 1 cannot be changed.")
    assert "Nothing about it would change. Has" in text(response)
    confirm(client, response)
    assert (topics(has), topics(lacks)) == (["Whales"], ["Whales"])
    assert not has.events.exists()


def test_topics_that_make_no_sense_bring_the_page_back(client):
    whales = make_topic("Whales")
    article = make_article(topics=[whales])
    for told, reason in (
        ({}, "Say which topics to add or to take away."),
        ({"add": [whales.pk], "take": [whales.pk]}, "“Whales” cannot be both added and taken away."),
        ({"add": [whales.pk]}, editing.UNCHANGED),
        ({"add": ["x"]}, "“x” is not a valid value."),
    ):
        assert reason in text(ask(client, "topics", article, confirm="1", **told))
    assert not Event.objects.exists()


def test_contributor_changes_topics_of_own_unpublished_stories_alone(client):
    author, whales = make_user("Contributors"), make_topic("Whales")
    client.force_login(author)
    own, live, other = make_article(public=False, created_by=author), make_article(created_by=author), make_article()
    response = ask(client, "topics", own, live, other, add=[whales.pk], confirm="1")
    assert messages(response) == [f"Changed: 1 story. 2 left alone. {editing.NOT_YOURS}"]
    assert [topics(each) for each in (own, live, other)] == [["Whales"], [], []]


# --- What was done, and taking it back ----------------------------------------------------------


def test_undo_restores_exactly_those_stories_and_can_itself_be_undone(client, editor):
    first, second, other = ready(), ready(), ready()
    ask(client, "publish", first, second, confirm="1")
    ask(client, "publish", other, confirm="1")
    page = client.get(page_of(batch_of(first)))
    assert "Undo: 2 stories" in text(page)
    response = client.post(UNDO, {"batch": batch_of(first), "next": page_of(batch_of(first))}, follow=True)
    assert messages(response) == ["Undone: 2 stories."]
    assert states(first, second, other) == ["draft", "draft", "published"]
    assert "Undone 2 stories by ana" in text(response)
    assert "Undo:" not in text(response)
    assert "Do it again: 2 stories" in text(response)
    again = batch_of(first)
    assert "Do it again: 2 stories" in text(client.get(page_of(again)))
    client.post(UNDO, {"batch": again})
    assert states(first, second, other) == ["published"] * 3


def test_what_came_later_for_some_is_undone_first_and_then_all_of_it(client):
    whales, stories = make_topic("Whales"), [ready() for _ in range(4)]
    ask(client, "publish", *stories, confirm="1")
    published = batch_of(stories[0])
    ask(client, "topics", *Article.objects.order_by("pk")[:2], confirm="1", add=[whales.pk])
    client.post(UNDO, {"batch": batch_of(stories[0])})
    assert "Undo: 4 stories" in text(client.get(page_of(published)))
    client.post(UNDO, {"batch": published})
    assert states(*stories) == ["draft"] * 4
    client.post(UNDO, {"batch": batch_of(stories[3])})
    page = text(client.get(page_of(published)))
    assert "Undo: 4 stories" in page
    assert page.count("As it was left") == 4
    client.post(UNDO, {"batch": published})
    assert states(*stories) == ["draft"] * 4
    assert "Do it again: 4 stories" in text(client.get(page_of(published)))


def test_undo_says_which_stories_had_changed_since(client):
    first, second = ready(title="Moved on"), ready()
    ask(client, "publish", first, second, confirm="1")
    batch = batch_of(first)
    workflow.unpublish(first, by=editor_of())
    assert "Changed since" in text(client.get(page_of(batch)))
    response = client.post(UNDO, {"batch": batch}, follow=True)
    assert messages(response) == ["Undone: 1 story. 1 left alone. “Moved on”: It has changed since."]
    assert states(first, second) == ["unpublished", "draft"]
    response = client.post(UNDO, {"batch": batch}, follow=True)
    assert messages(response)[0].startswith("Nothing was undone. 2 left alone.")


def test_undo_answers_scripts_in_json(client):
    first, second = ready(), ready(title="Moved on")
    ask(client, "publish", first, second, confirm="1")
    workflow.unpublish(second, by=editor_of())
    response = client.post(UNDO, {"batch": batch_of(first)}, headers={"accept": "application/json"})
    undone = batch_of(first)
    assert json.loads(response.content) == {
        "message": "Undone: 1 story. 1 left alone. “Moved on”: It has changed since.",
        "done": [first.pk],
        "refused": {str(second.pk): "It has changed since."},
        "batch": str(undone),
    }
    response = client.post(UNDO, {"batch": undone}, headers={"accept": "application/json"})
    assert states(first) == ["published"]
    response = client.post(UNDO, {"batch": undone}, headers={"accept": "application/json"})
    assert (response.json()["done"], response.json()["batch"]) == ([], None)


def test_undo_goes_back_to_pages_of_ours_alone(client):
    article = ready()
    ask(client, "publish", article, confirm="1")
    batch = batch_of(article)
    assert client.post(UNDO, {"batch": batch, "next": "/admin/desk/"})["Location"] == "/admin/desk/"
    for elsewhere in ("https://evil.example/", "//evil.example", "javascript:alert(1)"):
        assert client.post(UNDO, {"batch": batch, "next": elsewhere})["Location"] == page_of(batch)
        response = client.post(BULK, {"verb": "publish", "stories": "", "next": elsewhere})
        assert response["Location"] == LIST
        assert elsewhere not in client.get(page_of(batch), {"next": elsewhere}).text


@pytest.mark.parametrize("batch", ["", "x", "\0", str(UUID(int=1))])
def test_batch_that_does_not_exist_is_not_found(client, batch):
    assert client.post(UNDO, {"batch": batch}).status_code == 404


def test_page_of_no_batch_is_not_found_nor_is_a_verb_that_does_not_exist(client):
    assert client.get(page_of(uuid4())).status_code == 404
    assert client.post(BULK, {"verb": "delete", "stories": "1"}).status_code == 404


def test_nothing_is_done_by_opening_a_page(client):
    article = ready()
    for url, asked in ((BULK, {"verb": "publish", "stories": article.pk, "confirm": "1"}), (UNDO, {})):
        response = client.get(url, asked, follow=True)
        assert response.redirect_chain == [(reverse("admin:desk"), 302)]
        assert messages(response) == ["Nothing was done: you had been logged out."]
        assert client.get(url, asked, headers={"Accept": "application/json"}).status_code == 405
        assert client.put(url).status_code == 405
    assert not Event.objects.exists()
    assert client.post(page_of(uuid4())).status_code == 405


@pytest.mark.parametrize(("group", "page"), [("", 403), ("Contributors", 200)])
def test_who_may_not_undo_is_refused_and_nothing_is_changed(client, group, page):
    article = ready()
    ask(client, "publish", article, confirm="1")
    batch = batch_of(article)
    client.force_login(make_user(group))
    assert client.post(UNDO, {"batch": batch}).status_code == 403
    assert states(article) == ["published"]
    response = client.get(page_of(batch))
    assert response.status_code == page
    assert "Undo" not in response.text


def test_author_undoes_a_submission_in_bulk(client):
    author = make_user("Contributors")
    client.force_login(author)
    own, other = make_article(public=False, created_by=author), make_article(public=False, title="Not to be named")
    response = ask(client, "submit", own, other, confirm="1")
    assert messages(response) == [
        "Submitted for review: 1 story. 1 left alone. You may submit only what you wrote yourself."
    ]
    assert states(own, other) == ["in_review", "draft"]
    client.post(UNDO, {"batch": batch_of(own)})
    assert states(own) == ["draft"]


def test_batch_is_reached_from_the_log_and_from_the_story(client):
    article, single = ready(), ready()
    ask(client, "publish", article, confirm="1")
    Event.objects.create(article=single, verb="edit")
    link = f'href="{page_of(batch_of(article))}"'
    log = reverse("admin:articles_event_changelist")
    assert client.get(log).text.count(link) == 1
    assert link in client.get(reverse("admin:articles_article_change", args=[article.pk])).text
    narrowed = client.get(log, {"batch": str(batch_of(article))})
    assert [event.article for event in narrowed.context["cl"].result_list] == [article]
    assert client.get(log, {"batch": "x"}).status_code == 302


def test_actions_are_those_that_the_editor_may_ever_do(client):
    make_article()

    def offered() -> list[str]:
        return re.findall(r'<option value="(\w+)_selected">', client.get(LIST).text)

    assert offered() == [*workflow.VERBS, "topics"]
    client.force_login(make_user("Contributors"))
    assert offered() == ["submit", "topics"]


# --- Thousands ----------------------------------------------------------------------------------


def many(number: int) -> list[Article]:
    first = make_article(public=False)
    rows = [
        Article(
            stem=f"s-{n}", title=f"S {n}", published_at=NOON, provider=first.provider, web_url=f"https://a.example/{n}"
        )
        for n in range(number - 1)
    ]
    return [first, *Article.objects.bulk_create(rows)]


def test_a_thousand_stories_take_as_many_queries_for_each_500_as_few_do(client):
    client.get(LIST)

    def queries(number: int) -> list[int]:
        articles = many(number)
        counts = []
        with CaptureQueriesContext(connection) as captured:
            response = ask(client, "reject", *articles)
        counts.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            confirm(client, response)
        counts.append(len(captured))
        batch = batch_of(articles[0])
        with CaptureQueriesContext(connection) as captured:
            client.get(page_of(batch))
        counts.append(len(captured))
        with CaptureQueriesContext(connection) as captured:
            client.post(UNDO, {"batch": batch})
        counts.append(len(captured))
        Article.objects.filter(stem__startswith="s-").delete()
        assert not Event.objects.filter(verb="reject", article__status="rejected").exists()
        return counts

    few, thousand = queries(2), queries(1000)
    assert all(high - low <= 40 for high, low in zip(thousand, few, strict=True)), (few, thousand)


def test_page_of_a_batch_loads_what_it_shows_of_the_log_and_no_more(client, editor):
    articles = many(150)
    batch = workflow.apply_to_each(
        workflow.REJECT, {article.pk: None for article in articles}, by=editor, batch=uuid4()
    ).batch
    for _ in range(2):
        batch = editing.undo(batch, by=editor).batch
    with CaptureQueriesContext(connection) as captured:
        page = client.get(page_of(batch))
    assert "Do it again: 150 stories" in text(page)
    whole = [query["sql"] for query in captured if '"batch", "articles_event"."data"' in query["sql"]]
    assert whole
    assert [sql for sql in whole if "LIMIT" not in sql] == []


def test_stories_beyond_the_first_five_hundred_are_one_box(client, monkeypatch):
    monkeypatch.setattr(bulk, "LISTED", 3)
    articles = many(6)
    add_picture(articles[5], alt=READY)
    response = ask(client, "publish", *articles)
    assert text(response).count("Open") == 3
    assert "3 more They are not listed one by one." in text(response)
    confirm(client, response)
    assert set(states(*articles)) == {"published"}
