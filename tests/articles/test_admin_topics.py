"""The admin of topics, and the list of events."""

import pytest
from django.urls import reverse
from django.utils import timezone

from articles.models import Article, Conflict, Event, SourceFile, Topic
from tests.articles.pages import filled
from tests.factories import make_article, make_conflict, make_topic, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
LIST = reverse("admin:articles_topic_changelist")
ADD = reverse("admin:articles_topic_add")
EVENTS = reverse("admin:articles_event_changelist")


def submit(client, url: str, **changes):
    return client.post(url, filled(client.get(url), "topic_form") | changes | {"_save": "Save"})


def address(topic) -> str:
    return reverse("admin:articles_topic_change", args=[topic.pk])


def errors(response) -> list[str]:
    return [error for group in response.context["errors"] for error in group]


def test_keywords_and_hashtags_are_edited_a_line_each(client):
    topic = make_topic("AI", keywords=["robots", "models"])
    assert filled(client.get(address(topic)), "topic_form")["keywords"] == ["robots\r\nmodels"]
    submit(client, address(topic), keywords="robots\r\n\r\n chips \r\nrobots", hashtags="#ai")
    topic.refresh_from_db()
    assert (topic.keywords, topic.hashtags) == (["robots", "chips"], ["#ai"])


@pytest.mark.parametrize("name", ["AI", "ai", " Ai "])
def test_name_that_differs_only_in_case_is_taken(client, name):
    make_topic("AI")
    assert errors(submit(client, ADD, name=name))[-1] in (
        "There is already a topic ‘AI’.",
        "Topic with this Name already exists.",
    )
    assert Topic.objects.count() == 1


def test_topic_may_change_the_case_of_its_own_name(client):
    topic = make_topic("ai")
    submit(client, address(topic), name="AI")
    topic.refresh_from_db()
    assert topic.name == "AI"


def test_address_is_made_from_the_name_when_left_blank(client):
    submit(client, ADD, name="Artificial intelligence")
    assert Topic.objects.get().slug == "artificial-intelligence"


def test_address_of_a_topic_is_not_lost(client):
    topic = make_topic("AI")
    submit(client, address(topic), slug="", description="New")
    topic.refresh_from_db()
    assert (topic.slug, topic.description) == ("ai", "New")


def test_address_of_a_topic_that_readers_have_seen_stays(client):
    seen, unseen = make_topic("Seen"), make_topic("Unseen")
    make_article(topics=[seen], status="unpublished")
    make_article(topics=[unseen], public=False)
    for topic in (seen, unseen):
        submit(client, address(topic), slug="other-address")
    assert set(Topic.objects.values_list("slug", flat=True)) == {"seen", "other-address"}


def test_address_of_a_topic_with_a_file_stays(client):
    topic = make_topic("Imported")
    SourceFile.objects.create(path="_data/topics/x.yaml", text="", digest="", topic=topic, imported_at=timezone.now())
    submit(client, address(topic), slug="other-address")
    topic.refresh_from_db()
    assert topic.slug == "imported"


def test_form_links_to_the_site_only_when_there_is_a_page(client):
    public, hidden = make_topic("Public"), make_topic("Hidden")
    make_article(topics=[public])
    make_article(topics=[hidden], public=False)
    assert f'href="{public.get_absolute_url()}"' in client.get(address(public)).content.decode()
    assert f'href="{hidden.get_absolute_url()}"' not in client.get(address(hidden)).content.decode()


@pytest.mark.parametrize("sent", ["x", "9" * 30, "\0"])
def test_parent_that_is_no_key_is_an_error_of_the_form(client, sent):
    topic = make_topic()
    assert len(errors(submit(client, address(topic), parent=sent))) == 1


def test_topic_cannot_lie_below_itself(client):
    top = make_topic("Top")
    middle = make_topic("Middle", parent=top)
    bottom = make_topic("Bottom", parent=middle)
    for parent in (top, middle, bottom):
        assert errors(submit(client, address(top), parent=parent.pk)) == [f"‘{parent}’ is this topic or lies below it."]


def test_edit_that_says_what_the_source_says_settles_it(client):
    topic = make_topic("Space", description="Ours")
    conflict = make_conflict(topic, "description", theirs="Theirs")
    link = reverse("admin:articles_sourcefile_change", args=[conflict.source_id])
    assert f'href="{link}"' in client.get(address(topic)).content.decode()
    submit(client, address(topic), description="Theirs")
    assert not Conflict.objects.exists()


def test_list_shows_parent_children_and_number_of_stories(client):
    science = make_topic("Science")
    space = make_topic("Space", parent=science)
    make_article(topics=[space])
    make_article(topics=[space], public=False)
    page = client.get(LIST).content.decode()
    assert f'<a href="/admin/articles/article/?topic={space.pk}">2</a>' in page
    assert '<td class="field-below">Space</td>' in page
    assert '<td class="field-parent nowrap">Science</td>' in page


