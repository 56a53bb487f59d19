"""What the cards' buttons do, with and without the page's script; views that are kept."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from articles import editing, retopic, workflow
from articles.admin.desk.acts import LONGEST_TOPIC, MOST_TOPICS
from articles.models import Article, Event, OldAddress, Revision, SavedView, Topic
from tests.articles.pages import messages
from tests.factories import make_article, make_topic, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
DESK = reverse("admin:desk")
ACT, TOPICS, UNDO, VIEWS = (reverse(f"admin:desk_{name}") for name in ("act", "topics", "undo", "views"))
HERE = f"{DESK}?queue=incoming"
JSON = {"Accept": "application/json"}
S = Article.Status


@pytest.fixture
def draft():
    return make_article(title="Herring", public=False)


def seen(story) -> str:
    return f"{story.pk}:{story.version}"


def act(client, story, verb, **more):
    """As the script asks."""
    data = {"story": seen(story), "verb": verb, "next": HERE, **more}
    response = client.post(ACT, data, headers=JSON)
    assert response.status_code == 200
    return response.json()


def topics(client, story, *names):
    data = {"story": seen(story), "topics": names, "next": HERE}
    response = client.post(TOPICS, data, headers=JSON)
    assert response.status_code == 200
    return response.json()


def undo(client, batch):
    return client.post(UNDO, {"batch": batch, "next": HERE}, headers=JSON).json()


def names_of(story) -> list[str]:
    return [topic.name for topic in story.topics.all()]


def as_input(at) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%dT%H:%M")


def told(response) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


# --- Verbs --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "verb", "more", "becomes"),
    [
        (S.DRAFT, "publish", {}, S.PUBLISHED),
        (S.DRAFT, "submit", {}, S.IN_REVIEW),
        (S.DRAFT, "reject", {}, S.REJECTED),
        (S.IN_REVIEW, "send_back", {"note": "Too long"}, S.DRAFT),
        (S.PUBLISHED, "unpublish", {}, S.UNPUBLISHED),
        (S.REJECTED, "restore", {}, S.DRAFT),
    ],
)
def test_verb_is_done_at_once_and_undone_by_itself(client, editor, state, verb, more, becomes):
    story = make_article(public=state == S.PUBLISHED, status=state)
    answer = act(client, story, verb, **more)
    assert answer["done"]
    assert answer["message"] == f"“{story}” was {workflow.VERBS[verb].done}."
    story.refresh_from_db()
    assert story.status == becomes
    event = story.events.get()
    assert (event.actor, event.verb, str(event.batch)) == (editor, verb, answer["batch"])
    assert event.note == more.get("note", "")

    assert undo(client, answer["batch"])["done"] == [story.pk]
    story.refresh_from_db()
    assert story.status == state


def test_each_act_has_its_own_batch(client):
    batches = {act(client, make_article(public=False), "publish")["batch"] for _ in range(2)}
    assert len(batches) == 2


def test_scheduling_says_when(client, draft):
    at, until = (timezone.now().replace(second=0, microsecond=0) + timedelta(days=days) for days in (1, 2))
    answer = act(client, draft, "schedule", at=as_input(at), until=as_input(until))
    draft.refresh_from_db()
    assert (draft.status, draft.publish_at, draft.unpublish_at) == (S.PUBLISHED, at, until)
    assert f"for {timezone.localtime(at):%-d %b %Y, %H:%M %Z} until" in answer["message"]
    assert not answer["stays"]


def test_scheduled_story_goes_live_from_its_queue_at_once(client):
    article = make_article(publish_at=timezone.now() + timedelta(hours=1))
    assert 'value="publish"' in client.get(DESK, {"queue": "scheduled"}).text
    answer = act(client, article, "publish", next=f"{DESK}?queue=scheduled")
    article.refresh_from_db()
    assert (answer["done"], article.is_public, answer["stays"]) == (True, True, False)


@pytest.mark.parametrize(("queue", "offered"), [("scheduled", True), ("today", False), ("mine", True)])
def test_what_is_public_is_not_offered_to_be_published_in_bulk(client, queue, offered):
    deeds = client.get(DESK, {"queue": queue}).context["deeds"]
    assert ("publish" in [deed.name for deed in deeds]) == offered


def test_times_are_for_scheduling_alone(client, draft):
    act(client, draft, "publish", at=as_input(timezone.now() + timedelta(days=1)))
    draft.refresh_from_db()
    assert draft.is_public


@pytest.mark.parametrize(
    ("verb", "more", "reason"),
    [
        ("schedule", {"at": "tomorrow"}, "Public from: Enter a valid date/time."),
        ("schedule", {"at": "2001-01-01T10:00"}, "The time from which it is to be public has passed."),
        ("schedule", {}, "Say from when it is to be public."),
        ("unpublish", {}, "It is a draft, so it cannot be unpublished."),
        ("publish", {"note": "x" * 501}, "Note: Ensure this value has at most 500 characters (it has 501)."),
        ("publish", {"note": "\0"}, "Note: Null characters are not allowed."),
    ],
)
def test_what_cannot_be_done_is_told_on_the_card_and_nothing_changes(client, draft, verb, more, reason):
    answer = act(client, draft, verb, **more)
    assert (answer["done"], answer["batch"], answer["stays"]) == (False, None, True)
    assert reason in answer["message"]
    error = re.search(r'<p class="desk-error" role="alert">([^<]+)</p>', answer["card"]).group(1)
    assert reason in error
    draft.refresh_from_db()
    assert draft.version == 1
    assert not Event.objects.exists()


def test_sending_back_wants_a_note(client):
    story = make_article(public=False, status=S.IN_REVIEW)
    assert act(client, story, "send_back", note=" ")["message"] == "Say why."


def test_what_is_required_keeps_a_story_from_going_live(client, draft, settings):
    settings.CHECKS_REQUIRED = ["topic"]
    assert act(client, draft, "publish")["message"] == "It has no topic."
    draft.refresh_from_db()
    assert draft.status == S.DRAFT


@pytest.mark.parametrize(("queue", "verb", "stays"), [("incoming", "publish", False), ("mine", "publish", True)])
def test_answer_says_whether_the_story_stays_in_the_queue(client, editor, queue, verb, stays):
    story = make_article(public=False, created_by=editor)
    answer = act(client, story, verb, next=f"{DESK}?queue={queue}")
    assert answer["stays"] is stays
    assert 'class="badge badge-published"' in answer["card"]
    assert f'data-seen="{story.pk}:2"' in answer["card"]


# --- Two editors --------------------------------------------------------------------------------


def test_story_that_has_changed_since_is_shown_anew_and_left_alone(client, draft):
    anna = make_user("Editors", username="anna")
    other = Article.objects.get(pk=draft.pk)
    workflow.submit(other, by=anna)
    workflow.send_back(other, by=anna, note="No")
    answer = act(client, draft, "publish")
    assert re.fullmatch(r"anna changed it at \d\d:\d\d: look again\.", answer["message"])
    assert f'data-seen="{draft.pk}:3"' in answer["card"]
    draft.refresh_from_db()
    assert draft.status == S.DRAFT


def test_who_was_slower_is_told_by_whom_it_was_done(client, draft):
    workflow.reject(Article.objects.get(pk=draft.pk), by=make_user("Editors", username="anna"))
    answer = act(client, draft, "publish")
    assert answer["message"].startswith("It has been rejected, so it cannot be published. anna changed it at ")
    assert not answer["stays"]


def test_topics_of_a_story_that_has_changed_since_stay(client, draft):
    make_topic("Whales")
    workflow.submit(Article.objects.get(pk=draft.pk), by=make_user("Editors", username="anna"))
    answer = topics(client, draft, "Whales")
    assert not answer["done"]
    assert "anna changed it at" in answer["message"]
    assert names_of(draft) == []


# --- Who may ------------------------------------------------------------------------------------


def others_and_own(contributor):
    return make_article(title="Secret plans", public=False), make_article(public=False, created_by=contributor)


@pytest.mark.parametrize("headers", [JSON, {}])
@pytest.mark.parametrize("verb", workflow.VERBS)
def test_forged_verb_is_refused_without_a_title_and_changes_nothing(client, verb, headers):
    contributor = make_user("Contributors")
    client.force_login(contributor)
    other, own = others_and_own(contributor)
    for story in (other, own) if verb != "submit" else (other,):
        for state in S:
            times = {"publish_at": timezone.now()} if state == S.PUBLISHED else {}
            Article.objects.filter(pk=story.pk).update(status=state, **times)
            response = client.post(ACT, {"story": seen(story), "verb": verb, "note": "x"}, headers=headers)
            assert response.status_code == 403
            assert "Secret" not in response.content.decode()
            story.refresh_from_db()
            assert (story.status, story.version) == (state, 1)
    assert not Event.objects.exists()


def test_contributor_submits_what_they_wrote(client):
    contributor = make_user("Contributors")
    client.force_login(contributor)
    own = make_article(public=False, created_by=contributor)
    answer = act(client, own, "submit")
    assert answer["done"]
    assert undo(client, answer["batch"])["done"] == [own.pk]


def test_forged_topics_are_refused(client):
    contributor = make_user("Contributors")
    client.force_login(contributor)
    other, _ = others_and_own(contributor)
    response = client.post(TOPICS, {"story": seen(other), "topics": "Anything"}, headers=JSON)
    assert response.status_code == 403
    assert "Secret" not in response.content.decode()
    assert not Topic.objects.exists()


@pytest.mark.parametrize("name", ["act", "topics", "views", "bulk", "undo"])
def test_who_was_logged_out_comes_to_the_desk_and_is_told(client, editor, name):
    client.logout()
    login = client.post(reverse(f"admin:desk_{name}"), {"story": "1:1", "verb": "publish"})["Location"]
    client.force_login(editor)
    page = client.get(parse_qs(urlsplit(login).query)["next"][0], follow=True)
    assert page.redirect_chain == [(reverse("admin:desk"), 302)]
    assert messages(page) == ["Nothing was done: you had been logged out."]


@pytest.mark.parametrize("name", ["act", "topics", "views"])
def test_changing_takes_a_post_and_its_token(client, editor, name):
    url = reverse(f"admin:desk_{name}")
    assert client.get(url, headers=JSON).status_code == 405
    strict = client.__class__(enforce_csrf_checks=True)
    strict.force_login(editor)
    assert strict.post(url, {"story": "1:1", "verb": "publish"}).status_code == 403


@pytest.mark.parametrize("story", ["", "x", "1", "1:", ":1", "1:x", "\0:1", f"{'9' * 30}:1", "-1:1", "999999:1"])
def test_story_that_there_is_not_is_404(client, story):
    assert client.post(ACT, {"story": story, "verb": "publish"}).status_code == 404
    assert client.post(TOPICS, {"story": story, "topics": "x"}).status_code == 404


@pytest.mark.parametrize("verb", ["", "delete", "\0", "import"])
def test_verb_that_there_is_not_is_404(client, draft, verb):
    assert client.post(ACT, {"story": seen(draft), "verb": verb}).status_code == 404


# --- Topics -------------------------------------------------------------------------------------


def test_topics_are_set_in_their_order_with_a_revision_and_undone(client, editor):
    story = make_article(public=False, topics=[make_topic("Trams")])
    for name in ("Whales", "Deep Sea"):
        make_topic(name)
    answer = topics(client, story, "deep  sea", "WHALES", "Deep Sea")
    assert answer["done"]
    assert answer["message"] == f"“{story}” has its topics: Deep Sea, Whales."
    assert names_of(story) == ["Deep Sea", "Whales"]
    event = story.events.get()
    assert (event.actor, event.verb, event.data["fields"]) == (editor, "edit", ["topics"])
    assert Revision.objects.filter(article=story).count() == 2
    assert answer["stays"]
    assert undo(client, answer["batch"])["done"] == [story.pk]
    assert names_of(story) == ["Trams"]


@pytest.mark.parametrize(
    "sent", [["Whales\nTrams"], ["Whales, Trams"], ["Whales", "Trams"], ["\r\nWhales\r\n , Trams,,"]]
)
def test_topics_come_as_values_lines_or_between_commas(client, draft, sent):
    for name in ("Whales", "Trams"):
        make_topic(name)
    topics(client, draft, *sent)
    assert names_of(draft) == ["Whales", "Trams"]


def test_name_with_a_comma_is_one_name(client, draft):
    make_topic("Berlin, Germany")
    topics(client, draft, "Berlin, Germany")
    assert names_of(draft) == ["Berlin, Germany"]


def test_no_topics_is_an_answer_too(client):
    story = make_article(public=False, topics=[make_topic()])
    assert topics(client, story, "")["message"] == f"“{story}” has its topics: none."
    assert names_of(story) == []


def test_editor_may_name_a_new_topic(client, draft):
    topics(client, draft, "Giant squid")
    assert names_of(draft) == ["Giant squid"]


def test_contributor_may_not(client):
    contributor = make_user("Contributors")
    client.force_login(contributor)
    own = make_article(public=False, created_by=contributor)
    known = make_topic("Whales")
    answer = topics(client, own, "Whales", "Giant squid")
    assert answer["message"] == "Topics: there is no topic “Giant squid”, and you may not add one."
    assert list(Topic.objects.all()) == [known]
    assert names_of(own) == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (["x" * 101], "is too long for a name."),
        ([f"Topic {number}" for number in range(51)], "Topics: at most 50."),
        ([",".join(f"t{number}" for number in range(1200))] * 200, "Topics: at most 50."),
    ],
)
def test_topics_that_cannot_be(client, draft, sent, reason):
    assert reason in topics(client, draft, *sent)["message"]
    assert not Topic.objects.exists()


def test_same_topics_change_nothing(client):
    story = make_article(public=False, topics=[make_topic("Whales")])
    answer = topics(client, story, "Whales")
    assert (answer["done"], answer["message"]) == (False, f"“{story}” has these topics already.")
    assert not Event.objects.exists()


# --- Without the script -------------------------------------------------------------------------


def test_button_leads_back_to_the_desk_with_a_message_that_undoes(client, draft):
    response = client.post(ACT, {"story": seen(draft), "verb": "publish", "next": f"{HERE}#story-7"})
    assert response["Location"] == f"{HERE}#story-7"
    page = client.get(HERE).content.decode()
    assert "“Herring” was published." in page
    form = re.search(rf'<form method="post" action="{UNDO}".*?</form>', page, re.DOTALL).group()
    batch = re.search(r'name="batch" value="([^"]+)"', form).group(1)
    assert client.post(UNDO, {"batch": batch, "next": HERE})["Location"] == HERE
    draft.refresh_from_db()
    assert draft.status == S.DRAFT
    assert 'name="batch"' not in client.get(HERE).content.decode()


def test_refusal_is_a_message_that_says_why_and_names_no_story(client, draft):
    response = client.post(ACT, {"story": seen(draft), "verb": "schedule", "next": HERE})
    assert told(response) == ["Nothing was done. Say from when it is to be public."]


@pytest.mark.parametrize(
    "wanted", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "\0", "/\n/x"]
)
def test_nobody_is_led_elsewhere(client, draft, wanted):
    location = client.post(ACT, {"story": seen(draft), "verb": "publish", "next": wanted})["Location"]
    assert location.startswith("/")
    assert not location.startswith("//")


def test_story_deleted_between_the_look_and_the_lock_is_told_of(client, draft, monkeypatch):
    def deleted(*arguments, **more):
        Article.objects.all().delete()
        return edit(*arguments, **more)

    edit = editing.edit
    make_topic("Whales")
    monkeypatch.setattr(editing, "edit", deleted)
    answer = topics(client, draft, "Whales")
    assert (answer["done"], answer["message"], answer["card"]) == (False, "It is no longer there.", "")


def test_topics_longer_than_they_can_be_are_refused_whole(client, draft):
    make_topic("Whales")
    answer = topics(client, draft, "Whales, " * 3000)
    assert answer["message"] == "Topics: at most 50. This is longer than they can be."
    long = [f"{number:03}{'x' * (LONGEST_TOPIC - 3)}" for number in range(MOST_TOPICS)]
    assert topics(client, draft, ", ".join(long))["done"]
    assert names_of(draft) == long


# --- Views --------------------------------------------------------------------------------------


def keep(client, name, query="queue=review&order=heat", **more):
    return client.post(VIEWS, {"name": name, "query": query, "next": HERE, **more})


def shown_views(client) -> list[str]:
    return [shown.view.name for shown in client.get(DESK).context["views"]]


def test_view_is_kept_with_queue_filters_and_order_and_nothing_else(client, editor):
    response = keep(client, "Hot whales", "queue=review&order=heat&topic=whales&q=x&after=5,5&evil=1&kind=")
    query = urlencode({"queue": "review", "q": "x", "topic": "whales", "order": "heat"})
    assert response["Location"] == f"{DESK}?{query}"
    view = SavedView.objects.get()
    assert (view.owner, view.name, view.query, view.is_shared) == (editor, "Hot whales", query, False)
    page = client.get(response["Location"]).content.decode()
    assert re.search(r'aria-current="page">\s*Hot whales', page)


def test_views_of_ones_own_are_shown_before_all_that_others_share(client, editor):
    others = [make_user("Editors") for _ in range(3)]
    SavedView.objects.bulk_create(
        SavedView(owner=other, name=f"A {number:02}", query="", is_shared=True)
        for other in others
        for number in range(25)
    )
    keep(client, "Zebras")
    keep(client, "Mine")
    assert shown_views(client)[:3] == ["Mine", "Zebras", "A 00"]


def test_view_that_asks_for_too_much_is_not_kept(client):
    words = "ф" * 190  # six characters each in an address
    assert told(keep(client, "Long", urlencode({"queue": "incoming", "q": words}))) == [
        "Search: it is too long for a view. Nothing was saved."
    ]
    assert not SavedView.objects.exists()


def test_view_by_topic_outlives_the_topics_address_and_name(client):
    merged, target = make_topic("AI"), make_topic("Artificial intelligence")
    story = make_article(title="Robots", public=False, topics=[merged])
    asked = {"queue": "incoming", "topic": merged.slug}
    retopic.merge_topics([merged], target, by=make_user("Managers"))
    OldAddress.objects.create(kind=OldAddress.Kind.TOPIC, name="robotics", topic=target)
    for topic in (asked["topic"], "ai", "robotics"):
        page = client.get(DESK, asked | {"topic": topic})
        assert [card.story for card in page.context["cards"]] == [story]
    assert "There is no topic" in client.get(DESK, asked | {"topic": "nowhere"}).text


def test_view_is_seen_by_others_only_if_it_is_shared(client):
    keep(client, "Mine alone")
    keep(client, "For all", is_shared="on")
    assert shown_views(client) == ["For all", "Mine alone"]
    client.force_login(make_user("Contributors"))
    assert shown_views(client) == ["For all"]
    assert "by ana" in client.get(DESK).content.decode()
    assert 'name="view"' not in client.get(DESK).content.decode()


def test_owner_renames_shares_and_deletes(client):
    keep(client, "Old")
    view = SavedView.objects.get()
    client.post(VIEWS, {"view": view.pk, "name": "New", "is_shared": "on", "next": HERE})
    view.refresh_from_db()
    assert (view.name, view.is_shared, view.query) == ("New", True, "queue=review&order=heat")
    response = client.post(VIEWS, {"view": view.pk, "name": "New", "do": "delete", "next": HERE})
    assert response["Location"] == HERE
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("do", ["save", "delete"])
@pytest.mark.parametrize(("is_shared", "status"), [(True, 403), (False, 404)])
def test_no_other_editor_changes_or_deletes_it(client, do, is_shared, status):
    view = SavedView.objects.create(owner=make_user("Editors"), name="Theirs", query="", is_shared=is_shared)
    assert client.post(VIEWS, {"view": view.pk, "name": "Ours", "do": do}).status_code == status
    view.refresh_from_db()
    assert view.name == "Theirs"


def test_manager_deletes_what_somebody_shared_who_has_left_and_nothing_more(client):
    owner = make_user("Editors", is_active=False)
    shared, own = (
        SavedView.objects.create(owner=owner, name=name, query="", is_shared=name == "Shared")
        for name in ("Shared", "Own")
    )
    client.force_login(make_user("Managers"))
    page = client.get(DESK).text
    assert re.findall(r'name="view" value="(\d+)"', page) == [str(shared.pk)]
    assert 'name="do" value="delete"' in page
    assert client.post(VIEWS, {"view": shared.pk, "name": "Ours", "do": "save"}).status_code == 403
    assert client.post(VIEWS, {"view": own.pk, "do": "delete"}).status_code == 404
    assert told(client.post(VIEWS, {"view": shared.pk, "do": "delete"})) == ["The view “Shared” is no longer kept."]
    assert SavedView.objects.get() == own


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "Name: This field is required."),
        ("x" * 61, "Name: Ensure this value has at most 60 characters (it has 61)."),
        ("a\0b", "Name: Null characters are not allowed."),
        ("Taken", "Name: you have a view “Taken” already."),
    ],
)
def test_name_that_cannot_be_is_told(client, name, reason):
    keep(client, "Taken", is_shared="on")
    assert told(keep(client, name))[-1] == f"{reason} Nothing was saved."
    assert SavedView.objects.count() == 1


def test_views_are_so_many_and_no_more(client, editor):
    SavedView.objects.bulk_create(SavedView(owner=editor, name=str(number), query="") for number in range(30))
    assert told(keep(client, "One more")) == ["You keep 30 views already: delete one first. Nothing was saved."]


@pytest.mark.parametrize("view", ["x", "\0", "9" * 30, "999999"])
def test_view_that_there_is_not_is_404(client, view):
    assert client.post(VIEWS, {"view": view, "name": "x"}).status_code == 404


def test_queue_that_there_is_not_is_no_view(client):
    assert keep(client, "x", "queue=nowhere").status_code == 404
    assert keep(client, "x", "\0" * 9).status_code == 302
