"""Files are held first, then what they describe, as imports do it: so that nobody waits for an import in a circle."""

from uuid import UUID

import pytest
from django.db import connection, transaction

from articles import retopic, workflow
from articles.importing.missing import withdraw
from articles.models import Article, SourceFile, Topic
from tests.articles.test_search_races import Elsewhere
from tests.factories import make_article, make_source, make_topic, make_user

pytestmark = pytest.mark.django_db(transaction=True)
BATCH = UUID(int=7)


@pytest.fixture(autouse=True)
def postgresql():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets only one write")


@pytest.fixture
def story():
    story = make_article(topics=[make_topic("Whales"), make_topic("Oceans")])
    make_source(story)
    make_source(Topic.objects.get(name="Whales"))
    return story


@pytest.fixture
def manager():
    return make_user(is_superuser=True)


def while_an_import_holds(files, records, task) -> None:
    """An import holds these files and comes to their records when somebody has begun the task."""
    other = Elsewhere(task)
    with transaction.atomic():
        files.hold()
        other.start()
        other.wait_until_done_or_waiting()
        assert other.is_alive(), "it waits for the import"
        list(records.select_for_update(nowait=True))
    other.join()
    assert other.error is None


def test_verbs_wait_for_the_files(story, manager):
    keys = {story.pk: None}
    while_an_import_holds(
        SourceFile.objects.filter(article=story),
        Article.objects.filter(pk=story.pk),
        lambda: workflow.apply_to_each(workflow.UNPUBLISH, keys, by=manager, batch=BATCH),
    )
    while_an_import_holds(
        SourceFile.objects.filter(article=story),
        Article.objects.filter(pk=story.pk),
        lambda: workflow.undo(BATCH, by=manager),
    )
    story.refresh_from_db()
    assert (story.status, story.version) == (Article.Status.PUBLISHED, 3)


@pytest.mark.parametrize("described", ["article", "topic"])
def test_merge_of_topics_waits_for_the_files(story, manager, described):
    merged, target = Topic.objects.get(name="Whales"), Topic.objects.get(name="Oceans")
    while_an_import_holds(
        SourceFile.objects.filter(**{f"{described}__isnull": False}),
        Topic.objects.filter(pk__in=[merged.pk, target.pk]),
        lambda: retopic.merge_topics([merged], target, by=manager),
    )
    assert [topic.name for topic in story.topics.all()] == ["Oceans"]


def test_stories_whose_files_are_gone_are_held_after_them(story):
    sources = list(SourceFile.objects.filter(article=story))
    while_an_import_holds(
        SourceFile.objects.filter(article=story),
        Article.objects.filter(pk=story.pk),
        lambda: withdraw(sources),
    )
    story.refresh_from_db()
    assert story.status == Article.Status.UNPUBLISHED
