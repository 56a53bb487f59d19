"""The verbs: who may, from where, and what is left behind."""

from datetime import timedelta

import pytest
from django.core.exceptions import PermissionDenied
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


@pytest.mark.parametrize("status", ["published", "rejected"])
def test_publish_refuses_what_is_public_or_rejected(editor, status):
    article = make_article(status=status)
    with pytest.raises(workflow.TransitionError, match="cannot be published"):
        workflow.publish(article, by=editor)
    assert not Event.objects.exists()


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
        ({"publish_at": timezone.now() + timedelta(minutes=1)}, False),
        ({"unpublish_at": NOON + timedelta(minutes=1)}, False),
        ({"unpublish_at": timezone.now() + timedelta(hours=1)}, True),
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
