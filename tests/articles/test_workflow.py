"""The verbs: who may, from where, and what is left behind."""

import json
import re
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

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
    assert 'FROM "articles_sourcefile"' in locking[0], "first, as imports do it"
    assert 'FROM "articles_article"' in locking[1]


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


# --- Who may do what from where: the table of docs/workflow.md ----------------------------------

DOCS = Path(__file__).parents[2] / "docs" / "workflow.md"
TABLE = {
    verb: (set(sources.split(", ")), target, set(who.split(", ")))
    for verb, sources, target, who in re.findall(
        r"^\| (\w+) \| ([\w, ]+) \| (\w+) \| ([\w, ]+) \|$", DOCS.read_text(), re.M
    )
    if verb != "verb"
}
ROLES = {"Managers": "editors", "Editors": "editors", "author": "authors", "Contributors": "", "": ""}


def test_the_docs_tell_of_every_verb():
    assert TABLE.keys() == workflow.VERBS.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("verb", workflow.VERBS)
def test_each_verb_does_what_the_docs_say_for_whom_they_say_and_nothing_else(verb, role):
    sources, target, who = TABLE[verb]
    user = make_user("Contributors" if role == "author" else role)
    ahead = timezone.now() + timedelta(days=1)
    for status in Article.Status.values:
        live = {"publish_at": ahead} if status == "published" and verb == "schedule" else {}
        public = status == "published"
        article = make_article(public=public, status=status, created_by=user if role == "author" else None, **live)
        allowed = ROLES[role] in who and status in sources
        assert workflow.allows(workflow.VERBS[verb], article, user) == allowed
        if allowed:
            event = workflow.apply(workflow.VERBS[verb], article, by=user, note="Why", at=ahead)
            assert (event.from_status, event.to_status, event.note) == (status, target, "Why")
        else:
            with pytest.raises((PermissionDenied, workflow.TransitionError)):
                workflow.apply(workflow.VERBS[verb], article, by=user, note="Why", at=ahead)
        assert Article.objects.get(pk=article.pk).status == (target if allowed else status)
        assert article.events.count() == allowed


def test_sending_back_wants_a_reason(editor):
    article = make_article(public=False, status="in_review")
    with pytest.raises(workflow.TransitionError, match="Say why"):
        workflow.send_back(article, by=editor, note=" ")
    workflow.send_back(article, by=editor, note="Which whale?")
    assert article.status == "draft"


# --- Scheduling ---------------------------------------------------------------------------------


def test_scheduled_story_is_public_between_its_times_and_not_outside(editor):
    article, begin = make_article(public=False), timezone.now() + timedelta(hours=1)
    workflow.schedule(article, by=editor, at=begin, until=begin + timedelta(hours=1))
    moments = [begin - timedelta(microseconds=1), begin, begin + timedelta(hours=1)]
    assert [Article.objects.published(at=moment).exists() for moment in moments] == [False, True, False]


def test_end_of_a_public_story_can_be_set_and_moved_and_its_beginning_stays(editor):
    article, end = make_article(), timezone.now() + timedelta(hours=1)
    for until in (end, end + timedelta(hours=1)):
        workflow.schedule(article, by=editor, until=until)
        assert (article.publish_at, article.unpublish_at) == (NOON, until)
        assert article.is_public


def test_story_that_is_yet_to_come_can_be_moved(editor):
    article, begin = make_article(public=False), timezone.now() + timedelta(hours=1)
    for hours in (0, 1):
        workflow.schedule(article, by=editor, at=begin + timedelta(hours=hours))
        assert article.publish_at == begin + timedelta(hours=hours)


@pytest.mark.parametrize(
    ("public", "at", "until", "message"),
    [
        (False, None, None, "Say from when it is to be public."),
        (False, None, 2, "Say from when it is to be public."),
        (True, None, None, "Say from when, or until when, it is to be public."),
        (False, -1, None, "The time from which it is to be public has passed."),
        (True, 1, None, "It is public already, so only its end can be scheduled."),
        (False, 2, 1, "The time until which it is to be public has to lie ahead, and behind its beginning."),
        (False, 1, 1, "The time until which it is to be public has to lie ahead, and behind its beginning."),
        (True, None, -1, "The time until which it is to be public has to lie ahead, and behind its beginning."),
    ],
)
def test_times_that_make_no_sense_are_refused(editor, public, at, until, message):
    article, now = make_article(public=public), timezone.now()
    times = {name: now + timedelta(hours=n) for name, n in (("at", at), ("until", until)) if n is not None}
    with pytest.raises(workflow.TransitionError, match=f"^{message}$"):
        workflow.schedule(article, by=editor, **times)
    assert not Event.objects.exists()


