"""The list behind each topic's page, which triggers keep: as it would be found afresh, after whatever happens."""

import threading

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from articles import public, triggers, workflow
from articles.models import Article, ArticleTopic, Topic, TopicListing
from tests.factories import NOON, make_article, make_topic, make_user

pytestmark = pytest.mark.django_db


def kept() -> set[tuple]:
    return set(TopicListing.objects.values_list("topic", "article", "published_at"))


def afresh() -> set[tuple]:
    """What the table has to hold, in Python: each published story on its topics' pages and on their parents'."""
    items = ArticleTopic.objects.filter(content_object__status="published").select_related("tag", "content_object")
    return {
        (topic, item.content_object_id, item.content_object.published_at)
        for item in items
        for topic in (item.tag_id, item.tag.parent_id)
        if topic
    }


@pytest.fixture
def family():
    science = make_topic("Science")
    return science, make_topic("Oceans", parent=science), make_topic("Space", parent=science), make_topic("Film")


def test_story_is_listed_with_its_topics_and_the_ones_above_once_each(family):
    science, oceans, space, film = family
    story = make_article(topics=[oceans, space, film])
    assert {topic for topic, _, _ in kept()} == {science.pk, oceans.pk, space.pk, film.pk}
    assert kept() == afresh() == {(topic.pk, story.pk, NOON) for topic in family}


@pytest.mark.parametrize("status", [status for status in Article.Status.values if status != "published"])
def test_only_published_stories_are_listed(family, status):
    make_article(topics=family, public=False, status=status)
    assert kept() == set()


def test_list_follows_the_verbs(family):
    story = make_article(topics=family, public=False)
    editor = make_user("Editors")
    workflow.publish(story, by=editor)
    assert len(kept()) == 4
    workflow.unpublish(story, by=editor)
    assert kept() == set()


def test_list_follows_a_new_date_and_other_topics(family):
    science, oceans, _, film = family
    story = make_article(topics=[oceans])
    Article.objects.filter(pk=story.pk).update(published_at=NOON.replace(year=2020))
    assert kept() == afresh() != set()
    story.set_topics([film])
    assert {topic for topic, _, _ in kept()} == {film.pk}
    story.topics.add(science)
    story.topics.remove(film)
    assert {topic for topic, _, _ in kept()} == {science.pk}


def test_list_follows_a_topic_that_moves(family):
    science, oceans, space, film = family
    both, one = make_article(topics=[oceans, space]), make_article(topics=[oceans])
    oceans.parent = film
    oceans.save()
    assert kept() == afresh()
    assert (science.pk, both.pk, NOON) in kept()
    assert (science.pk, one.pk, NOON) not in kept()
    oceans.parent = None
    oceans.save()
    assert kept() == afresh()


def test_list_follows_items_that_change_hands(family):
    _, oceans, _, film = family
    first, second = make_article(topics=[oceans]), make_article()
    ArticleTopic.objects.filter(content_object=first).update(content_object=second, tag=film)
    assert kept() == afresh() == {(film.pk, second.pk, NOON)}


def test_what_is_deleted_is_listed_nowhere(family):
    science, oceans, _, film = family
    first, second = make_article(topics=[oceans, film]), make_article(topics=[oceans])
    first.delete()
    assert kept() == afresh() == {(topic.pk, second.pk, NOON) for topic in (oceans, science)}
    oceans.delete()
    assert kept() == set()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no TRUNCATE")
@pytest.mark.parametrize("model", [Article, ArticleTopic, Topic])
def test_nothing_is_listed_of_a_table_that_was_truncated(family, model):
    make_article(topics=family)
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # nothing is truncated before they were looked at
        cursor.execute(f"TRUNCATE {model._meta.db_table} CASCADE")
    assert kept() == set()


def test_bulk_writes_past_the_orm_are_listed_too(family):
    _, oceans, _, _ = family
    stories = [make_article() for _ in range(3)]
    ArticleTopic.objects.bulk_create(ArticleTopic(content_object=story, tag=oceans, position=0) for story in stories)
    assert kept() == afresh()
    assert len(kept()) == 6


def test_import_is_listed_whatever_it_stores_first(family, tmp_path):
    news = tmp_path / "_news"
    news.mkdir()
    for name in ("2026-03-02-a", "2026-03-02-b"):
        (news / f"{name}.md").write_text(
            "---\ncategory: news\ntitle: Waves\npublishedDateTime: 2026-03-02T12:00:00Z\npublished: true\n"
            "topics:\n  - Oceans\n  - Film\n---\n"
        )
    call_command("import_frontmatter", str(tmp_path), verbosity=0)
    assert len(kept()) == 2 * 3
    assert kept() == afresh()


def add_topic(story, oceans):
    story.topics.add(oceans)


def take_topic(story, oceans):
    ArticleTopic.objects.filter(content_object=story, tag=oceans).delete()


def publish(story, oceans):
    Article.objects.filter(pk=story.pk).update(status=Article.Status.PUBLISHED, publish_at=NOON)


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("write", "topics", "public"), [(add_topic, 0, True), (take_topic, 1, True), (publish, 1, False)]
)
def test_list_follows_a_topic_that_moves_while_another_writes(family, write, topics, public):
    _, oceans, space, film = family
    story = make_article(topics=[space, *[oceans] * topics], public=public)

    def move() -> None:
        Topic.objects.filter(pk=oceans.pk).update(parent=film)
        connection.close()

    mover = threading.Thread(target=move)
    with transaction.atomic():
        write(story, oceans)
        mover.start()
        mover.join(0.3)  # it waits for this transaction
    mover.join()
    assert kept() == afresh() != set()


def test_installing_lists_all_afresh(family):
    make_article(topics=family)
    expected = afresh()
    triggers.remove()
    TopicListing.objects.all().delete()
    make_article(topics=family)
    triggers.install()
    assert kept() == afresh() > expected


def test_counts_are_those_of_the_lists(family):
    science, oceans, space, film = family
    make_article(topics=[oceans, space])
    make_article(topics=[science, film])
    make_article(topics=[film], publish_at=NOON.replace(year=2100))
    make_article(topics=[film], unpublish_at=NOON.replace(microsecond=1), publish_at=NOON)
    counts = public.story_counts()
    assert {topic.name: counts[topic.pk] for topic in family} == {"Science": 2, "Oceans": 1, "Space": 1, "Film": 1}
    assert {topic.name: public.listed(topic).count() for topic in family} == {
        "Science": 2, "Oceans": 1, "Space": 1, "Film": 1,
    }  # fmt: skip


def test_topics_list_is_read_from_its_index_in_order(family):
    plan = public.listed(family[0])[:25].explain()
    if connection.vendor == "sqlite":
        assert "listing_by_topic" in plan
        assert "TEMP B-TREE" not in plan
