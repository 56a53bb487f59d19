"""The form of a story."""

import re
from datetime import UTC, datetime

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone
from django_tasks import default_task_backend

from articles.models import Article, Conflict, Event, RelatedImage, RelatedStory
from images.models import RemoteImage
from images.tasks import fetch_pictures
from tests.articles.pages import filled, messages
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_image,
    make_provider,
    make_related,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]
ADD = reverse("admin:articles_article_add")


def address(article) -> str:
    return reverse("admin:articles_article_change", args=[article.pk])


def submit(client, url: str, **changes):
    """Open the form, change some fields and press a button (Save, unless `changes` says another)."""
    data = filled(client.get(url)) | changes
    if not {"_verb", "_continue"} & changes.keys():
        data["_save"] = "Save"
    return client.post(url, data, follow=True)


def picture_row(number: int, **values) -> dict[str, str]:
    return {"pictures-TOTAL_FORMS": str(number + 1)} | {
        f"pictures-{number}-{name}": value for name, value in values.items()
    }


def add_picture_to_related(story: RelatedStory, image: RemoteImage | None = None, **values) -> RelatedImage:
    return RelatedImage.objects.create(related_story=story, image=image or make_image(), **values)


def errors(response) -> list[str]:
    return [error for group in response.context["errors"] for error in group]


# --- What is saved ------------------------------------------------------------------------------


def test_unchanged_form_changes_nothing(client):
    """Entities, line ends, microseconds and outer blanks of the source outlive a look at the form."""
    article = make_article(
        title="It&#8217;s &nbsp;here ",
        excerpt="One\nTwo &amp; three\n",
        published_at=datetime(2026, 3, 2, 12, 0, 1, 123456, tzinfo=UTC),
        topics=[make_topic("Zebras"), make_topic("Apes")],
        heat=-1,
    )
    add_picture(article, title="A\nB")
    make_related(article, title="R&#8217;s")
    before = Article.objects.filter(pk=article.pk).values().get()
    response = submit(client, address(article))
    assert messages(response) == ["Nothing had changed in “It’s \xa0here ”."]
    assert Article.objects.filter(pk=article.pk).values().get() == before
    assert not article.revisions.exists()
    assert not article.events.exists()


def test_edit_counts_a_version_and_leaves_a_revision_and_an_event(client, editor):
    article = make_article()
    topic, title = make_topic("AI"), article.title
    submit(client, address(article), title="New", topics=[topic.pk])
    article.refresh_from_db()
    assert (article.title, article.version) == ("New", 2)
    revision, before = article.revisions.all()
    assert (before.version, before.author, before.document["title"]) == (1, None, title)
    assert (revision.version, revision.author) == (2, editor)
    assert revision.document["title"] == "New"
    assert revision.document["topics"] == ["AI"]
    event = article.events.get()
    assert (event.verb, event.actor, event.data) == ("edit", editor, {"fields": ["title", "topics"], "version": 2})


def test_edit_writes_only_the_fields_that_were_touched(client):
    article = make_article(title="It&#8217;s", published_at=datetime(2026, 3, 2, 12, 0, 1, 5, tzinfo=UTC))
    submit(client, address(article), excerpt="New")
    article.refresh_from_db()
    assert (article.title, article.excerpt, article.published_at.microsecond) == ("It&#8217;s", "New", 5)


def test_title_is_edited_as_readers_see_it(client):
    article = make_article(title="It&#8217;s")
    assert filled(client.get(address(article)))["title"] == ["It’s"]
    submit(client, address(article), title="Q&A: what &lt;b&gt; means")
    article.refresh_from_db()
    assert article.headline == "Q&A: what &lt;b&gt; means"


def test_plain_ampersand_is_stored_as_typed(client):
    article = make_article()
    submit(client, address(article), title="Q & A, AT&T")
    article.refresh_from_db()
    assert article.title == "Q & A, AT&T"