def test_query_count_does_not_grow_with_the_rows(client, django_assert_num_queries):
    def add_row():
        make_article(topics=[make_topic(parent=make_topic())])

    add_row()
    client.get(LIST)
    with django_assert_num_queries(7):
        client.get(LIST)
    for _ in range(9):
        add_row()
    with django_assert_num_queries(7):
        client.get(LIST)


def test_topics_are_found_by_typing(client):
    make_topic("Robotaxis")
    make_topic("Space")
    response = client.get(
        reverse("admin:autocomplete"),
        {"app_label": "articles", "model_name": "articletopic", "field_name": "tag", "term": "robo"},
    )
    assert [found["text"] for found in response.json()["results"]] == ["Robotaxis"]


def test_events_tell_who_did_what_from_where_to_where_and_why(client, editor):
    article = make_article(title="Told")
    Event.objects.create(
        article=article, actor=editor, verb="publish", from_status="draft", to_status="published", note="At last"
    )
    Event.objects.create(article=article, verb="import")
    page = client.get(reverse("admin:articles_event_changelist"), {"what": "publish"}).content.decode()
    for text in ("ana", "Told", "Draft → Published", "At last"):
        assert text in page
    assert '<td class="field-who nowrap">Import</td>' not in page


@pytest.mark.parametrize(
    ("verb", "data", "told"),
    [
        ("import", {"fields": ["title", "web_url"]}, "imported: title, web address"),
        ("conflict", {"fields": ["title"]}, "conflict with the source: title"),
        ("settle", {"fields": ["title"], "took": False}, "settled with the source: title (ours kept)"),
        ("send back", {}, "send back"),
    ],
)
def test_list_of_events_says_in_words_what_was_done(client, verb, data, told):
    Event.objects.create(article=make_article(), verb=verb, data=data)
    assert f'<td class="field-what">{told}</td>' in client.get(EVENTS).content.decode()


@pytest.mark.parametrize("verb", ["create", "edit", "publish", "unpublish", "import", "conflict", "settle"])
def test_events_can_be_narrowed_to_what_was_done(client, verb):
    article = make_article()
    wanted = Event.objects.create(article=article, verb=verb)
    Event.objects.create(article=article, verb="other")
    assert list(client.get(EVENTS, {"what": verb}).context["cl"].result_list) == [wanted]


def test_events_are_filtered_by_their_own_filters_only(client):
    assert client.get(EVENTS, {"article__secured__startswith": "Q"}).status_code == 400


def test_events_can_be_narrowed_to_who_did_them(client, editor):
    article = make_article()
    mine = Event.objects.create(article=article, actor=editor, verb="edit")
    theirs = Event.objects.create(article=article, actor=make_user(), verb="edit")
    imported = Event.objects.create(article=article, verb="import")

    def found(who: str) -> set:
        response = client.get(reverse("admin:articles_event_changelist"), {"who": who})
        return set(response.context["cl"].result_list)

    assert found("me") == {mine}
    assert found("people") == {mine, theirs}
    assert found("imports") == {imported}


def test_events_are_found_by_their_story_as_the_list_of_stories_finds_it_and_by_their_reason(client):
    story = make_article(
        title="Don&#8217;t wait for the Été",
        excerpt="A whale was seen.",
        topics=[make_topic("Oceans")],
        stem="2026-03-02-summer",
        web_url="https://outlet.example/summer",
    )
    first = Event.objects.create(article=story, verb="edit")
    noted = Event.objects.create(
        article=make_article(title="Other"), verb="reject", note="No second SOURCE, don’t print"
    )

    def found(text: str) -> set:
        return set(client.get(EVENTS, {"q": text}).context["cl"].result_list)

    for text in (
        "don't wait",
        "ete",
        "whale -tram",
        "topic:oceans",
        "2026-03-02-summer",
        "https://outlet.example/summer",
    ):
        assert found(text) == {first}, text
    for text in ("second source", '"no second"', "rint"):
        assert found(text) == {noted}, text
    assert found("don’t") == found("") == {first, noted}
    assert found("source whale") == set()


@pytest.mark.parametrize("way", ["page", "action"])
def test_topic_that_is_deleted_is_told_of_in_its_stories_and_can_come_back(client, editor, way):
    gone, other, stays = make_topic("Gone"), make_topic("Other"), make_topic("Stays")
    story, without = make_article(topics=[gone, stays, other]), make_article(topics=[stays])
    client.force_login(manager := make_user("Managers"))
    if way == "page":
        client.post(reverse("admin:articles_topic_delete", args=[gone.pk]), {"post": "yes"})
    else:
        chosen = {"action": "delete_selected", "_selected_action": [gone.pk], "post": "yes"}
        client.post(reverse("admin:articles_topic_changelist"), chosen)
    assert not Topic.objects.filter(name="Gone").exists()
    event = story.events.get()
    assert (event.verb, event.actor, event.note) == ("edit", manager, "“Gone” was deleted.")
    assert not without.events.exists()
    client.post(reverse("admin:desk_undo"), {"batch": event.batch})
    story = Article.objects.get(pk=story.pk)
    assert [topic.name for topic in story.topics.all()] == ["Gone", "Stays", "Other"]
