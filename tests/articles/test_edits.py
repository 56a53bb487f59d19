"""Changes of what a story says without its form: one or many, and undone together with verbs."""

import dataclasses
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import editing, records, workflow
from articles.documents import ProviderRef
from articles.models import Article, Conflict, Event
from providers.models import Provider
from providers.takedown import take_down_pictures
from tests.articles.pages import messages
from tests.factories import (
    add_picture,
    make_article,
    make_conflict,
    make_provider,
    make_source,
    make_topic,
    make_user,
)

pytestmark = pytest.mark.django_db


def retitled(title: str):
    return lambda document: dataclasses.replace(document, title=title)


def with_topics(*names: str):
    return lambda document: dataclasses.replace(document, topics=names)


def topics(article) -> list[str]:
    return [topic.name for topic in Article.objects.get(pk=article.pk).topics.all()]


# --- One ----------------------------------------------------------------------------------------


def test_edit_changes_counts_a_version_and_leaves_revisions_and_an_event(editor):
    article, batch = make_article(title="Old"), uuid4()
    edited = editing.edit(article.pk, retitled("New"), by=editor, seen=1, note="Sharper", batch=batch)
    assert (edited.article.title, edited.article.version, edited.names) == ("New", 2, ("title",))
    assert [(r.version, r.document["title"]) for r in article.revisions.all()] == [(2, "New"), (1, "Old")]
    event = article.events.get()
    assert (event.verb, event.actor, event.note, event.batch) == ("edit", editor, "Sharper", batch)
    assert event.data == {"fields": ["title"], "version": 2}


def test_edit_that_changes_nothing_leaves_nothing(editor):
    article = make_article(title="Same")
    edited = editing.edit(article.pk, retitled("Same"), by=editor, seen=1)
    assert (edited.names, edited.event, Article.objects.get().version) == ((), None, 1)
    assert not Event.objects.exists()


def test_edit_of_what_has_changed_since_is_refused_with_the_story_as_it_is(editor):
    article = make_article(title="Old")
    editing.edit(article.pk, retitled("Theirs"), by=editor, seen=1)
    with pytest.raises(editing.StaleError) as refused:
        editing.edit(article.pk, retitled("Mine"), by=editor, seen=1)
    assert refused.value.article.title == Article.objects.get().title == "Theirs"


@pytest.mark.parametrize(
    ("group", "is_own", "status", "may"),
    [
        ("Editors", False, "published", True),
        ("Contributors", True, "draft", True),
        ("Contributors", True, "published", False),
        ("Contributors", False, "draft", False),
        ("", True, "draft", False),
    ],
)
def test_who_may_edit(group, is_own, status, may):
    user = make_user(group)
    article = make_article(public=status == "published", title="Old", created_by=user if is_own else None)
    many = editing.edit_each({article.pk: retitled("Many")}, by=user)
    assert (many.done.keys() == {article.pk}) == may
    assert many.refused == ({} if may else {article.pk: editing.NOT_YOURS})
    if may:
        editing.edit(article.pk, retitled("One"), by=user, seen=None)
    else:
        with pytest.raises(PermissionDenied):
            editing.edit(article.pk, retitled("One"), by=user, seen=None)
    assert Article.objects.get().title == ("One" if may else "Old")


def test_edit_that_ends_a_conflict_forgets_it(editor):
    disputed, other = make_article(title="Ours"), make_article(title="Ours")
    for article in (disputed, other):
        make_conflict(article, "title", base="Both", theirs="Theirs")
    editing.edit_each({disputed.pk: retitled("Theirs"), other.pk: retitled("Third")}, by=editor)
    assert Conflict.objects.get().source.article == other


# --- Many ---------------------------------------------------------------------------------------


def test_each_of_many_is_judged_by_itself(editor):
    fine, same, stale = (make_article(title=title) for title in ("Old", "New", "Old"))
    batch = uuid4()
    changes = dict.fromkeys([fine.pk, same.pk, stale.pk, stale.pk + 1], retitled("New"))
    result = editing.edit_each(changes, by=editor, seen={fine.pk: 1, stale.pk: 7}, batch=batch)
    assert result.done.keys() == {fine.pk}
    assert result.refused == {same.pk: editing.UNCHANGED, stale.pk: workflow.CHANGED_SINCE}
    assert result.batch == batch


def test_many_take_no_more_queries_than_one_nor_does_their_undoing(editor):
    make_topic("Whales")
    editor.has_perm(workflow.MAY_PUBLISH)  # asked for once

    def queries(count: int) -> tuple[int, int]:
        articles, batch = [make_article() for _ in range(count)], uuid4()
        for article in articles:
            make_source(article)
        with CaptureQueriesContext(connection) as editing_them:
            editing.edit_each({a.pk: with_topics("Whales") for a in articles}, by=editor, batch=batch)
        with CaptureQueriesContext(connection) as undoing:
            editing.undo(batch, by=editor)
        return len(editing_them), len(undoing)

    assert queries(1) == queries(20)