def test_heat_that_came_in_while_the_form_was_open_stays(client):
    """Imports change heat without a new version; saving another field must not put the old heat back."""
    article = make_article(heat=3)
    data = filled(client.get(address(article)))
    Article.objects.filter(pk=article.pk).update(heat=70)
    client.post(address(article), data | {"title": "New", "_save": "Save"})
    article.refresh_from_db()
    assert (article.title, article.heat) == ("New", 70)
    assert article.events.get().data == {"fields": ["title"], "version": 2}


def test_state_cannot_be_set_through_the_form(client):
    article = make_article(public=False)
    submit(client, address(article), title="New", status="published", publish_at="2026-01-01")
    article.refresh_from_db()
    assert (article.title, article.status, article.publish_at) == ("New", "draft", None)


def test_sealed_text_is_never_on_the_page(client):
    article = make_article(secured="c2VhbGVk;aXY=")
    page = client.get(address(article)).content.decode()
    assert "c2VhbGVk" not in page
    assert "kept as it came, never shown" in page


def test_hostile_texts_are_escaped(client):
    article = make_article(title="</h1><script>alert(1)</script>", excerpt="</textarea><script>alert(2)</script>")
    make_related(article, title="<script>alert(3)</script>")
    add_picture(article, title="<script>alert(4)</script>")
    assert b"<script>alert" not in client.get(address(article)).content


# --- Topics -------------------------------------------------------------------------------------


def test_topics_are_kept_in_the_order_they_were_chosen(client):
    article = make_article()
    topics = [make_topic(name) for name in ("Zebras", "Apes", "Newts")]
    submit(client, address(article), topics=[topic.pk for topic in topics])
    assert [topic.name for topic in article.topics.all()] == ["Zebras", "Apes", "Newts"]
    assert filled(client.get(address(article)))["topics"] == [str(topic.pk) for topic in topics]


def test_new_order_of_the_same_topics_is_an_edit(client):
    first, second = make_topic(), make_topic()
    article = make_article(topics=[first, second])
    submit(client, address(article), topics=[second.pk, first.pk])
    assert list(article.topics.all()) == [second, first]
    assert article.events.get().data == {"fields": ["topics"], "version": 2}


def test_all_topics_can_be_taken_away(client):
    article = make_article(topics=[make_topic()])
    data = filled(client.get(address(article)))
    del data["topics"]
    client.post(address(article), data | {"_save": "Save"})
    assert not article.topics.exists()


# --- A new story --------------------------------------------------------------------------------


def new_story(**values) -> dict[str, str]:
    return {"title": "Small & early", "published_at_0": "02/03/2026", "published_at_1": "12:00:00"} | values


def test_new_story_is_a_draft_of_its_author_with_an_address_of_date_and_title(client, editor):
    submit(client, ADD, **new_story())
    article = Article.objects.get()
    assert (article.status, article.created_by, article.version) == ("draft", editor, 1)
    assert article.stem == "2026-03-02-small-early"
    assert article.events.get().verb == "create"
    assert article.revisions.get().version == 1


def test_address_that_is_taken_gets_a_number(client):
    make_article(stem="2026-03-02-small-early")
    make_article(stem="2026-03-02-small-early-2")
    submit(client, ADD, **new_story())
    assert Article.objects.filter(stem="2026-03-02-small-early-3").exists()


def test_address_with_a_slash_is_refused(client):
    response = submit(client, ADD, **new_story(stem="a/b"))
    assert errors(response) == ["Letters, digits, hyphens, dots and underscores only."]


@pytest.mark.parametrize("dots", [".", "..", "..."])
def test_address_of_dots_is_refused_with_a_fitting_message(client, dots):
    assert errors(submit(client, ADD, **new_story(stem=dots))) == ["Dots alone are no address of a page."]


def test_address_that_differs_only_in_case_is_taken(client):
    make_article(stem="2026-03-02-tide", title="The tide")
    response = submit(client, ADD, **new_story(stem="2026-03-02-Tide"))
    assert errors(response) == ["“The tide” has this address already: 2026-03-02-tide"]


