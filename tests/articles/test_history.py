"""A story's history: the timeline, two versions side by side, and an old one brought back."""

import re
import time
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from articles import editing, restoring, revisions, workflow
from articles.admin.sides import compared
from articles.documents import write
from articles.importing import Options, import_paths
from articles.models import Article, Event, ImportRun, Revision, SourceFile, Topic
from articles.retopic import merge_topics
from images.models import RemoteImage
from images.takedown import take_down
from providers.models import Provider
from providers.takedown import take_down_pictures
from tests.articles.pages import filled, messages
from tests.factories import (
    NOON,
    add_picture,
    make_article,
    make_image,
    make_provider,
    make_related,
    make_topic,
    make_user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("logged_in")]


def address(page: str, article: Article) -> str:
    return reverse(f"admin:articles_article_{page}", args=[article.pk])


def text(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def timeline(client, article, **query) -> list[str]:
    """The entries of the page, newest first, as text."""
    response = client.get(address("history", article), query)
    assert response.status_code == 200
    return [text(entry) for entry in re.findall(r'<li class="moment.*?</li>', response.content.decode(), re.DOTALL)]


def say(article: Article, by, **changes) -> int:
    """An edit by way of the document; returns the version that came of it."""
    edited = editing.edit(article.pk, lambda document: replace(document, **changes), by=by, seen=None)
    return edited.article.version


STORY = """---
title: {title}
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: https://harbour.example/tram
heat: {heat}
published: {published}
secured: "c2VhbGVk{heat};aXY="
provider: {{name: Harbour Post, domain: harbour.example}}
---
"""


@pytest.fixture
def imported(tmp_path):
    """Imports the one story, as it says; returns it."""

    def imported(title="The tram opens", heat=5, published="false") -> Article:
        file = tmp_path / "_news" / "2026-03-02-tram.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(STORY.format(title=title, heat=heat, published=published))
        report = import_paths([tmp_path], Options())
        assert not report.failed
        return Article.objects.get()

    return imported


# --- The timeline -------------------------------------------------------------------------------


def test_import_is_the_beginning_and_leads_to_its_run_and_its_file(client, imported):
    article = imported()
    [beginning] = timeline(client, article)
    assert "Import Created" in beginning
    html = client.get(address("history", article)).content.decode()
    run = reverse("admin:articles_importrun_change", args=[ImportRun.objects.get().pk])
    file = reverse("admin:articles_sourcefile_change", args=[SourceFile.objects.get().pk])
    assert f'href="{run}"' in html
    assert f'<a href="{file}">Source file _news/2026-03-02-tram.md</a>' in html
    assert not Revision.objects.exists()


def test_timeline_tells_everything_newest_first(client, imported, editor):
    article = imported()
    workflow.publish(article, by=editor)
    say(article, editor, title="Edited", excerpt="At last.")
    imported(title="Their new title")
    entries = timeline(client, article)
    assert [re.sub(r"^.*?\d\d:\d\d ", "", entry).split(" Version")[0] for entry in entries] == [
        "Import Conflict with the source: title The import Source file _news/2026-03-02-tram.md",
        "ana Edited: title, excerpt",
        "ana Published Draft → Published",
        "Import Created The import Source file _news/2026-03-02-tram.md",
    ]


def test_version_and_the_event_that_came_with_it_are_one_entry(client, imported, editor):
    article = imported()
    imported(title="Their second title")
    workflow.publish(article, by=editor)
    client.post(address("change", article), filled(client.get(address("change", article))) | {"title": "Mine"})
    assert Event.objects.count() == 3
    assert Revision.objects.count() == 4
    assert [re.search(r"Version (\d+)", entry).group(1) for entry in timeline(client, article)] == ["4", "3", "2", "1"]


def test_settling_is_told_with_the_version_that_came_of_it(client, imported, editor):
    article = imported()
    say(article, editor, title="Ours")
    imported(title="Their new title")
    source = reverse("admin:articles_sourcefile_change", args=[article.source_file.pk])
    client.post(source, filled(client.get(source), "settle") | {"take": "title"})
    settled, conflict, *_ = timeline(client, article)
    assert "Settled with the source: title (theirs taken)" in settled
    assert "Version 3, as it is now" in settled
    assert "Conflict with the source: title" in conflict
    assert "Version" not in conflict


def test_heat_and_seal_of_an_import_are_no_entry(client, imported):
    article = imported(heat=5)
    before = timeline(client, article)
    imported(heat=9)
    article.refresh_from_db()
    assert (article.heat, "c2VhbGVk9" in article.secured) == (9, True)
    assert timeline(client, article) == before
    assert not Revision.objects.exists()
    assert not Event.objects.exists()


def test_written_here_begins_with_its_author(client, editor):
    data = filled(client.get(reverse("admin:articles_article_add")))
    client.post(reverse("admin:articles_article_add"), data | {"title": "Written here", "verb-note": "From the wire"})
    [entry] = timeline(client, Article.objects.get())
    assert "ana Created: " in entry
    assert "“From the wire”" in entry
    assert "Version 1" in entry


def test_version_that_no_event_tells_of_is_told_by_what_changed(client, editor):
    article = make_article(title="Before")
    revisions.record(article, by=None)
    Article.objects.filter(pk=article.pk).update(title="After", version=2, modified_at=timezone.now())
    revisions.record(article, by=editor, note="By a script")
    newest, oldest = timeline(client, article)
    assert "ana Kept: title “By a script” Version 2" in newest
    assert "Version 1" in oldest


def test_event_of_a_batch_leads_to_all_that_was_done_with_it(client, editor):
    article, batch = make_article(public=False), uuid4()
    workflow.publish(article, by=editor, batch=batch)
    link = reverse("admin:desk_batch", args=[batch])
    assert f'<a href="{link}">All that was done with it</a>' in client.get(address("history", article)).content.decode()
    assert client.get(link).status_code == 200


def test_history_has_pages(client, editor):
    article = make_article()
    Event.objects.bulk_create(
        Event(article=article, verb="edit", actor=editor, note=f"Note {number}", at=NOON + timedelta(minutes=number))
        for number in range(120)
    )
    first, last = timeline(client, article), timeline(client, article, p=3)
    assert (len(first), len(last)) == (50, 21)
    assert "“Note 119”" in first[0]
    assert "“Note 0”" in last[-2]
    assert len(timeline(client, article, p="x")) == 50


def many_versions(article: Article, number: int, by) -> None:
    for version in range(article.version + 1, article.version + number + 1):
        say(article, by, title=f"Title {version}", quality=version)


@pytest.mark.parametrize(
    ("page", "query", "queries"), [("history", {}, 11), ("compare", {"from": 2, "to": "live"}, 12)]
)
def test_query_count_does_not_grow_with_the_versions(
    client, imported, editor, django_assert_num_queries, page, query, queries
):
    article = imported()
    many_versions(article, 5, editor)
    client.get(address(page, article), query)
    with django_assert_num_queries(queries):
        client.get(address(page, article), query)
    Revision.objects.bulk_create(
        Revision(article=article, version=number, document=article.revisions.last().document, author=editor)
        for number in range(7, 207)
    )
    Event.objects.bulk_create(
        Event(
            article=article,
            actor=None if number % 9 else editor,
            verb="edit",
            data={"fields": ["title"], "version": number},
        )
        for number in range(7, 207)
    )
    Article.objects.filter(pk=article.pk).update(version=206)
    with django_assert_num_queries(queries):
        client.get(address(page, article), query)


def test_hostile_text_in_history_and_comparison_is_text(client, editor):
    article = make_article(title="<script>alert(1)</script>", public=False)
    say(article, editor, title="<script>alert(2)</script>")
    editing.edit(
        article.pk, lambda now: replace(now, excerpt="<b>"), by=editor, seen=None, note="<script>alert(3)</script>"
    )
    for page in ("history", "compare"):
        html = client.get(address(page, article), {"from": 1}).content.decode()
        assert "<script>alert" not in html
        assert "<b>" not in html


def test_stock_history_of_other_records_stays(client):
    provider = make_provider()
    response = client.get(reverse("admin:providers_provider_history", args=[provider.pk]))
    assert "This object doesn’t have a change history" in response.content.decode()


# --- The note -----------------------------------------------------------------------------------


def save(client, article, **changes):
    page = client.get(address("change", article))
    return client.post(address("change", article), filled(page) | changes, follow=True)


def test_note_goes_with_a_plain_save(client, editor):
    article = make_article(title="Before")
    save(client, article, title="After", **{"verb-note": "The old one was wrong"})
    assert article.events.get().note == "The old one was wrong"
    assert [revision.note for revision in article.revisions.all()] == ["The old one was wrong", "As it was before"]


def test_note_goes_with_the_button_that_was_pressed(client, editor):
    article = make_article(title="Before", public=False)
    save(client, article, title="After", _verb="publish", **{"verb-note": "Breaking"})
    assert [(event.verb, event.note) for event in article.events.all()] == [("publish", "Breaking"), ("edit", "")]


def test_note_is_offered_to_whom_no_verb_is(client):
    contributor = make_user("Contributors")
    article = make_article(public=False, created_by=contributor, status="in_review")
    client.force_login(contributor)
    page = client.get(address("change", article))
    assert not page.context["verbs"]
    assert 'name="verb-note"' in page.content.decode()
    save(client, article, title="After", **{"verb-note": "Typo"})
    assert article.events.get().note == "Typo"


@pytest.mark.parametrize("note", ["x" * 501, "a\0b"])
def test_note_that_cannot_be_is_told_by_its_name_and_nothing_is_lost(client, note):
    article = make_article(title="Before")
    response = save(client, article, title="After", **{"verb-note": note})
    assert response.status_code == 200
    html = response.content.decode()
    assert "Note: " in html
    assert 'value="After"' in html
    assert note[:400].replace("\0", "") in html.replace("\0", "").replace("\ufffd", "")
    article.refresh_from_db()
    assert article.title == "Before"


# --- Comparing ----------------------------------------------------------------------------------


def compare(client, article, **query) -> str:
    response = client.get(address("compare", article), query)
    assert response.status_code == 200
    return response.content.decode()


def marked(html: str, tag: str) -> list[str]:
    form = html.partition('id="restore"')[2]
    return re.findall(rf"<{tag}>(.*?)</{tag}>", form)


def test_last_two_versions_are_compared_word_by_word(client, editor):
    article = make_article(title="The old tram opens", excerpt="Same", quality=5)
    say(article, editor, title="The tram opens late")
    html = compare(client, article)
    assert (marked(html, "del"), marked(html, "ins")) == (["old"], ["late"])
    assert "Version 1" in html
    assert "Version 2, as it is now" in html
    assert "Excerpt" not in text(html)


def test_any_two_versions_are_compared_the_older_first(client, editor):
    article = make_article(title="One", quality=1)
    say(article, editor, title="Two")
    say(article, editor, quality=9)
    say(article, editor, title="Four")
    assert "Quality" not in text(compare(client, article, **{"from": 1, "to": 2}))
    html = compare(client, article, **{"from": 3, "to": 1})
    assert (marked(html, "del"), marked(html, "ins")) == (["One", "1"], ["Two", "9"])
    assert marked(compare(client, article, **{"from": 2, "to": "live"}), "ins") == ["Four", "9"]
    assert "These two say the same" in compare(client, article, **{"from": 2, "to": 2})


def test_timeline_chooses_the_two_that_are_compared(client, editor):
    article = make_article(title="One")
    say(article, editor, title="Two")
    say(article, editor, title="Three")
    html = client.get(address("history", article)).content.decode()
    assert re.findall(r'name="(from|to)" value="(\d)" form="compare" checked', html) == [("to", "3"), ("from", "2")]
    assert f'href="{address("compare", article)}?from=2&amp;to=3"' in html  # with the one before
    assert f'href="{address("compare", article)}?from=1&amp;to=live"' in html


def test_sealed_text_is_never_compared(client, imported, editor):
    article = imported()
    say(article, editor, title="Edited")
    imported(heat=9)
    html = compare(client, article, **{"from": 1, "to": "live"})
    assert "c2VhbGVk" not in html
    assert "secured" not in html


@pytest.mark.parametrize("query", [{"from": 9}, {"to": 9}, {"from": 0}, {"from": "x"}, {"to": "%00"}, {"to": "9" * 30}])
def test_version_that_the_story_never_had_is_404(client, editor, query):
    article, other = make_article(), make_article()
    many_versions(other, 10, editor)
    assert client.get(address("compare", article), query).status_code == 404


@pytest.mark.parametrize("key", ["999999", "9" * 30])
@pytest.mark.parametrize("page", ["history", "compare"])
def test_story_that_is_not_there_is_404(client, key, page):
    assert client.get(f"/admin/articles/article/{key}/{page}/").status_code == 404


def test_version_that_cannot_be_read_any_more_is_told(client, editor):
    article = make_article(title="Before")
    say(article, editor, title="After")
    article.revisions.filter(version=1).update(document={"title": []})
    assert client.get(address("history", article)).status_code == 200
    response = client.get(address("compare", article), follow=True)
    assert messages(response)[0].startswith("What was kept of version 1 cannot be read any more: ")
    response = restore(client, article, 1, "title")
    assert "cannot be read any more" in messages(response)[0]


def test_related_stories_and_pictures_are_compared_item_by_item(client, editor):
    article = make_article()
    make_related(article, title="Theirs is long", web_url="https://a.example/")
    make_related(article, title="Other", web_url="https://b.example/")
    add_picture(article, make_image(source_url="https://p.example/1.png"), attribution="Ada")
    add_picture(article, make_image(source_url="https://p.example/2.png"))
    document = revisions_document(article)
    first, second = document.related
    say(article, editor, related=(replace(first, title="Theirs is short"), second), images=document.images[1:])
    html = compare(client, article)
    assert marked(html, "ins") == ["short"]
    assert marked(html, "del") == ["url: https://p.example/1.png", "attribution: Ada", "long"]
    assert html.count("the same on both sides") == 2  # the other related story; a picture of one line needs no folding


def revisions_document(article: Article):
    from articles.records import article_document, with_parts

    return article_document(with_parts(Article.objects.filter(pk=article.pk)).get())


def sides(name: str, before, after) -> tuple[list[str], list[str]]:
    """The marked words of both."""
    shown = compared(name, before, after)
    return tuple(
        [piece.text for item in items for line in item.lines for piece in line if piece.is_changed]
        for items in (shown.before, shown.after)
    )


@pytest.mark.parametrize(
    ("name", "before", "after", "gone", "new"),
    [
        ("title", "The old tram opens", "The tram opens late", ["old"], ["late"]),
        ("title", "A: x", "B: x", ["A:"], ["B:"]),
        ("title", None, "New", [], ["New"]),
        ("body", "Old", None, ["Old"], []),
        ("quality", 50, 70, ["50"], ["70"]),
        ("topics", ["AI", "Sea"], ["Sea", "Sky"], ["AI"], ["Sky"]),
        ("extra", {"a": 1, "b": {"c": [2]}}, {"a": 1, "b": {"c": [3]}}, ["2"], ["3"]),
        ("extra", {"a": 1}, {"b": 1}, ["a: 1"], ["b: 1"]),
        ("extra", {"a": "b: 1", "a: b": 1}, {"a": "b: 1"}, ["a: b: 1", "a: b: 1"], ["a: b: 1"]),
        ("provider", {"name": "A", "domain": "a.x"}, {"name": "B", "domain": "a.x"}, ["A"], ["B"]),
        ("images", [{"url": "/a", "width": 1}], [{"url": "/b"}], ["url: /a", "width: 1"], ["url: /b"]),
        ("images", [{"url": "/a", "width": 1}, {"url": "/a"}], [{"url": "/a", "width": 1}], ["url: /a"], []),
        ("related", [{"title": "A b", "webUrl": "/a"}], [{"title": "A c", "webUrl": "/a"}], ["b"], ["c"]),
    ],
)
def test_what_one_side_has_and_the_other_has_not_is_marked_on_it(name, before, after, gone, new):
    assert sides(name, before, after) == (gone, new)


def test_both_sides_say_all_that_the_field_says():
    before, after = {"title": "A  b", "x": {"y": "Z\n w"}}, {"title": "A c\tb", "x": {"y": "Z"}}
    shown = compared("extra", before, after)
    lines = [
        ["".join(piece.text for piece in line) for item in side for line in item.lines]
        for side in (shown.before, shown.after)
    ]
    assert lines == [["title: A  b", "x.y: Z\n w"], ["title: A c\tb", "x.y: Z"]]


def test_another_order_is_told():
    assert compared("topics", ["A", "B", "C"], ["B", "A", "D"]).is_moved
    assert not compared("topics", ["A", "B", "C"], ["A", "C", "D"]).is_moved


def test_long_and_repetitive_texts_are_compared_in_time():
    stories = [[{"webUrl": f"/{n}", "excerpt": text} for n in range(2000)] for text in ("a " * 140, "a b " * 140)]
    texts = [("a " * 1499, "a b " * 750), ("x\n" * 20_000, "x\ny\n" * 20_000), ("a" * 10**6, "b" * 10**6)]
    began = time.process_time()
    for name, *pair in [("related", *stories), *(("body", *text) for text in texts)]:
        assert sides(name, *pair)[1]
    assert (
        time.process_time() - began < 10
    )  # two or three; without a bound, more than a minute for the first text alone


# --- Restoring ----------------------------------------------------------------------------------


def restore(client, article, revision, fields, **changes):
    data = {"revision": revision, "fields": fields, "version": Article.objects.get(pk=article.pk).version}
    return client.post(address("restore", article), data | changes, follow=True)


def test_field_is_restored_into_a_new_version(client, editor):
    article = make_article(title="Before", excerpt="Before", quality=1)
    say(article, editor, title="After", excerpt="After")
    response = restore(client, article, 1, "title")
    assert messages(response) == [
        'Restored from version 1: title. Readers see it now. <a href="#undo">Undo</a>',
    ]
    article.refresh_from_db()
    assert (article.title, article.excerpt, article.version) == ("Before", "After", 3)
    event, revision = article.events.first(), article.revisions.first()
    assert (event.verb, event.actor, event.note) == ("restore_revision", editor, "Restored from version 1")
    assert (revision.version, revision.author, revision.note) == (3, editor, "Restored from version 1")
    assert "ana Restored from an older version: title “Restored from version 1”" in timeline(client, article)[0]


def test_whole_is_restored_and_nothing_else_is_touched(client, editor):
    old, new = make_topic("Old"), make_topic("New")
    article = make_article(title="Before", topics=[old], secured="c2VhbGVk;aXY=", heat=3, extra={"mood": "calm"})
    make_related(article, title="Related")
    add_picture(article, alt="A picture")
    before = revisions_document(article)
    empty = {"images": (), "related": (), "extra": {}, "provider": None, "quality": 7}
    say(article, editor, title="After", topics=("New",), **empty)
    Article.objects.filter(pk=article.pk).update(heat=8)
    workflow.unpublish(Article.objects.get(pk=article.pk), by=editor)
    restore(client, article, 1, "*")
    article = Article.objects.get(pk=article.pk)
    assert revisions_document(article) == replace(before, heat=8, published=False)
    assert (article.status, article.secured, list(article.topics.all())) == ("unpublished", "c2VhbGVk;aXY=", [old])
    assert new.article_items.count() == 0


def test_heat_comes_back_only_by_its_name(client, editor):
    article = make_article(title="Before", heat=3)
    say(article, editor, title="After", heat=8)
    restore(client, article, 1, "heat")
    article.refresh_from_db()
    assert (article.title, article.heat, article.version) == ("After", 3, 3)
    undo(client, article)
    article.refresh_from_db()
    assert (article.heat, article.version) == (8, 4)


def undo(client, article):
    page = client.get(address("history", article))
    return client.post(reverse("admin:desk_undo"), filled(page, "undo"), follow=True)


def test_restoring_is_undone_from_the_history(client, editor):
    article = make_article(title="Before", topics=[make_topic("Old")])
    say(article, editor, title="After", topics=("New",))
    restore(client, article, 1, "*")
    response = undo(client, article)
    assert messages(response) == ["Undone: 1 story."]
    assert response.redirect_chain[-1][0] == address("history", article)
    article.refresh_from_db()
    assert (article.title, [topic.name for topic in article.topics.all()], article.version) == ("After", ["New"], 4)
    assert 'id="undo"' not in response.content.decode()


def test_restoring_that_something_has_followed_is_not_offered_for_undo(client, editor):
    article = make_article(title="Before")
    say(article, editor, title="After")
    restore(client, article, 1, "title")
    say(article, editor, title="Later")
    assert 'id="undo"' not in client.get(address("history", article)).content.decode()


def test_what_it_says_already_is_not_restored(client, editor):
    article = make_article(title="Same", excerpt="Before")
    say(article, editor, excerpt="After")
    assert messages(restore(client, article, 1, "title")) == ["It says that already. Nothing was changed."]
    article.refresh_from_db()
    assert article.version == 2


def test_stale_restoring_is_refused_and_told_what_changed_since(client, editor):
    article = make_article(title="Before", excerpt="Before")
    say(article, editor, title="After")
    bo = make_user("Editors", username="bo")
    say(article, bo, excerpt="Theirs")
    response = restore(client, article, 1, "*", version=2)
    [told] = messages(response)
    assert told.startswith("bo changed this story on ")
    assert told.endswith("after you opened this page: excerpt. Nothing was restored; this is how it is now.")
    article.refresh_from_db()
    assert (article.title, article.excerpt, article.version) == ("After", "Theirs", 3)
    assert response.redirect_chain[-1][0] == f"{address('compare', article)}?from=1&to=live"


def test_story_deleted_before_it_is_restored_is_404(client, editor, monkeypatch):
    article = make_article(title="Old")
    editing.edit(article.pk, lambda document: replace(document, title="New"), by=editor, seen=None)
    real = restoring.restore

    def deleted(*arguments, **more):
        Article.objects.all().delete()
        return real(*arguments, **more)

    monkeypatch.setattr(restoring, "restore", deleted)
    assert restore(client, article, 1, "title", version=2).status_code == 404


def test_buttons_restore_what_the_comparison_with_the_story_shows(client, editor):
    article = make_article(title="Before")
    say(article, editor, title="After", heat=4)
    say(article, editor, excerpt="Later")
    assert 'name="fields"' not in compare(client, article, **{"from": 1, "to": 2})
    html = compare(client, article, **{"from": 1, "to": "live"})
    buttons = [text(each) for each in re.findall(r"<button[^>]*name=\"fields\".*?</button>", html)]
    assert buttons == [f"Restore {what} of version 1, public at once" for what in ("title", "excerpt", "heat", "all")]
    data = filled(client.get(address("compare", article), {"from": 1, "to": "live"}), "restore")
    client.post(address("restore", article), data | {"fields": "title"})
    article.refresh_from_db()
    assert (article.title, article.excerpt) == ("Before", "Later")


def test_button_of_a_draft_says_nothing_of_the_public(client, editor):
    article = make_article(title="Before", public=False)
    say(article, editor, title="After")
    html = compare(client, article)
    assert "Restore title of version 1<" in html
    assert "public at once" not in html


def test_state_has_no_button(client, editor):
    article = make_article(public=False)
    workflow.publish(article, by=editor)
    say(article, editor, title="After")
    workflow.unpublish(article, by=editor)
    html = compare(client, article, **{"from": 3, "to": "live"})
    assert "Public" in text(html)
    assert 'value="published"' not in html


@pytest.mark.parametrize(
    "data",
    [
        {"fields": "published"},
        {"fields": "secured"},
        {"fields": "nonsense"},
        {"fields": ""},
        {"revision": "9"},
        {"revision": "x"},
        {"revision": "9" * 30},
        {"revision": "%00"},
        {"version": ""},
        {"version": "9" * 30},
    ],
)
def test_what_nobody_can_restore_is_404_and_changes_nothing(client, editor, data):
    article = make_article(title="Before")
    say(article, editor, title="After")
    before = Article.objects.filter(pk=article.pk).values().get()
    sent = {"revision": "1", "fields": "title", "version": "2"} | data
    assert client.post(address("restore", article), sent).status_code == 404
    assert Article.objects.filter(pk=article.pk).values().get() == before


def test_restoring_is_not_for_get(client):
    assert client.get(address("restore", make_article())).status_code == 405


def test_restoring_without_a_token_is_refused(editor):
    article = make_article(title="Before")
    say(article, editor, title="After")
    client = Client(enforce_csrf_checks=True)
    client.force_login(editor)
    assert client.post(address("restore", article), {"revision": 1, "fields": "*", "version": 2}).status_code == 403


# --- What has gone or moved since ---------------------------------------------------------------


def test_picture_that_was_taken_down_stays_down(client, editor, django_capture_on_commit_callbacks):
    article = make_article()
    image = add_picture(article, alt="Harbour at night").image
    say(article, editor, images=())
    with django_capture_on_commit_callbacks(execute=True):
        take_down(RemoteImage.objects.filter(pk=image.pk), by=None, reason="Asked for")
        restore(client, article, 1, "images")
    image.refresh_from_db()
    assert (image.state, image.next_attempt_at, image.has_picture) == ("taken_down", None, False)
    assert [use.image for use in article.pictures.all()] == [image]
    page = Client().get(article.get_absolute_url()).content.decode()
    assert image.content_hash not in page
    assert image.source_url not in page


def test_pictures_of_an_outlet_that_are_all_taken_down_do_not_come_back(client, editor):
    """They were in no story when the takedown came, so each of them is still there."""
    manager = make_user(is_superuser=True)
    article = make_article()
    image = add_picture(article).image
    upload = add_picture(article, make_image(source_url="/assets/uploads/x.png")).image
    RemoteImage.objects.filter(pk=upload.pk).update(by_hand=True)
    say(article, editor, images=())
    take_down_pictures(article.provider, by=manager, reason="Asked for")
    response = restore(client, article, 1, "images")
    assert messages(response)[0] == "1 picture was left out: all pictures of its outlet are taken down."
    assert [use.image for use in article.pictures.all()] == [upload]
    assert image.source_url not in Client().get(article.get_absolute_url()).content.decode()


def test_topic_that_is_gone_or_renamed_is_made_again_by_its_name(client, editor):
    gone, renamed, kept = make_topic("Gone"), make_topic("Renamed"), make_topic("Kept")
    article = make_article(topics=[gone, renamed, kept])
    say(article, editor, topics=())
    gone.delete()
    renamed.name = "Other name"
    renamed.save()
    restore(client, article, 1, "topics")
    assert [topic.name for topic in article.topics.all()] == ["Gone", "Renamed", "Kept"]
    assert kept in article.topics.all()
    assert Topic.objects.filter(name="Other name").exists()


def test_contributor_makes_no_topic_by_restoring(client):
    author = make_user("Contributors")
    client.force_login(author)
    gone, kept = make_topic("Gone"), make_topic("Kept")
    article = make_article(public=False, created_by=author, topics=[gone, kept])
    say(article, author, topics=())
    gone.delete()
    restore(client, article, 1, "topics")
    assert list(article.topics.all()) == [kept]
    assert article.events.first().note == "Restored from version 1, without “Gone”"
    response = restore(client, article, 1, "topics")
    told = "You may not make topics, and there is none any more that is called “Gone”. Nothing was changed."
    assert messages(response) == [told]
    assert not Topic.objects.filter(name="Gone").exists()


def test_topic_that_was_merged_comes_back_as_the_one_it_is_now(client, editor):
    old, into = make_topic("Old"), make_topic("Into")
    article = make_article(topics=[old])
    say(article, editor, title="Later", topics=())
    say(article, editor, topics=("Old",))
    merge_topics([old], into, by=make_user("Managers"))
    assert "Topic merged" in timeline(client, article)[0]
    restore(client, article, 1, "*")
    assert [topic.name for topic in Article.objects.get(pk=article.pk).topics.all()] == ["Into"]
    assert not Topic.objects.filter(name="Old").exists()


def test_provider_that_is_gone_is_made_again_by_its_domain(client, editor):
    article = make_article(provider=make_provider(domain="gone.example", name="Gone Post"))
    say(article, editor, provider=None)
    Provider.objects.filter(domain="gone.example").delete()
    restore(client, article, 1, "provider")
    article.refresh_from_db()
    assert (article.provider.domain, article.provider.name) == ("gone.example", "Gone Post")


def test_provider_that_has_another_domain_since_is_found_under_that(client, editor):
    provider = make_provider(domain="before.example", name="The Post")
    article = make_article(provider=provider)
    make_related(article, provider=provider)
    say(article, editor, provider=None, related=())
    provider.domain = "after.example"
    provider.save()
    restore(client, article, 1, "*")
    article.refresh_from_db()
    assert article.provider == article.related_stories.get().provider == provider
    assert not Provider.objects.filter(domain="before.example").exists()


# --- Who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "whose", "public", "may"),
    [
        ("Editors", "other's", True, True),
        ("Managers", "other's", True, True),
        ("Contributors", "own", False, True),
        ("Contributors", "own", True, False),
        ("Contributors", "other's", False, False),
        ("", "own", False, False),
        ("anonymous", "other's", False, False),
    ],
)
def test_who_may_restore(role, whose, public, may, editor):
    client, user = Client(), None
    if role != "anonymous":
        user = make_user(role)
        client.force_login(user)
    article = make_article(title="Before", public=public, created_by=user if whose == "own" else editor)
    say(article, editor, title="After")
    response = client.post(address("restore", article), {"revision": 1, "fields": "title", "version": 2})
    article.refresh_from_db()
    assert (article.title == "Before") == may
    assert response.status_code == (302 if may or role == "anonymous" else 403)
    assert article.events.count() == (2 if may else 1)