def test_disputed_stories_take_no_more_queries_than_one(editor):
    editor.has_perm(workflow.MAY_PUBLISH)

    def queries(count: int) -> int:
        articles = [make_article(title="Ours") for _ in range(count)]
        for article in articles:
            make_conflict(article, "title", base="Both", theirs="Theirs")
            make_conflict(article, "excerpt", base="Both", theirs="Theirs")
        with CaptureQueriesContext(connection) as captured:
            editing.edit_each({article.pk: retitled("Theirs") for article in articles}, by=editor)
        assert {conflict.field for conflict in Conflict.objects.filter(source__article__in=articles)} == {"excerpt"}
        return len(captured)

    assert queries(1) == queries(5)


# --- Undoing ------------------------------------------------------------------------------------


def test_undo_puts_back_topics_in_their_order_and_can_be_undone(editor):
    article, batch = make_article(topics=[make_topic("Zebras"), make_topic("Apes")]), uuid4()
    editing.edit(article.pk, with_topics("Newts", "Apes"), by=editor, seen=1, batch=batch)
    undone = editing.undo(batch, by=editor)
    assert topics(article) == ["Zebras", "Apes"]
    event = undone.done[article.pk]
    assert (event.verb, event.actor, event.data["undoes"]) == ("undo", editor, str(batch))
    editing.undo(undone.batch, by=editor)
    assert topics(article) == ["Newts", "Apes"]


def edit_away(article, editor, **values):
    """Edit it, and how to undo that."""
    batch = uuid4()
    editing.edit(article.pk, lambda now: dataclasses.replace(now, **values), by=editor, seen=None, batch=batch)
    return batch


def test_undo_leaves_out_pictures_of_an_outlet_that_are_all_taken_down_since(editor, client):
    article = make_article(provider=make_provider(), title="Old")
    add_picture(article)
    batch = edit_away(article, editor, images=(), title="New")
    take_down_pictures(article.provider, by=make_user("Managers"), reason="They asked.")
    client.force_login(editor)
    told = messages(client.post(reverse("admin:desk_undo"), {"batch": batch}, follow=True))
    assert told == ["Undone: 1 story. 1 picture was left out: all pictures of its outlet are taken down."]
    article.refresh_from_db()
    assert (article.title, article.pictures.count()) == ("Old", 0)
    assert article.events.first().data["withheld"] == 1


def test_undo_finds_an_outlet_by_the_domain_that_it_has_now(editor):
    outlet, other = make_provider(domain="old.example"), make_provider()
    article = make_article(provider=outlet)
    batch = edit_away(article, editor, provider=ProviderRef(name=other.name, domain=other.domain))
    outlet.domain = "new.example"
    outlet.save()
    editing.undo(batch, by=editor)
    article.refresh_from_db()
    assert (article.provider, Provider.objects.count()) == (outlet, 2)


def test_undo_keeps_what_was_changed_since_and_says_so(editor):
    batch, first, second = uuid4(), make_article(title="Old"), make_article(title="Old")
    editing.edit_each(dict.fromkeys([first.pk, second.pk], retitled("New")), by=editor, batch=batch)
    editing.edit(first.pk, retitled("Newer"), by=editor, seen=2)
    result = editing.undo(batch, by=editor)
    assert result.refused == {first.pk: workflow.CHANGED_SINCE}
    titles = dict(Article.objects.values_list("pk", "title"))
    assert titles == {first.pk: "Newer", second.pk: "Old"}


def test_undo_twice_undoes_once(editor):
    article, batch = make_article(title="Old"), uuid4()
    editing.edit(article.pk, retitled("New"), by=editor, seen=1, batch=batch)
    editing.undo(batch, by=editor)
    again = editing.undo(batch, by=editor)
    assert (again.done, again.refused) == ({}, {article.pk: workflow.CHANGED_SINCE})
    assert Article.objects.get().version == 3


def test_edits_and_verbs_of_one_batch_are_undone_together_and_done_again(editor):
    both, moved, edited = (make_article(title="Old", public=False) for _ in range(3))
    batch = uuid4()
    editing.edit(both.pk, retitled("New"), by=editor, seen=1, batch=batch)
    workflow.publish(both, by=editor, batch=batch)
    workflow.reject(moved, by=editor, batch=batch)
    editing.edit(edited.pk, retitled("New"), by=editor, seen=1, batch=batch)

    def rows() -> list[tuple]:
        return [Article.objects.values_list("title", "status").get(pk=each.pk) for each in (both, moved, edited)]

    done = rows()
    undone = editing.undo(batch, by=editor)
    assert undone.refused == {}
    assert rows() == [("Old", "draft")] * 3
    editing.undo(undone.batch, by=editor)
    assert rows() == done == [("New", "published"), ("Old", "rejected"), ("New", "draft")]