def test_excerpt_has_a_limit_for_who_edits_it_and_none_for_who_does_not(client):
    article = make_article(excerpt="x" * 12_000)
    submit(client, address(article), title="New")
    article.refresh_from_db()
    assert (article.title, len(article.excerpt)) == ("New", 12_000)
    response = submit(client, address(article), excerpt="y" * 10_001)
    assert errors(response) == ["At most 10,000 characters; these are 10,001."]


@pytest.mark.parametrize("sent", ["x", "9" * 30, "-1", "\0"])
@pytest.mark.parametrize("field", ["topics", "provider"])
def test_choice_that_is_no_key_is_an_error_of_the_form(client, field, sent):
    article = make_article(topics=[make_topic()])
    response = submit(client, address(article), **{field: sent})
    assert response.status_code == 200
    assert len(errors(response)) == 1
    assert not article.events.exists()


def test_address_that_readers_have_seen_cannot_be_changed(client):
    article = make_article(stem="2026-03-02-seen")
    submit(client, address(article), title="New", stem="other")
    article.refresh_from_db()
    assert (article.title, article.stem) == ("New", "2026-03-02-seen")


def test_new_story_can_be_saved_and_published_at_once(client):
    response = submit(client, ADD, **new_story(_verb="publish"))
    assert messages(response)[0] == "“Small & early” was saved and published."
    assert Article.objects.published().get().title == "Small & early"


# --- Buttons ------------------------------------------------------------------------------------


def test_publish_button_saves_and_publishes(client, editor):
    article = make_article(public=False)
    response = submit(client, address(article), title="New", _verb="publish")
    assert messages(response)[0] == "“New” was saved and published."
    assert Article.objects.published().get().title == "New"
    assert list(Event.objects.values_list("verb", "actor")) == [("publish", editor.pk), ("edit", editor.pk)]


def test_publish_button_does_not_claim_a_save_that_was_none(client):
    article = make_article(public=False, title="Same")
    assert messages(submit(client, address(article), _verb="publish"))[0] == "“Same” was published."
    assert list(Event.objects.values_list("verb", flat=True)) == ["publish"]


def test_version_that_is_spelt_otherwise_is_no_edit(client):
    article = make_article(title="Same")
    assert messages(submit(client, address(article), version=" 1")) == ["Nothing had changed in “Same”."]


def test_publishing_tells_what_the_checks_found_and_publishes(client):
    article = make_article(public=False, title="Lost", provider=None, web_url="", original_url="")
    assert messages(submit(client, address(article), _verb="publish")) == [
        "“Lost” was published.",
        "Readers have no link to follow. It has no provider. It has no topic. "
        "It has no picture. If it is meant to have none, tick “runs without a picture”.",
    ]
    assert Article.objects.published().exists()


def test_what_a_required_check_finds_keeps_a_story_from_going_live_and_not_from_being_saved(client, settings):
    settings.CHECKS_REQUIRED = ["topic", "link"]
    article = make_article(public=False, title="Old")
    response = submit(client, address(article), title="New", _verb="publish")
    assert messages(response) == ["The story was saved, and not published. It has no topic."]
    article.refresh_from_db()
    assert (article.title, article.status) == ("New", "draft")


def test_form_lists_what_the_checks_find_what_is_required_first(client, settings):
    settings.CHECKS_REQUIRED = ["topic"]
    article = make_article(public=False, provider=None, no_picture=True)
    page = client.get(address(article)).text
    found = re.findall(r'<li class="finding[^"]*">\s*(.*?)\s*</li>', page, re.DOTALL)
    assert found == ["<strong>Needed before it can go live:</strong> It has no topic.", "It has no provider."]
    article.set_topics([make_topic()])
    article.provider = make_provider()
    article.save()
    assert "It has all that it should have." in client.get(address(article)).text


def test_story_can_be_meant_to_run_without_a_picture(client):
    article = make_article(public=False, topics=[make_topic()])
    assert "It has no picture." in client.get(address(article)).text
    submit(client, address(article), no_picture="on")
    article.refresh_from_db()
    assert article.no_picture
    assert "It has no picture." not in client.get(address(article)).text