def test_story_whose_time_is_over_is_scheduled_anew(editor):
    now = timezone.now()
    article, begin = make_article(unpublish_at=now - timedelta(hours=1)), now + timedelta(hours=1)
    with pytest.raises(workflow.TransitionError, match=r"^It was public until its end: schedule it anew\.$"):
        workflow.publish(article, by=editor)
    with pytest.raises(workflow.TransitionError, match=r"^Say from when it is to be public\.$"):
        workflow.schedule(article, by=editor, until=begin)
    workflow.schedule(article, by=editor, at=begin, until=begin + timedelta(hours=1))
    assert (article.publish_at, article.unpublish_at) == (begin, begin + timedelta(hours=1))


def test_scheduled_story_is_published_at_once_and_keeps_its_end(editor):
    begin, batch = timezone.now() + timedelta(hours=1), uuid4()
    article, end = make_article(public=False), begin + timedelta(hours=1)
    workflow.schedule(article, by=editor, at=begin, until=end)
    workflow.publish(article, by=editor, batch=batch)
    assert (article.is_public, article.unpublish_at) == (True, end)
    workflow.undo(batch, by=editor)
    again = Article.objects.get()
    assert (again.is_coming, again.publish_at, again.unpublish_at) == (True, begin, end)


@pytest.mark.parametrize("verb", [workflow.unpublish, workflow.undo])
def test_story_withdrawn_before_its_time_forgets_it(editor, verb):
    article, batch = make_article(public=False), uuid4()
    workflow.schedule(article, by=editor, at=timezone.now() + timedelta(hours=1), batch=batch)
    verb(batch if verb is workflow.undo else article, by=editor)
    assert Article.objects.get().publish_at is None


# --- Undoing ------------------------------------------------------------------------------------


def test_undo_puts_back_state_and_times_of_exactly_those_stories(editor):
    batch, end = uuid4(), timezone.now() + timedelta(days=1)
    public, expiring, other = make_article(), make_article(unpublish_at=end), make_article()
    workflow.apply_to_each(workflow.UNPUBLISH, dict.fromkeys([public.pk, expiring.pk]), by=editor, batch=batch)
    workflow.unpublish(other, by=editor, batch=uuid4())
    result = workflow.undo(batch, by=editor)
    assert result.done.keys() == {public.pk, expiring.pk}
    rows = {article.pk: (article.status, article.publish_at, article.unpublish_at) for article in Article.objects.all()}
    assert rows[public.pk] == ("published", NOON, None)
    assert rows[expiring.pk] == ("published", NOON, end)
    assert rows[other.pk][0] == "unpublished"
    event = result.done[public.pk]
    assert (event.verb, event.actor, event.from_status, event.to_status) == ("undo", editor, "unpublished", "published")


def test_what_has_changed_since_is_not_undone(editor):
    batch = uuid4()
    articles = [make_article(public=False) for _ in range(2)]
    workflow.apply_to_each(workflow.REJECT, dict.fromkeys(a.pk for a in articles), by=editor, batch=batch)
    workflow.restore(Article.objects.get(pk=articles[0].pk), by=editor)
    result = workflow.undo(batch, by=editor)
    assert result.done.keys() == {articles[1].pk}
    assert result.refused == {articles[0].pk: "It has changed since."}
    assert workflow.undo(batch, by=editor).done == {}


def test_undo_can_be_undone(editor):
    article, batch = make_article(public=False), uuid4()
    workflow.reject(article, by=editor, batch=batch)
    event = workflow.undo(batch, by=editor).done[article.pk]
    assert Article.objects.get().status == "draft"
    workflow.undo(event.batch, by=editor)
    assert Article.objects.get().status == "rejected"


def test_only_editors_undo_what_others_did():
    author, batch = make_user("Contributors"), uuid4()
    article = make_article(public=False, created_by=author)
    workflow.reject(article, by=make_user("Editors"), batch=batch)
    with pytest.raises(PermissionDenied):
        workflow.undo(batch, by=author)
    own, batch = make_article(public=False, created_by=author), uuid4()
    workflow.submit(own, by=author, batch=batch)
    assert workflow.undo(batch, by=author).done.keys() == {own.pk}


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