def test_who_may_not_restore_sees_no_button(client, editor):
    article = make_article(title="Before")
    say(article, editor, title="After")
    client.force_login(make_user("Contributors"))
    assert "After" in compare(client, article)
    assert 'name="fields"' not in compare(client, article)
    assert "Restore" not in client.get(address("history", article)).content.decode()


@pytest.mark.parametrize("page", ["history", "compare"])
def test_staff_without_rights_see_nothing(client, page):
    article = make_article()
    client.force_login(make_user())
    assert client.get(address(page, article)).status_code == 403


def test_who_may_see_no_files_and_no_runs_is_not_led_to_them(client, imported):
    from django.contrib.auth.models import Permission

    article, user = imported(), make_user()
    user.user_permissions.add(Permission.objects.get(codename="view_article"))
    client.force_login(user)
    html = client.get(address("history", article)).content.decode()
    assert "Created" in html
    assert "sourcefile" not in html
    assert "importrun" not in html


# --- Versions that were never kept --------------------------------------------------------------


def test_first_version_of_an_import_is_known_after_it_was_published_and_edited(imported, editor, client):
    article = imported(title="As it came")
    workflow.publish(article, by=editor)
    save(client, article, title="Edited")
    assert revisions.as_of(article.pk, 1).title == "As it came"
    assert revisions.as_of(article.pk, 2).title == "As it came"
    assert revisions.as_of(article.pk, 3).title == "Edited"
    assert list(article.revisions.order_by("version").values_list("version", flat=True)) == [2, 3]