def test_unpublish_button(client):
    article = make_article()
    submit(client, address(article), _verb="unpublish")
    assert not Article.objects.published().exists()


def test_form_with_errors_publishes_nothing(client):
    article = make_article(public=False)
    response = submit(client, address(article), title="", _verb="publish")
    assert response.status_code == 200
    article.refresh_from_db()
    assert article.status == "draft"


def test_times_that_may_only_be_read_are_told_by_24_hours(client):
    article = make_article(published_at=datetime(2026, 3, 2, 15, 4, tzinfo=UTC))
    client.force_login(make_user("Contributors"))
    assert '<div class="readonly">2 Mar 2026, 15:04</div>' in client.get(address(article)).text


def test_only_verbs_that_apply_have_a_button(client):
    draft, live = make_article(public=False), make_article()
    assert 'value="publish"' in client.get(address(draft)).content.decode()
    assert 'value="unpublish"' not in client.get(address(draft)).content.decode()
    assert 'value="publish"' not in client.get(address(live)).content.decode()
    assert 'value="unpublish"' in client.get(address(live)).content.decode()


def test_verb_that_does_not_apply_says_what_was_done_and_what_not(client):
    article = make_article(title="Live")
    response = submit(client, address(article), excerpt="New", _verb="publish")
    assert messages(response)[0] == "The story was saved, and not published. It is published already."


def test_story_can_be_scheduled_by_the_sites_clock(client):
    article = make_article(public=False, title="Soon")
    assert "UTC" in client.get(address(article)).text
    with timezone.override("Pacific/Auckland"):
        assert "Pacific/Auckland" in client.get(address(article)).text
        submit(
            client,
            address(article),
            **{"verb-at": "2099-07-01T14:00", "verb-until": "2099-07-02T14:00"},
            _verb="schedule",
        )
    article.refresh_from_db()
    assert (article.status, article.is_public) == ("published", False)
    assert article.publish_at == datetime(2099, 7, 1, 2, 0, tzinfo=UTC)
    assert article.unpublish_at == datetime(2099, 7, 2, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("told", "at"),
    [
        ("2027-10-31T02:30", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # the first of the two
        ("2027-10-31T03:30", datetime(2027, 10, 31, 2, 30, tzinfo=UTC)),
        ("2027-03-28T02:30", None),
    ],
)
@time_machine.travel("2026-11-28T12:00Z", tick=False)
def test_time_on_the_day_when_clocks_are_changed(client, told, at):
    article = make_article(public=False, title="Soon")
    with timezone.override("Europe/Berlin"):
        response = submit(client, address(article), **{"verb-at": told}, _verb="schedule")
    article.refresh_from_db()
    assert article.publish_at == at
    missing = "Public from: That time does not exist on that day: the clocks are put forward."
    assert (messages(response)[0] == f"The story was not changed, and not scheduled. {missing}") is (at is None)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({}, "Say from when it is to be public."),
        ({"verb-at": "2020-01-01T10:00"}, "The time from which it is to be public has passed."),
        ({"verb-at": "tomorrow"}, "Public from: Enter a valid date/time."),
    ],
)
def test_time_that_makes_no_sense_is_refused_by_name_and_the_edit_is_kept(client, told, reason):
    article = make_article(public=False, title="Soon")
    response = submit(client, address(article), excerpt="New", **told, _verb="schedule")
    assert messages(response) == [f"The story was saved, and not scheduled. {reason}"]
    article.refresh_from_db()
    assert (article.status, article.excerpt) == ("draft", "New")


def test_what_was_told_with_a_refused_verb_is_still_in_the_form_and_in_the_log(client):
    article = make_article(public=False, title="Soon")
    told = {"verb-note": "A long reason", "verb-at": "2020-01-01T10:00", "verb-until": "2099-01-01T10:00"}
    response = submit(client, address(article), excerpt="New", **told, _verb="schedule")
    assert response.redirect_chain[0][0] == address(article)
    assert {name: [value] for name, value in told.items()}.items() <= filled(response).items()
    event, revision = article.events.first(), article.revisions.first()
    assert (event.verb, event.note, revision.note) == ("edit", "A long reason", "A long reason")
    other = make_article(public=False)
    submit(client, address(article), **told, _verb="schedule")
    assert "A long reason" not in filled(client.get(address(other)))["verb-note"]
    assert article.events.count() == 1


