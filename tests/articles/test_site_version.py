"""Whatever changes what readers see moves the site's version, whoever writes it; what does not leaves it alone."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone

from articles import workflow
from articles.models import Article, ArticleTopic, RelatedStory, SiteVersion, SourceFile, Topic
from articles.remembered import version
from articles.triggers import install, remove
from images import caching
from images.models import RemoteImage
from images.takedown import take_down
from providers.models import Provider
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_image,
    make_provider,
    make_related,
    make_source,
    make_topic,
    make_user,
    png,
)

# On PostgreSQL the version moves when a transaction commits: none is wrapped around these tests.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept(settings):
    settings.PAGE_CACHE_SECONDS = 600


@pytest.fixture
def story() -> Article:
    """A public story with all that a page shows."""
    story = make_article(topics=[make_topic("Oceans")])
    add_picture(story)
    make_related(story, provider=make_provider()).pictures.create(image=make_image())
    story.provider.logos.create(image=make_image())
    make_source(story)
    return story


@pytest.fixture
def draft() -> Article:
    draft = make_article(public=False, topics=[make_topic("Quiet")])
    add_picture(draft, make_image(cached=False))
    make_related(draft)
    return draft


def token() -> int:
    return SiteVersion.objects.get().token


SEEN: dict[str, Callable[[Article], object]] = {
    "unpublishing": lambda story: workflow.unpublish(story, by=None),
    "an edit": lambda story: Article.objects.filter(pk=story.pk).update(title="New"),
    "a new heat": lambda story: Article.objects.filter(pk=story.pk).update(heat=7),
    "an expiry": lambda story: Article.objects.filter(pk=story.pk).update(unpublish_at=NOON + timedelta(days=9999)),
    "deleting": lambda story: story.delete(),
    "deleting in bulk": lambda story: Article.objects.all().delete(),
    "a new story": lambda story: make_article(provider=story.provider),
    "a topic more": lambda story: story.topics.add("Rivers"),
    "a topic less": lambda story: ArticleTopic.objects.all().delete(),
    "another order of topics": lambda story: ArticleTopic.objects.update(position=9),
    "a topic renamed": lambda story: Topic.objects.update(name="Seas"),
    "a picture more": lambda story: add_picture(story, make_image(cached=False)),
    "a picture less": lambda story: story.pictures.all().delete(),
    "a picture's text": lambda story: story.pictures.update(alt="A whale"),
    "a related story more": make_related,
    "a related story's title": lambda story: RelatedStory.objects.update(title="New"),
    "a related story's picture": lambda story: story.related_stories.get().pictures.all().delete(),
    "a provider renamed": lambda story: Provider.objects.filter(pk=story.provider_id).update(name="New"),
    "a logo less": lambda story: story.provider.logos.all().delete(),
    "a picture taken down": lambda story: take_down(
        RemoteImage.objects.filter(articles=story), by=None, reason="Asked"
    ),
    "another content of a picture": lambda story: caching.store(story.pictures.get().image, png((300, 200), 9)),
    "the focus of a related picture": lambda story: RemoteImage.objects.filter(related_stories__article=story).update(
        focus_x=10
    ),
    "a file that was moved": lambda story: SourceFile.objects.update(path="_news/moved.md"),
    "another content of a logo": lambda story: caching.store(story.provider.logos.get().image, png((30, 20), 8)),
}

UNSEEN: dict[str, Callable[[Article, Article], object]] = {
    "a new draft": lambda story, draft: make_article(public=False, provider=story.provider),
    "an edit of a draft": lambda story, draft: Article.objects.filter(pk=draft.pk).update(title="New"),
    "rejecting": lambda story, draft: Article.objects.filter(pk=draft.pk).update(status=Article.Status.REJECTED),
    "a draft's topics": lambda story, draft: draft.set_topics(Topic.objects.all()),
    "a draft's picture": lambda story, draft: caching.store(draft.pictures.get().image, png()),
    "a draft's coverage": lambda story, draft: draft.related_stories.all().delete(),
    "a draft's end": lambda story, draft: draft.delete(),
    "another seal": lambda story, draft: Article.objects.update(secured="b;c"),
    "the same values again": lambda story, draft: story.save(update_fields=["title", "heat"]),
    "an attempt to fetch": lambda story, draft: RemoteImage.objects.update(attempts=3, next_attempt_at=None),
    "a file that was read again": lambda story, draft: SourceFile.objects.update(digest="1", seen_as="2"),
    "a user": lambda story, draft: make_user(),
}


@pytest.mark.parametrize("change", SEEN)
def test_version_moves_with(story, change):
    before = token()
    SEEN[change](story)
    assert token() != before


@pytest.mark.parametrize("change", UNSEEN)
def test_version_stays_for(story, draft, change):
    before = token()
    UNSEEN[change](story, draft)
    assert token() == before


def test_publishing_a_draft_moves_it(draft):
    before = token()
    workflow.publish(draft, by=None)
    assert token() != before


def test_an_import_of_public_stories_moves_it_and_one_of_drafts_does_not(tmp_path):
    folder = tmp_path / "site" / "_news"
    folder.mkdir(parents=True)
    make_provider(domain="wired.example")
    for name, published in (("2026-03-02-draft", "false"), ("2026-03-02-public", "true")):
        (folder / f"{name}.md").write_text(
            "---\ncategory: news\ntitle: A title\npublishedDateTime: 2026-03-02T10:00:00Z\n"
            f"published: {published}\nprovider:\n  name: Wired\n  domain: wired.example\n---\n"
        )
        before = token()
        call_command("import_frontmatter", str(folder.parent), verbosity=0)
        assert (token() != before) == (published == "true")


def test_what_is_rolled_back_has_changed_nothing(story):
    before = token()
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        story.delete()
        _ = 1 / 0
    assert token() == before


def test_what_is_rolled_back_to_a_savepoint_hides_no_change_after_it(story):
    before = token()
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Article.objects.update(title="Lost")
            if connection.vendor == "postgresql":  # what a commit does
                connection.cursor().execute("SET CONSTRAINTS ALL IMMEDIATE")
            _ = 1 / 0
        Article.objects.update(title="Kept")
    assert token() != before


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("model", [Article, ArticleTopic])
def test_truncating_a_table_is_seen(story, model):
    before = token()
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert token() != before


def test_a_migration_leaves_triggers_as_they_should_be(story):
    remove()
    before = token()
    Article.objects.update(title="Nobody notices")
    assert token() == before
    install()
    install()
    Article.objects.update(title="Somebody does")
    assert token() != before


def test_version_names_the_next_moment_at_which_a_story_comes_or_goes(story):
    now = timezone.now()
    assert version().until is None
    Article.objects.filter(pk=story.pk).update(unpublish_at=now + timedelta(hours=3))
    assert version().until == now + timedelta(hours=3)
    later = make_article(publish_at=now + timedelta(hours=2))
    assert version().until == later.publish_at
    make_article(public=False, publish_at=now + timedelta(hours=1))
    assert version().until == later.publish_at


def test_version_goes_on_to_the_moment_after_when_one_has_come(story, monkeypatch):
    now = timezone.now()
    for hours in (1, 2):
        make_article(publish_at=now + timedelta(hours=hours))
    assert version().until == now + timedelta(hours=1)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=1))
    assert version().until == now + timedelta(hours=2)


def test_without_a_cache_there_is_no_version_to_keep_things_under(settings):
    settings.PAGE_CACHE_SECONDS = 0
    assert version() is None