def test_what_was_done_to_one_story_is_taken_back_one_after_the_other(editor):
    article = make_article(title="Old", public=False)
    batches = [uuid4() for _ in range(4)]
    editing.edit(article.pk, retitled("Newer"), by=editor, seen=1, batch=batches[0])
    workflow.publish(article, by=editor, batch=batches[1])
    editing.edit(article.pk, retitled("Newest"), by=editor, seen=None, batch=batches[2])
    workflow.unpublish(article, by=editor, batch=batches[3])
    seen = []
    for batch in reversed(batches):
        undone = editing.undo(batch, by=editor)
        assert undone.refused == {}
        seen.append(Article.objects.values_list("title", "status").get())
    assert seen == [("Newest", "published"), ("Newer", "published"), ("Newer", "draft"), ("Old", "draft")]
    for _ in range(3):  # and the last of it again and again
        undone = editing.undo(undone.batch, by=editor)
        assert undone.refused == {}
    assert Article.objects.get().title == "Newer"
    assert editing.undo(batches[0], by=editor).refused == {}
    assert Article.objects.get().title == "Old"


def test_what_came_before_something_that_stays_is_not_taken_back(editor):
    article, (first, second, third) = make_article(title="Old", public=False), (uuid4() for _ in range(3))
    editing.edit(article.pk, retitled("Newer"), by=editor, seen=1, batch=first)
    workflow.publish(article, by=editor, batch=second)
    editing.edit(article.pk, retitled("Newest"), by=editor, seen=None, batch=third)
    editing.undo(third, by=editor)
    assert editing.undo(first, by=editor).refused == {article.pk: workflow.CHANGED_SINCE}  # it is public since
    assert Article.objects.values_list("title", "status").get() == ("Newer", "published")


def test_verb_goes_back_where_the_edits_beside_it_cancel_each_other(editor):
    moved, edited = (make_article(title="Old", public=False) for _ in range(2))
    batch = uuid4()
    for article in (moved, edited):
        editing.edit(article.pk, retitled("New"), by=editor, seen=1, batch=batch)
        editing.edit(article.pk, retitled("Old"), by=editor, seen=2, batch=batch)
    workflow.publish(moved, by=editor, batch=batch)
    undone = editing.undo(batch, by=editor)
    assert (undone.done.keys(), undone.refused) == ({moved.pk}, {edited.pk: editing.UNCHANGED})
    moved.refresh_from_db()
    assert (moved.title, moved.status) == ("Old", "draft")


def test_topic_that_another_editor_adds_meanwhile_is_one_topic(editor, monkeypatch):
    article, whales = make_article(), make_topic("Whales")
    answers = [lambda keys: {}, records.topic_keys]  # at first the other's is not to be seen yet
    monkeypatch.setattr(records, "topic_keys", lambda keys: answers.pop(0)(keys))
    editing.edit(article.pk, with_topics("Whales", "Seals"), by=editor, seen=None)
    assert [topic.name for topic in article.topics.all()] == ["Whales", "Seals"]
    assert article.topics.first() == whales


def test_story_of_which_part_has_changed_since_is_left_alone_whole(editor):
    article, batch = make_article(title="Old", public=False), uuid4()
    workflow.publish(article, by=editor, batch=batch)
    editing.edit(article.pk, retitled("New"), by=editor, seen=2, batch=batch)
    workflow.unpublish(article, by=editor)
    assert editing.undo(batch, by=editor).refused == {article.pk: workflow.CHANGED_SINCE}
    assert Article.objects.values_list("title", "status").get() == ("New", "unpublished")


def test_authors_undo_their_own_edits_and_nobody_elses():
    author, batch, other = make_user("Contributors"), uuid4(), uuid4()
    article = make_article(title="Old", public=False, created_by=author)
    editing.edit(article.pk, retitled("Mine"), by=author, seen=1, batch=batch)
    assert editing.undo(batch, by=author).done
    editing.edit(article.pk, retitled("Theirs"), by=make_user("Editors"), seen=None, batch=other)
    with pytest.raises(PermissionDenied):
        editing.undo(other, by=author)
    assert Article.objects.get().title == "Theirs"


def test_who_has_lost_the_right_to_write_undoes_nothing():
    author, batch = make_user("Contributors"), uuid4()
    workflow.submit(make_article(public=False, created_by=author), by=author, batch=batch)
    author.groups.clear()
    author = type(author).objects.get(pk=author.pk)
    with pytest.raises(PermissionDenied):
        editing.undo(batch, by=author)


def test_author_takes_back_a_submission_and_submits_again():
    author, batch = make_user("Contributors"), uuid4()
    article = make_article(public=False, created_by=author)
    workflow.submit(article, by=author, batch=batch)
    undone = editing.undo(batch, by=author)
    assert Article.objects.get().status == "draft"
    editing.undo(undone.batch, by=author)
    assert Article.objects.get().status == "in_review"


def test_story_that_is_gone_is_no_obstacle(editor):
    gone, stays, batch = make_article(title="Old"), make_article(title="Old"), uuid4()
    editing.edit_each(dict.fromkeys([gone.pk, stays.pk], retitled("New")), by=editor, batch=batch)
    gone.delete()
    assert editing.undo(batch, by=editor).done.keys() == {stays.pk}