def test_story_is_sent_back_with_a_reason_that_its_page_shows(client):
    article = make_article(public=False, status="in_review", title="Hasty")
    response = submit(client, address(article), _verb="send_back")
    assert messages(response) == ["The story was not changed, and not sent back. Say why."]
    submit(client, address(article), **{"verb-note": "Which whale?"}, _verb="send_back")
    article.refresh_from_db()
    assert article.status == "draft"
    assert "“Which whale?”" in client.get(address(article)).text


def test_opening_a_page_never_publishes(client):
    article = make_article(public=False)
    client.get(address(article), {"_verb": "publish"})
    article.refresh_from_db()
    assert article.status == "draft"


# --- Pictures and related stories ---------------------------------------------------------------


def test_pasted_address_makes_a_picture_that_waits(client):
    """Nothing is fetched: sockets are closed in tests, and the image says that it waits."""
    article = make_article()
    submit(client, address(article), **picture_row(0, address="https://pictures.example/new.jpg", alt="A cat"))
    picture = article.pictures.get()
    assert (picture.image.source_url, picture.alt) == ("https://pictures.example/new.jpg", "A cat")
    assert picture.image.state == RemoteImage.State.PENDING
    assert article.events.get().data == {"fields": ["pictures"], "version": 2}


def test_known_address_is_the_known_picture(client):
    article, image = make_article(), make_image()
    submit(client, address(article), **picture_row(0, address=image.source_url))
    assert article.pictures.get().image == image


def test_picture_without_a_number_comes_last(client):
    article = make_article()
    lead = add_picture(article)
    offered = filled(client.get(address(article)))["pictures-__prefix__-position"]
    row = picture_row(1, address="https://pictures.example/2.jpg", position=offered)
    submit(client, address(article), **row)
    assert article.pictures.first() == lead
    assert article.pictures.last().position == 1


def test_other_address_drops_what_the_source_declared_of_the_old_picture(client):
    article = make_article()
    add_picture(article, width=640, height=480, is_cached=True)
    submit(client, address(article), **{"pictures-0-address": "https://pictures.example/other.jpg"})
    picture = article.pictures.get()
    assert (picture.width, picture.height, picture.is_cached) == (None, None, None)


@pytest.mark.parametrize("bad", ["javascript:alert(1)", "ftp://a.example/x.jpg", "file:///etc/passwd", "/etc/passwd"])
def test_address_of_no_picture_on_the_web_is_refused(client, bad):
    article = make_article()
    assert len(errors(submit(client, address(article), **picture_row(0, address=bad)))) == 1
    assert not RemoteImage.objects.exists()


def test_picture_that_failed_says_why(client):
    article = make_article()
    failed = make_image(cached=False, state="failed", reason="http", detail="The server answered 404.")
    add_picture(article, failed)
    image_page = reverse("admin:images_remoteimage_change", args=[failed.pk])
    assert (
        f'<a href="{image_page}">Failed</a>: The server answered 404.' in client.get(address(article)).content.decode()
    )


def test_pasted_address_is_fetched_before_all_others_once_it_is_saved(client, django_capture_on_commit_callbacks):
    article = make_article()
    default_task_backend.clear()
    with django_capture_on_commit_callbacks(execute=True):
        submit(client, address(article), **picture_row(0, address="https://pictures.example/new.jpg"))
    assert RemoteImage.objects.get().urgent
    assert [call.task for call in default_task_backend.results] == [fetch_pictures]


def test_address_that_was_taken_down_is_refused_with_the_reason(client):
    article = make_article()
    gone = make_image(cached=False, state="taken_down", detail="Not ours to show.", next_attempt_at=None)
    response = submit(client, address(article), **picture_row(0, address=gone.source_url))
    assert errors(response) == ["This picture was taken down: Not ours to show."]
    assert not article.pictures.exists()