def edit_in_form(client, article, editor, imported):
    save(client, article, title="New")


def edit_picture_in_form(client, article, editor, imported):
    save(client, article, **{"related_stories-TOTAL_FORMS": "1", "related_stories-0-title": "New",
                             "related_stories-0-web_url": "https://n.example/"})  # fmt: skip


def edit_without_form(client, article, editor, imported):
    say(article, editor, title="New")


def edit_heat_alone(client, article, editor, imported):
    say(article, editor, heat=77)


def edit_last(client, article, editor, imported):
    save(client, article, title="Last", heat="3")


def import_again(client, article, editor, imported):
    imported(title="New")


def move_by_verb(client, article, editor, imported):
    workflow.publish(article, by=editor)


def follow_the_source(client, article, editor, imported):
    imported(title="New", published="true")


WRITERS = [
    *(edit_in_form, edit_picture_in_form, edit_without_form, edit_heat_alone),
    *(import_again, move_by_verb, follow_the_source),
]


@pytest.mark.parametrize("change", WRITERS)
def test_every_writer_leaves_each_version_as_it_was(client, imported, editor, change):
    article = imported()
    stood = {}
    for step in (change, edit_last):
        version = article.version
        stood[version] = revisions_document(article)
        step(client, article, editor, imported)
        article.refresh_from_db()
        assert article.version > version
    stood[article.version] = revisions_document(article)
    for version, document in stood.items():
        known = revisions.as_of(article.pk, version)
        state = document.published if article.revisions.filter(version=version).exists() else known.published
        assert known == replace(document, secured="", published=state)


