"""Stories shown before they are public: to editors, and to whoever was given a secret address."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import previewing, workflow
from articles.documents import to_data
from articles.models import Article, Event, PreviewLink, RelatedImage, Topic, WorkingCopy
from articles.records import article_document, with_parts
from images.models import RemoteImage
from providers.models import Provider, ProviderImage
from tests.articles.pages import messages
from tests.factories import add_picture, make_article, make_image, make_provider, make_related, make_topic, make_user

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
S = Article.Status
STATES = {
    "draft": {"status": S.DRAFT, "publish_at": None},
    "in_review": {"status": S.IN_REVIEW, "publish_at": None},
    "scheduled": {"status": S.PUBLISHED, "publish_at": NOW + timedelta(hours=1)},
    "live": {"status": S.PUBLISHED, "publish_at": NOW - timedelta(hours=1)},
    "expired": {"publish_at": NOW - timedelta(hours=2), "unpublish_at": NOW - timedelta(hours=1)},
    "unpublished": {"status": S.UNPUBLISHED, "publish_at": NOW - timedelta(hours=1)},
    "rejected": {"status": S.REJECTED, "publish_at": None},
}


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def editor(client):
    editor = make_user("Editors", username="ana")
    client.force_login(editor)
    return editor


@pytest.fixture
def reader() -> Client:
    return Client()


def story_in(state: str, **overrides) -> Article:
    return make_article(title="Walrus &amp; friends", **STATES[state] | overrides)


def address(story, page: str = "") -> str:
    return reverse(f"admin:articles_article_preview{page}", args=[story.pk])


def link_to(story, **overrides) -> str:
    link = PreviewLink.objects.create(article=story, **{"expires_at": NOW + timedelta(hours=1)} | overrides)
    return reverse("preview", args=[link.token])


def change(story, **fields) -> WorkingCopy:
    """Changes to what the story says, as they are kept until they go live."""
    document = to_data(article_document(with_parts(Article.objects.filter(pk=story.pk)).get()))
    document.pop("secured", None)
    return WorkingCopy.objects.create(
        article=story, base=document, base_version=story.version, document=document | fields, author=make_user()
    )


def is_told_to_nobody(response) -> bool:
    return (
        {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
        and response["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        and response["Referrer-Policy"] == "no-referrer"
        and "ETag" not in response
    )


def main(response) -> str:
    """What the page itself shows, without head, bar and masthead."""
    return response.text.partition("<main")[2].partition("</main>")[0]


# --- To editors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("state", STATES)
def test_editor_sees_a_story_in_any_state_and_what_this_is(client, editor, state):
    story = story_in(state)
    response = client.get(address(story))
    assert response.status_code == 200
    assert is_told_to_nobody(response)
    assert "Walrus &amp; friends</h1>" in main(response)
    bar = response.text.partition('class="preview-bar"')[2].partition("</aside>")[0]
    assert {"scheduled": "Scheduled", "expired": "Expired"}.get(state, story.get_status_display()) in bar
    assert ("not public" in bar) == (state != "live")
    assert reverse("admin:articles_article_change", args=[story.pk]) in bar


def test_preview_is_the_very_page_that_readers_get(client, editor, reader):
    topic = make_topic("Sea", parent=make_topic("Nature"))
    make_article(topics=[topic])
    story = story_in("live", topics=[topic], body="Text", type="video")
    add_picture(story, title="On the ice", attribution="Ann")
    make_related(story)
    assert main(client.get(address(story))) == main(reader.get(story.get_absolute_url()))


def test_preview_says_nowhere_that_it_were_a_public_page(client, editor):
    head = client.get(address(story_in("draft"))).text.partition("</head>")[0]
    assert '<meta name="robots" content="noindex, nofollow, noarchive">' in head
    for claim in ("canonical", "og:", "article:", "ld+json"):
        assert claim not in head


@pytest.mark.parametrize(
    ("role", "status"), [("anonymous", 302), ("staff", 403), ("Contributors", 200), ("Editors", 200)]
)
def test_who_may_preview(client, role, status):
    if role != "anonymous":
        client.force_login(make_user("" if role == "staff" else role))
    response = client.get(address(story_in("draft")))
    assert response.status_code == status
    assert ("Walrus" in response.text) == (status == 200)
    assert role == "anonymous" or is_told_to_nobody(response)


@pytest.mark.parametrize("key", ["999", "x", "999999999999999999999999", "0"])
def test_preview_of_nothing_is_404(client, editor, key):
    response = client.get(f"/admin/articles/article/{key}/preview/")
    assert response.status_code == 404
    assert is_told_to_nobody(response)


def test_preview_takes_no_form(client, editor):
    assert client.post(address(story_in("draft"))).status_code == 405


def test_queries_of_a_preview_do_not_grow(client, editor):
    def asked(story, query: str = "") -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(address(story) + query)
        return len(captured)

    def with_rows(rows: int) -> Article:
        story = story_in("draft", topics=[make_topic() for _ in range(rows)])
        for _ in range(rows):
            add_picture(story)
            RelatedImage.objects.create(
                related_story=make_related(story, provider=make_provider()), image=make_image(cached=False)
            )
        change(story)
        return story

    few, many = with_rows(1), with_rows(5)
    asked(few)  # what a process knows from then on
    assert asked(few) == asked(many)
    assert asked(few, "?changes=1") == asked(many, "?changes=1") <= 27


# --- Changes that are not live yet --------------------------------------------------------------


def test_changes_are_shown_as_they_would_be_live(client, editor):
    """All that a document says: told by a second story that says the same already."""
    lead, logo = make_image(), make_image()
    outlet = make_provider(name="Other outlet", domain="other.example")
    ProviderImage.objects.create(provider=outlet, image=logo)
    topic = make_topic("Ice", parent=make_topic("Nature"))
    other = story_in(
        "draft", topics=[topic, make_topic("Seals")], provider=outlet, body="Two\n\nparagraphs", excerpt="It &amp; that"
    )
    add_picture(other, lead, title="On the ice", attribution="Ann", alt="A walrus")
    RelatedImage.objects.create(related_story=make_related(other, provider=make_provider()), image=make_image())
    story = story_in("live")
    copy = change(story)
    copy.document = to_data(article_document(with_parts(Article.objects.filter(pk=other.pk)).get()))
    copy.save()
    now, then = client.get(address(story)), client.get(address(story) + "?changes=1")
    assert main(now) != main(then)
    assert main(then) == main(client.get(address(other)))
    assert "not public" in then.text


def test_changes_may_name_what_nobody_has_heard_of_and_looking_makes_none_of_it(client, editor):
    story = story_in("live")
    change(
        story,
        title="A title to come",
        topics=["Brand new", "新しい"],
        provider={"name": "New outlet", "domain": "new.example"},
        images=[{"url": "https://new.example/a.jpg"}],
    )
    counted = [model.objects.count() for model in (Topic, Provider, RemoteImage, Event)]
    page = main(client.get(address(story) + "?changes=1"))
    for words in ("A title to come", "Brand new", "新しい", "New outlet"):
        assert words in page
    assert [model.objects.count() for model in (Topic, Provider, RemoteImage, Event)] == counted


def test_changes_bring_no_picture_of_an_outlet_whose_pictures_are_all_taken_down(client, editor):
    outlet = make_provider(domain="silent.example")
    story = story_in("live", provider=outlet)
    picture = make_image()
    change(story, images=[{"url": picture.source_url}], provider={"name": outlet.name, "domain": outlet.domain})
    shown = client.get(address(story) + "?changes=1")
    assert picture.content_hash in main(shown)
    Provider.objects.update(no_pictures="They asked us to")
    assert picture.content_hash not in main(client.get(address(story) + "?changes=1"))


def test_without_changes_the_story_is_shown_as_it_is(client, editor):
    story = story_in("draft")
    assert "Walrus" in client.get(address(story) + "?changes=1").text
    assert "?changes=1" not in client.get(address(story)).text


# --- By link ------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in STATES if state != "live"])
def test_outsider_with_a_link_sees_the_story_until_it_ends(reader, clock, state):
    story = story_in(state)
    url = link_to(story)
    response = reader.get(url)
    assert response.status_code == 200
    assert is_told_to_nobody(response)
    assert "Walrus" in main(response)
    bar = response.text.partition('class="preview-bar"')[2].partition("</aside>")[0]
    assert "Preview, not published" in bar
    assert "2 March 2026, 19:00" in bar
    assert "/admin/" not in response.text
    assert "og:" not in response.text
    assert 'content="noindex, nofollow, noarchive"' in response.text
    clock.shift(timedelta(hours=1))
    over = reader.get(url)
    assert over.status_code == 410
    assert "This preview has ended." in over.text
    assert "Walrus" not in over.text
    assert is_told_to_nobody(over)


def test_revoked_link_is_over_at_once(reader):
    response = reader.get(link_to(story_in("draft"), revoked_at=NOW))
    assert response.status_code == 410
    assert is_told_to_nobody(response)
    assert "Walrus" not in response.text


def test_unknown_link_is_404(reader):
    for token in ("nonsense", "x" * 5_000, "新しい"):
        response = reader.get(reverse("preview", args=[token]))
        assert response.status_code == 404
        assert is_told_to_nobody(response)


@pytest.mark.parametrize("debug", [False, True])
def test_link_to_a_deleted_story_is_404(reader, settings, debug):
    settings.DEBUG = debug
    story = story_in("draft")
    url = link_to(story)
    story.delete()
    response = reader.get(url)
    assert response.status_code == 404
    assert is_told_to_nobody(response)


def test_once_live_the_link_leads_to_the_story_and_is_a_preview_again_when_it_is_taken_down(reader, editor):
    story = story_in("draft", web_url="https://outlet.example/1")
    url = link_to(story)
    workflow.publish(story, by=editor)
    response = reader.get(url)
    assert (response.status_code, response["Location"]) == (302, story.get_absolute_url())
    assert is_told_to_nobody(response)
    workflow.unpublish(story, by=editor)
    assert reader.get(url).status_code == 200


def test_link_with_changes_shows_them_until_they_are_live(reader):
    story = story_in("live")
    copy = change(story, title="A title to come")
    plain, with_changes = link_to(story), link_to(story, shows_changes=True)
    assert reader.get(plain).status_code == 302
    response = reader.get(with_changes)
    assert "A title to come" in main(response)
    assert "these changes to it are not" in response.text
    copy.delete()
    assert reader.get(with_changes).status_code == 302


def test_link_without_changes_tells_nothing_of_them(reader):
    story = story_in("draft")
    change(story, title="A title to come")
    assert "A title to come" not in reader.get(link_to(story)).text


def test_link_answers_head_and_takes_no_form(reader):
    url = link_to(story_in("draft"))
    assert reader.head(url).status_code == 200
    for response in (reader.post(url), Client(enforce_csrf_checks=True).post(url)):
        assert response.status_code == 405
        assert is_told_to_nobody(response)


def test_pictures_of_a_preview_are_there_for_an_outsider(reader):
    story = story_in("draft")
    add_picture(story)
    [picture] = re.findall(r'<img[^>]* src="([^"]+)"', main(reader.get(link_to(story))))
    answer = reader.get(picture)
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)
    answer.close()


def test_no_cache_keeps_a_preview(reader, settings, clock):
    settings.PAGE_CACHE_SECONDS = 600
    caches["pages"].clear()
    story = story_in("draft")
    url = link_to(story)
    first = reader.get(url)
    assert is_told_to_nobody(first)
    Article.objects.filter(pk=story.pk).update(title="Another title")  # a draft moves no version
    again = reader.get(url, headers={"If-None-Match": "*", "If-Modified-Since": "Mon, 02 Mar 2037 18:00:00 GMT"})
    assert again.status_code == 200
    assert "Another title" in again.text
    PreviewLink.objects.update(revoked_at=NOW)
    assert reader.get(url).status_code == 410
    caches["pages"].clear()


def test_links_are_secrets_of_256_bits():
    links = [PreviewLink.objects.create(article=story_in("draft"), expires_at=NOW) for _ in range(3)]
    assert {len(link.token) for link in links} == {43}
    assert len({link.token for link in links}) == 3


# --- Making and revoking ------------------------------------------------------------------------


def form_of(client, story) -> str:
    page = client.get(reverse("admin:articles_article_change", args=[story.pk])).text
    return page.partition('id="previews"')[2].partition("</section>")[0]


@pytest.mark.parametrize("hours", previewing.LASTING)
def test_editor_makes_a_link_that_lasts_as_long_as_chosen(client, editor, reader, hours):
    story = story_in("draft")
    response = client.post(address(story, "_link"), {"hours": hours}, follow=True)
    assert f"sees this story for {previewing.LASTING[hours]}" in messages(response)[0]
    link = PreviewLink.objects.get()
    assert (link.created_by, link.expires_at, link.shows_changes) == (editor, NOW + timedelta(hours=hours), False)
    form = form_of(client, story)
    assert f'value="http://testserver{reverse("preview", args=[link.token])}"' in form
    assert "made by ana" in form
    event = story.events.get()
    assert (event.verb, event.actor) == ("preview_link", editor)
    assert link.token not in str(event.data) + event.note


@pytest.mark.parametrize("hours", ["", "2", "-1", "9" * 30, "24\0"])
def test_link_lasts_no_other_time(client, editor, hours):
    story = story_in("draft")
    response = client.post(address(story, "_link"), {"hours": hours}, follow=True)
    assert "for how long" in messages(response)[0]
    assert not PreviewLink.objects.exists()


def test_changes_are_offered_where_there_are_any(client, editor):
    story = story_in("live")
    assert 'name="changes"' not in form_of(client, story)
    change(story)
    form = form_of(client, story)
    assert 'name="changes"' in form
    assert address(story) + "?changes=1" in form
    client.post(address(story, "_link"), {"hours": 1, "changes": "1"})
    assert PreviewLink.objects.get().shows_changes


def test_editor_revokes_one_link_or_all(client, editor, reader):
    story, other = story_in("draft"), story_in("draft")
    urls = [link_to(story) for _ in range(4)]
    foreign = link_to(other)
    first = PreviewLink.objects.get(token=urls[0].split("/")[2])
    assert messages(client.post(address(story, "_revoke"), {"link": first.pk}, follow=True)) == ["The link is revoked."]
    assert [reader.get(url).status_code for url in urls] == [410, 200, 200, 200]
    told = messages(client.post(address(story, "_revoke"), {"link": "all"}, follow=True))
    assert told == ["3 links are revoked."]
    assert {reader.get(url).status_code for url in urls} == {410}
    assert reader.get(foreign).status_code == 200
    assert list(story.events.values_list("verb", "note")) == [("revoke_link", "3 links"), ("revoke_link", "")]
    again = client.post(address(story, "_revoke"), {"link": first.pk}, follow=True)
    assert messages(again) == ["No link was left to revoke."]
    assert story.events.count() == 2


def test_link_of_another_story_is_not_revoked_through_this_one(client, editor, reader):
    story, other = story_in("draft"), story_in("draft")
    url = link_to(other)
    client.post(address(story, "_revoke"), {"link": PreviewLink.objects.get().pk})
    assert reader.get(url).status_code == 200
    assert client.post(address(story, "_revoke"), {"link": "x"}).status_code == 404


def test_a_story_has_only_so_many_links(client, editor):
    story = story_in("draft")
    for _ in range(previewing.MOST_LINKS):
        link_to(story)
    assert "Make a link" not in form_of(client, story)
    response = client.post(address(story, "_link"), {"hours": 1}, follow=True)
    assert "Revoke some of them first" in messages(response)[0]
    assert PreviewLink.objects.count() == previewing.MOST_LINKS
    PreviewLink.objects.update(expires_at=NOW)
    client.post(address(story, "_link"), {"hours": 1})
    assert PreviewLink.objects.count() == previewing.MOST_LINKS + 1


@pytest.mark.parametrize("role", ["anonymous", "staff", "Contributors", "Editors"])
@pytest.mark.parametrize("whose", ["own", "other"])
def test_who_shares_is_who_may_edit(client, role, whose):
    user = None if role == "anonymous" else make_user("" if role == "staff" else role)
    if user:
        client.force_login(user)
    story = story_in("draft", created_by=user if whose == "own" else None)
    link_to(story)
    may = role == "Editors" or (role == "Contributors" and whose == "own")
    statuses = {
        client.post(address(story, "_link"), {"hours": 1}).status_code,
        client.post(address(story, "_revoke"), {"link": "all"}).status_code,
    }
    assert statuses == ({302} if may or role == "anonymous" else {403})
    assert story.events.exists() == may
    assert PreviewLink.objects.filter(revoked_at=None).exists() == (not may)
    if role == "Contributors":
        assert ("Share a preview" in form_of(client, story)) == may


def test_links_are_shown_to_nobody_who_may_not_make_them(client):
    story = story_in("draft")
    url = link_to(story)
    client.force_login(make_user("Contributors"))
    assert url not in client.get(reverse("admin:articles_article_change", args=[story.pk])).text


def test_nothing_is_made_or_revoked_by_a_get_or_without_a_token(client, editor):
    story = story_in("draft")
    link_to(story)
    for page in ("_link", "_revoke"):
        assert client.get(address(story, page)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(editor)
    assert strict.post(address(story, "_link"), {"hours": 1}).status_code == 403
    assert strict.post(address(story, "_revoke"), {"link": "all"}).status_code == 403
    assert PreviewLink.objects.filter(revoked_at=None).count() == 1