def test_story_whose_picture_was_taken_down_can_still_be_saved(client):
    article = make_article()
    gone = make_image(cached=False, state="taken_down", detail="Not ours to show.", next_attempt_at=None)
    add_picture(article, gone)
    submit(client, address(article), title="New", **{"pictures-0-alt": "A cat"})
    article.refresh_from_db()
    assert (article.title, article.pictures.get().alt) == ("New", "A cat")


def test_saving_warns_of_pictures_without_words_by_their_places(client):
    article = make_article(title="Old", public=False)
    add_picture(article, alt="IMG_1234")
    add_picture(article, alt="A cat on a wall")
    add_picture(article)
    assert messages(submit(client, address(article), excerpt="New"))[1:] == [
        "Picture 1: “IMG_1234” is the name of a file, not what the picture shows. Picture 3: No alternative text. "
        "Its lead picture has no credit."
    ]
    assert len(messages(submit(client, address(article)))) == 1, "nothing was saved, so nothing is to be said"


def test_publishing_warns_of_pictures_too_and_publishes(client):
    article = make_article(public=False, title="Bare", topics=[make_topic()])
    add_picture(article)
    assert messages(submit(client, address(article), _verb="publish")) == [
        "“Bare” was published.",
        "Its picture: No alternative text. Its lead picture has no credit.",
    ]
    assert Article.objects.published().exists()


def test_only_a_few_pictures_are_named_in_a_warning(client):
    article = make_article(topics=[make_topic()])
    for _ in range(7):
        add_picture(article, attribution="The harbour office")
    [_, warning] = messages(submit(client, address(article), title="New"))
    assert warning.count("No alternative text.") == 5
    assert warning.endswith("… and 2 more.")


def test_words_that_are_there_are_not_warned_of(client):
    article = make_article(topics=[make_topic()])
    add_picture(article, alt="A cat on a wall", attribution="The harbour office")
    make_related(article, title="Theirs")
    assert len(messages(submit(client, address(article), title="New"))) == 1


def test_pictures_of_related_stories_are_offered_once_each(client):
    article, shared = make_article(), make_image()
    for story in [make_related(article), make_related(article)]:
        add_picture_to_related(story, shared)
    other = add_picture_to_related(make_related(article), attribution="Ana & Ben").image
    add_picture_to_related(make_related(article), make_image(cached=False))
    gone = add_picture_to_related(make_related(article)).image
    RemoteImage.objects.filter(pk=gone.pk).update(state="taken_down", next_attempt_at=None)
    page = client.get(address(article)).content.decode()
    assert re.findall(r'class="row-button use" data-address="([^"]*)"', page) == [shared.source_url, other.source_url]
    assert 'data-credit="Ana &amp; Ben"' in page


def test_at_most_twelve_pictures_are_offered(client):
    article = make_article()
    for _ in range(13):
        add_picture_to_related(make_related(article))
    assert len(client.get(address(article)).context["offered"]) == 12


def test_nothing_is_offered_to_who_may_only_look(client):
    article = make_article()
    add_picture_to_related(make_related(article))
    client.force_login(make_user("Contributors"))
    response = client.get(address(article))
    assert response.status_code == 200
    assert "From related coverage" not in response.content.decode()


def test_related_story_is_added_to_the_end(client):
    article = make_article()
    make_related(article)
    values = {"title": "Second", "web_url": "https://other.example/2", "type": "article"}
    rows = {f"related_stories-1-{name}": value for name, value in values.items()}
    submit(client, address(article), **{"related_stories-TOTAL_FORMS": "2"} | rows)
    assert article.related_stories.last().title == "Second"
    after, before = article.revisions.all()
    assert [len(revision.document["related"]) for revision in (before, after)] == [1, 2]


