"""The verbs: who may, from where, and what is left behind."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from articles import workflow
from articles.models import Article, Event
from tests.factories import NOON, make_article, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def editor():
    return make_user("Editors")


def test_publish_makes_a_draft_public_and_writes_an_event(editor):
    article = make_article(public=False)
    event = workflow.publish(article, by=editor, note="Strong story")
    assert article in Article.objects.published()
    assert article.is_public
    assert (event.actor, event.verb, event.from_status, event.to_status, event.note) == (
        editor,
        "publish",
        "draft",
        "published",
        "Strong story",
    )


def test_unpublish_takes_a_story_off_every_public_list(editor):
    article = make_article()
    workflow.unpublish(article, by=editor)
    assert not Article.objects.published().exists()
    assert not article.is_public
    assert Article.objects.get().status == Article.Status.UNPUBLISHED


def test_each_verb_counts_as_a_new_version(editor):
    article = make_article(public=False)
    workflow.publish(article, by=editor)
    assert (article.version, Article.objects.get().version) == (2, 2)


@pytest.mark.parametrize(
    ("verb", "status", "message"),
    [
        ("publish", "published", "It is published already."),
        ("publish", "rejected", "It has been rejected, so it cannot be published."),
        ("unpublish", "draft", "It is a draft, so it cannot be unpublished."),
        ("unpublish", "in_review", "It is in review, so it cannot be unpublished."),
        ("unpublish", "unpublished", "It is unpublished already."),
    ],
)
def test_verb_that_does_not_apply_says_why_and_changes_nothing(editor, verb, status, message):
    article = make_article(status=status)
    with pytest.raises(workflow.TransitionError, match=f"^{message}$"):
        workflow.apply(workflow.VERBS[verb], article, by=editor)
    assert Article.objects.get().status == status
    assert not Event.objects.exists()


def test_each_version_has_its_revision_without_the_sealed_text(editor):
    article = make_article(public=False, secured="c2VhbGVk;aXY=")
    workflow.publish(article, by=editor)
    workflow.unpublish(article, by=editor)
    revisions = article.revisions.order_by("version")
    assert list(revisions.values_list("version", "note", "author")) == [
        (2, "Published", editor.pk),
        (3, "Unpublished", editor.pk),
    ]
    assert [revision.document["published"] for revision in revisions] == [True, False]
    assert "c2VhbGVk" not in json.dumps([revision.document for revision in revisions])


@pytest.mark.skipif(not connection.features.has_select_for_update, reason="SQLite locks the whole database")
def test_row_is_locked_before_it_is_judged(editor):
    article = make_article(public=False)
    with CaptureQueriesContext(connection) as queries:
        workflow.publish(article, by=editor)
    locking = [query["sql"] for query in queries if query["sql"].endswith("FOR UPDATE")]
    assert 'FROM "articles_article"' in locking[0]


def test_the_row_decides_and_not_the_page_that_was_loaded_before(editor):
    article = make_article(public=False)
    stale = Article.objects.get()
    workflow.publish(article, by=editor)
    with pytest.raises(workflow.TransitionError):
        workflow.publish(stale, by=editor)
    assert Event.objects.count() == 1


@pytest.mark.parametrize("group", ["Contributors", ""])
def test_only_editors_publish_and_unpublish(group):
    user = make_user(group)
    draft, public = make_article(public=False), make_article()
    for verb, article in ((workflow.publish, draft), (workflow.unpublish, public)):
        with pytest.raises(PermissionDenied):
            verb(article, by=user)
    assert not Event.objects.exists()
    assert list(Article.objects.published()) == [public]


def test_a_story_published_for_later_is_not_public_before(editor):
    article = make_article(public=False)
    tomorrow = timezone.now() + timedelta(days=1)
    workflow.publish(article, by=editor, at=tomorrow)
    assert not article.is_public
    assert not Article.objects.published().exists()
    assert list(Article.objects.published(at=tomorrow)) == [article]


@pytest.mark.parametrize(
    ("changes", "public"),
    [
        ({}, True),
        ({"status": "draft"}, False),
        ({"status": "in_review"}, False),
        ({"status": "unpublished"}, False),
        ({"status": "rejected"}, False),
        ({"publish_at": timezone.now() + timedelta(days=1)}, False),
        ({"unpublish_at": NOON + timedelta(minutes=1)}, False),
        ({"unpublish_at": timezone.now() + timedelta(days=1)}, True),
    ],
)
def test_the_one_definition_of_public(changes, public):
    article = make_article(**changes)
    assert Article.objects.published().exists() is public
    assert article.is_public is public


def test_allows_says_which_buttons_to_show(editor):
    draft, contributor = make_article(public=False), make_user("Contributors")
    assert workflow.allows(workflow.PUBLISH, draft, editor)
    assert not workflow.allows(workflow.UNPUBLISH, draft, editor)
    assert not workflow.allows(workflow.PUBLISH, draft, contributor)


# --- Many at once -------------------------------------------------------------------------------


def test_each_is_judged_by_itself_and_one_that_is_gone_is_no_obstacle(editor):
    draft, published, rejected = make_article(public=False), make_article(), make_article(status="rejected")
    keys = [draft.pk, published.pk, rejected.pk, rejected.pk + 1]
    result = workflow.apply_to_each(workflow.PUBLISH, dict.fromkeys(keys), by=editor, note="All of them")
    assert result.done.keys() == {draft.pk}
    assert result.refused == {
        published.pk: "It is published already.",
        rejected.pk: "It has been rejected, so it cannot be published.",
    }
    event = Event.objects.get()
    assert (event.article, event.actor, event.note, event.from_status) == (draft, editor, "All of them", "draft")
    assert Article.objects.get(pk=draft.pk).revisions.get().note == "Published"


def test_each_goes_public_at_its_own_time(editor):
    first, second = make_article(public=False), make_article(public=False)
    tomorrow = timezone.now() + timedelta(days=1)
    workflow.apply_to_each(workflow.PUBLISH, {first.pk: tomorrow, second.pk: None}, by=editor)
    assert list(Article.objects.published()) == [second]
    assert set(Article.objects.published(at=tomorrow)) == {first, second}


def test_many_take_no_more_queries_than_one(editor):
    def queries(count: int) -> int:
        keys = [make_article(public=False).pk for _ in range(count)]
        with CaptureQueriesContext(connection) as captured:
            workflow.apply_to_each(workflow.PUBLISH, dict.fromkeys(keys), by=editor)
        return len(captured)

    editor.has_perm("articles.publish_article")  # asked for once
    assert queries(1) == queries(20)
