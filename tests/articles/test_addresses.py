"""Links that were right once still arrive, whoever changed the name and by whatever path."""

from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from articles import workflow
from articles.importing import Options, import_paths
from articles.models import Article, OldAddress, Topic
from providers.models import Provider
from tests.factories import NOON, make_article, make_provider, make_topic

pytestmark = pytest.mark.django_db

STORY = """---
category: news
title: The tide turns
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: https://{domain}/tide
published: true
provider: {{ name: Harbour, domain: {domain} }}
topics: [Oceans]
---
"""
OUTLET = """---
taxonomy: organization
_id: harbour
name: Harbour
domain: {domain}
---
"""


def leads_to(client, address: str) -> str:
    """Where a reader is sent from there, at once and for good."""
    response = client.get(address)
    assert response.status_code == 301, (address, response.status_code)
    assert client.get(response["Location"]).status_code == 200
    return response["Location"]


def rename_in_sql(model: type, column: str, pk: int, name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {model._meta.db_table} SET {column} = %s WHERE id = %s", [name, pk])


def by_save(record, column: str, name: str) -> None:
    setattr(record, column, name)
    record.save()


def by_update(record, column: str, name: str) -> None:
    type(record).objects.filter(pk=record.pk).update(**{column: name})


def by_bulk_update(record, column: str, name: str) -> None:
    setattr(record, column, name)
    type(record).objects.bulk_update([record], [column])


def by_sql(record, column: str, name: str) -> None:
    rename_in_sql(type(record), column, record.pk, name)


@pytest.mark.parametrize("rename", [by_save, by_update, by_bulk_update, by_sql])
def test_old_names_lead_to_the_same_kind_of_page_whoever_renames(client, rename):
    topic, provider = make_topic("Old", slug="old"), make_provider(domain="old.example")
    story = make_article(stem="old", topics=[topic], provider=provider)
    for record, column, name in ((story, "stem", "new"), (topic, "slug", "new"), (provider, "domain", "new.example")):
        rename(record, column, name)
    for old, new in {
        "/news/old/": "/news/new/",
        "/topics/old/": "/topics/new/",
        "/feeds/topics/old.atom": "/feeds/topics/new.atom",
        "/feeds/topics/old.json": "/feeds/topics/new.json",
        "/api/news/old/index.json": "/api/news/new/index.json",
        "/api/news/old/page/1/index.json": "/api/news/new/page/1/index.json",
        "/providers/old.example/": "/providers/new.example/",
        "/feeds/providers/old.example.atom": "/feeds/providers/new.example.atom",
        "/feeds/providers/old.example.json": "/feeds/providers/new.example.json",
    }.items():
        assert leads_to(client, old) == new


def test_however_often_a_name_changes_there_is_one_step_to_the_newest(client):
    story = make_article(stem="first")
    for stem in ("second", "third", "ünter-4"):
        by_save(story, "stem", stem)
    for stem in ("first", "second", "third"):
        assert leads_to(client, f"/news/{stem}/") == "/news/%C3%BCnter-4/"


def test_name_that_is_taken_back_is_nobodys_old_one(client):
    story = make_article(stem="first")
    by_save(story, "stem", "second")
    by_save(story, "stem", "first")
    assert client.get("/news/first/").status_code == 200
    assert leads_to(client, "/news/second/") == "/news/first/"
    assert list(OldAddress.objects.values_list("name", flat=True)) == ["second"]


def test_name_that_another_takes_is_the_others(client):
    by_save(make_article(stem="first"), "stem", "second")
    other = make_article(stem="first", title="Other")
    assert "Other" in client.get("/news/first/").text
    by_save(other, "stem", "third")
    assert leads_to(client, "/news/first/") == "/news/third/"


def test_draft_breaks_no_link_to_the_story_that_had_its_name(client):
    by_save(make_article(stem="first"), "stem", "second")
    draft = make_article(stem="first", public=False)
    assert leads_to(client, "/news/first/") == "/news/second/"
    for title in ("Edited", "Edited again"):
        by_save(draft, "title", title)
    draft.delete()
    assert leads_to(client, "/news/first/") == "/news/second/"


def test_draft_that_takes_a_name_and_leaves_it_breaks_no_link(client):
    by_save(make_article(stem="first"), "stem", "second")
    draft = make_article(stem="draft", public=False)
    by_save(draft, "stem", "first")
    assert leads_to(client, "/news/first/") == "/news/second/"
    by_save(draft, "stem", "draft")
    assert leads_to(client, "/news/first/") == "/news/second/"


def test_withdrawn_story_that_takes_a_name_and_leaves_it_breaks_no_link(client):
    by_save(make_article(stem="first"), "stem", "second")
    withdrawn = make_article(stem="withdrawn")
    workflow.unpublish(withdrawn, by=None)
    for stem in ("first", "third"):
        by_update(withdrawn, "stem", stem)
    assert leads_to(client, "/news/first/") == "/news/second/"


def test_draft_takes_its_name_for_good_when_it_is_published(client):
    by_save(make_article(stem="first"), "stem", "second")
    draft = make_article(stem="first", title="Other", public=False)
    workflow.publish(draft, by=None)
    assert "Other" in client.get("/news/first/").text
    workflow.unpublish(draft, by=None)
    assert client.get("/news/first/").status_code == 410
    assert not OldAddress.objects.exists()


def test_names_that_bulk_inserts_take_are_theirs():
    for number in range(2):
        by_save(make_topic(f"Old {number}", slug=f"old-{number}"), "slug", f"new-{number}")
    Topic.objects.bulk_create(Topic(name=f"Taker {n}", slug=f"old-{n}", key=f"taker {n}") for n in range(3))
    assert not OldAddress.objects.exists()


def test_two_records_may_change_names_with_each_other(client):
    one, two = make_article(stem="one", title="One"), make_article(stem="two", title="Two")
    with transaction.atomic():
        by_update(one, "stem", "between")
        by_update(two, "stem", "one")
        by_update(one, "stem", "two")
    assert "Two" in client.get("/news/one/").text
    assert leads_to(client, "/news/between/") == "/news/two/"


def test_topic_story_and_provider_may_share_an_old_name(client):
    topic, provider = make_topic("Old", slug="old.example"), make_provider(domain="old.example")
    story = make_article(stem="old.example", topics=[topic], provider=provider)
    for record, column in ((story, "stem"), (topic, "slug"), (provider, "domain")):
        by_save(record, column, f"new-{column}.example")
    assert leads_to(client, "/news/old.example/") == "/news/new-stem.example/"
    assert leads_to(client, "/topics/old.example/") == "/topics/new-slug.example/"
    assert leads_to(client, "/providers/old.example/") == "/providers/new-domain.example/"


def test_draft_that_never_had_a_time_to_go_live_leaves_no_old_address():
    by_save(make_article(stem="first", public=False), "stem", "second")
    assert not OldAddress.objects.exists()


@pytest.mark.parametrize(
    ("state", "status"),
    [
        ({"status": Article.Status.UNPUBLISHED}, 410),
        ({"unpublish_at": NOON + timedelta(minutes=1)}, 410),
        ({"publish_at": timezone.now() + timedelta(days=365)}, 404),
    ],
)
def test_old_name_of_a_hidden_story_does_not_tell_its_new_one(client, state, status):
    story = make_article(stem="first")
    by_save(story, "stem", "second-zebrafish")
    Article.objects.filter(pk=story.pk).update(**state)
    response = client.get("/news/first/")
    assert response.status_code == status
    assert "zebrafish" not in response.text
    assert "zebrafish" not in str(response.headers)


def test_old_names_of_what_only_drafts_have_are_404(client):
    topic, provider = make_topic("Old", slug="old"), make_provider(domain="old.example")
    make_article(public=False, topics=[topic], provider=provider)
    by_save(topic, "slug", "new")
    by_save(provider, "domain", "new.example")
    for address in ("/topics/old/", "/feeds/topics/old.atom", "/providers/old.example/", "/api/news/old/index.json"):
        assert client.get(address).status_code == 404


def test_record_that_is_deleted_takes_its_old_addresses_along(client):
    story = make_article(stem="first")
    by_save(story, "stem", "second")
    story.delete()
    assert not OldAddress.objects.exists()
    assert client.get("/news/first/").status_code == 404


def test_only_what_pages_know_is_kept_of_what_else_was_asked(client):
    topic = make_topic("Old", slug="old")
    make_article(topics=[topic])
    by_save(topic, "slug", "new")
    assert client.get("/topics/old/?utm_source=x&before=2&page=2")["Location"] == "/topics/new/?before=2"


def test_name_in_capitals_leads_to_the_one_there_is(client):
    topic, provider = make_topic("AI", slug="ai"), make_provider(domain="wired.example")
    make_article(stem="2026-03-02-a-story", topics=[topic], provider=provider)
    assert leads_to(client, "/topics/AI/") == "/topics/ai/"
    assert leads_to(client, "/providers/Wired.Example/") == "/providers/wired.example/"
    assert leads_to(client, "/news/2026-03-02-A-Story/") == "/news/2026-03-02-a-story/"
    assert leads_to(client, "/feeds/topics/AI.atom") == "/feeds/topics/ai.atom"


def test_old_name_in_capitals_leads_there_too(client):
    topic, provider = make_topic("AI", slug="ai"), make_provider(domain="wired.example")
    story = make_article(stem="2026-03-02-a-story", topics=[topic], provider=provider)
    for record, column, name in ((story, "stem", "b"), (topic, "slug", "ml"), (provider, "domain", "w.example")):
        by_save(record, column, name)
    assert leads_to(client, "/news/2026-03-02-A-Story/") == "/news/b/"
    assert leads_to(client, "/topics/AI/") == "/topics/ml/"
    assert leads_to(client, "/providers/Wired.Example/") == "/providers/w.example/"


def test_withdrawn_story_is_gone_by_its_names_in_capitals_too(client):
    story = make_article(stem="first")
    by_save(story, "stem", "second")
    workflow.unpublish(story, by=None)
    for stem in ("FIRST", "Second"):
        assert client.get(f"/news/{stem}/").status_code == 410


def test_import_that_gives_a_provider_another_domain_keeps_its_links(client, tmp_path):
    story, outlet = tmp_path / "_news" / "2026-03-02-tide.md", tmp_path / "_data" / "organizations" / "harbour.md"
    for file, text in ((story, STORY), (outlet, OUTLET)):
        file.parent.mkdir(parents=True)
        file.write_text(text.format(domain="old.example"))
    import_paths([tmp_path], Options())
    assert client.get("/providers/old.example/").status_code == 200
    for file, text in ((story, STORY), (outlet, OUTLET)):
        file.write_text(text.format(domain="new.example"))
    import_paths([tmp_path], Options())
    assert Provider.objects.filter(domain="new.example").exists()
    if not Provider.objects.filter(domain="old.example").exists():
        assert leads_to(client, "/providers/old.example/") == "/providers/new.example/"


def test_withdrawn_story_is_gone_and_its_page_does_not_say_what_it_was(client):
    story = make_article(title="Zebrafish", stem="2026-03-02-a")
    workflow.unpublish(story, by=None)
    response = client.get(story.get_absolute_url())
    assert response.status_code == 410
    assert "This story is no longer here." in response.text
    assert '<meta name="robots" content="noindex">' in response.text
    assert "Zebrafish" not in response.text
    workflow.publish(story, by=None)
    assert client.get(story.get_absolute_url()).status_code == 200


def test_story_that_is_called_off_before_its_time_was_never_there(client):
    story = make_article(publish_at=timezone.now() + timedelta(hours=1))
    workflow.unpublish(story, by=None)
    story.refresh_from_db()
    assert (story.publish_at, story.unpublish_at) == (None, None)
    assert client.get(story.get_absolute_url()).status_code == 404