def test_panel_tells_where_the_story_came_from_and_what_happened(client):
    article = make_article(public=False, created_by=make_user(username="carl"))
    Event.objects.create(article=article, verb="send back", note="Too long")
    page = client.get(address(article)).content.decode()
    assert "Written here by carl" in page
    assert "“Too long”" in page


def test_panel_names_fields_as_the_form_does(client, editor):
    article = make_article()
    fields = ["published_at", "web_url", "topics", "related_stories"]
    Event.objects.create(article=article, actor=editor, verb="edit", data={"fields": fields})
    assert "ana: edited: date, web address, topics, related stories" in client.get(address(article)).content.decode()


def test_panel_tells_of_conflicts_and_how_they_were_settled(client, editor):
    article = make_article()
    Event.objects.create(article=article, verb="conflict", data={"fields": ["title", "topics"]})
    Event.objects.create(article=article, actor=editor, verb="settle", data={"fields": ["title"], "took": True})
    text = " ".join(re.sub(r"<[^>]+>", " ", client.get(address(article)).content.decode()).split())
    assert "Import: conflict with the source: title, topics" in text
    assert "ana: settled with the source: title (theirs taken)" in text


def test_form_leads_to_what_is_to_be_settled_while_it_is(client):
    article = make_article(title="Ours")
    conflict = make_conflict(article, "title", theirs="Theirs")
    link = f'<a href="{reverse("admin:articles_sourcefile_change", args=[conflict.source_id])}">Compare and settle</a>'
    assert link in client.get(address(article)).content.decode()
    conflict.delete()
    assert link not in client.get(address(article)).content.decode()


def test_edit_that_says_what_the_source_says_settles_it(client):
    article = make_article(title="Ours", topics=[make_topic("Ours")])
    make_conflict(article, "title", theirs="Theirs")
    ai = make_topic("AI")
    make_conflict(article, "topics", base=["Base", "AI"], theirs=["AI"])
    submit(client, address(article), excerpt="New")
    assert {conflict.field for conflict in Conflict.objects.all()} == {"title"}, "the lists are no dispute"
    submit(client, address(article), title="Theirs", topics=[ai.pk])
    assert not Conflict.objects.exists()


def test_form_of_a_scheduled_story_has_its_times_in_sight_and_saving_ignores_them(client):
    ahead = datetime(2099, 7, 1, 12, 30, 15, tzinfo=UTC)
    article = make_article(publish_at=ahead)
    page = client.get(address(article))
    assert filled(page)["verb-at"] == [timezone.localtime(ahead).strftime("%Y-%m-%dT%H:%M")]
    assert re.search(r'<details class="verb-details"[^>]* open>', page.text)
    submit(client, address(article), excerpt="New")
    article.refresh_from_db()
    assert (article.excerpt, article.publish_at) == ("New", ahead)


def test_time_that_a_refused_form_keeps_is_in_sight(client):
    article = make_article(public=False)
    page = submit(client, address(article), title="", **{"verb-at": "2099-07-01T14:00"})
    assert 'value="2099-07-01T14:00"' in page.text
    assert re.search(r'<details class="verb-details"[^>]* open>', page.text)


def test_answer_says_for_when_a_story_was_scheduled(client):
    article = make_article(title="Later", public=False)
    times = {"verb-at": "2099-07-01T14:00", "verb-until": "2099-07-02T14:00"}
    response = submit(client, address(article), **times, _verb="schedule")
    zone = timezone.localtime(datetime(2099, 7, 1, 14, tzinfo=UTC)).tzname()
    told = f"“Later” was scheduled, public from 1 Jul 2099, 14:00 {zone} until 2 Jul 2099, 14:00 {zone}."
    assert messages(response)[0] == told


def test_query_count_of_the_form_does_not_grow_with_its_rows(client, django_assert_num_queries):
    article = make_article(topics=[make_topic()])

    def add_rows():
        add_picture(article)
        add_picture_to_related(make_related(article, provider=make_provider()))

    add_rows()
    client.get(address(article))
    with django_assert_num_queries(29):
        client.get(address(article))
    for _ in range(9):
        add_rows()
    with django_assert_num_queries(29):
        client.get(address(article))