def test_taken_from_the_source_leaves_the_version_before(client, imported, editor):
    article = imported()
    say(article, editor, title="Ours")
    imported(title="Theirs")
    source = reverse("admin:articles_sourcefile_change", args=[article.source_file.pk])
    client.post(source, filled(client.get(source), "settle") | {"take": "title"})
    titles = [revisions.as_of(article.pk, version).title for version in (1, 2, 3)]
    assert titles == ["The tram opens", "Ours", "Theirs"]


def test_provider_that_is_renamed_makes_no_version_of_its_stories(client, imported, editor):
    """Its name is its own: a version that was kept before has the old one, one that is kept later the new one."""
    article = make_article(provider=make_provider(name="Old name"), title="Before")
    say(article, editor, title="After")
    provider = article.provider
    provider.name = "New name"
    provider.save()
    article.refresh_from_db()
    assert article.version == 2
    assert [revisions.as_of(article.pk, version).provider.name for version in (1, 2)] == ["Old name", "Old name"]
    assert revisions_document(article).provider.name == "New name"


def test_version_that_is_kept_later_has_the_time_from_which_it_was(client, editor):
    article = make_article(modified_at=NOON)
    say(article, editor, title="After")
    after, before = article.revisions.all()
    assert before.created_at == NOON
    assert after.created_at > NOON


def test_restore_by_code_needs_the_right_too(editor):
    article = make_article(title="Before")
    say(article, editor, title="After")
    with pytest.raises(PermissionDenied):
        restoring.restore(article.pk, 1, ["title"], by=make_user("Contributors"), seen=2)
    with pytest.raises(Revision.DoesNotExist):
        restoring.restore(article.pk, 3, ["title"], by=editor, seen=2)


def test_restored_story_is_exported_as_it_was(client, imported, editor):
    article = imported()
    before = write(revisions_document(article))
    say(article, editor, title="Edited", excerpt="More")
    restore(client, article, 1, "*")
    assert write(revisions_document(article)) == before
