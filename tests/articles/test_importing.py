"""The importer: what becomes of files, again and again."""

import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from articles import bulk, workflow
from articles.documents import read
from articles.exporting import export_tree
from articles.importing import ImportReport, Options, Outcome, import_paths
from articles.models import Article, Conflict, Event, RelatedStory, Revision, SourceFile, Topic
from articles.reading.rows import ArticleRows
from articles.reading.trees import find_files
from articles.records import article_document, with_parts
from images.models import RemoteImage
from providers.models import Provider
from tests.articles.test_documents import FULL
from tests.factories import make_provider, make_user, png

pytestmark = pytest.mark.django_db

STORY = """---
category: news
title: "{title}"
excerpt: "{excerpt}"
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: "https://harbour.example/tram"
type: article
quality: 63
heat: {heat}
published: {published}

provider:
  name: Harbour Post
  domain: harbour.example

topics:
  - {topic}

secured: "{secured}"
---
"""


def write_story(folder: Path, name: str = "2026-03-02-tram.md", **parts) -> Path:
    values = {
        "title": "Tram opens",
        "excerpt": "At last.",
        "heat": -1,
        "published": "true",
        "topic": "Transport",
        "secured": "AAAA;BBBB",
    }
    file = folder / "_news" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(STORY.format(**values | parts))
    return file


def write_file(folder: Path, path: str, text: str | bytes) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def run(*paths: Path, **options) -> ImportReport:
    return import_paths(paths, Options(**options))


def counts(report: ImportReport) -> dict[str, int]:
    """The counts that are not zero."""
    data = report.as_data()
    sizes = {name: len(value) if isinstance(value, list) else value for name, value in data.items()}
    return {name: size for name, size in sizes.items() if size}


def everything() -> dict[str, list]:
    """All that an import may write, to compare databases with."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())
        for model in (Article, Provider, Topic, RemoteImage, RelatedStory, SourceFile, Event, Revision)
    }


# --- First import -------------------------------------------------------------------------------


def test_a_full_story_is_stored_as_its_document_says(tmp_path):
    write_file(tmp_path, "_news/2026-03-02-tram.md", FULL)
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "warnings": 1}  # the picture that is not in the tree
    article = with_parts(Article.objects.all()).get()
    assert article_document(article) == read(FULL.encode())
    assert article.stem == "2026-03-02-tram"
    assert (article.status, article.publish_at) == ("published", datetime(2026, 3, 2, 10, 15, tzinfo=UTC))


def test_the_source_text_is_kept_byte_for_byte(tmp_path):
    data = b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode()
    write_file(tmp_path, "_news/2026-03-02-tram.md", data)
    run(tmp_path)
    assert SourceFile.objects.get().text.encode() == data


def test_providers_and_topics_are_made_from_the_articles_that_name_them(tmp_path):
    write_file(tmp_path, "_news/2026-03-02-tram.md", FULL)
    run(tmp_path)
    assert set(Provider.objects.values_list("domain", "name")) == {
        ("harbour.example", "Harbour Post"),
        ("other.example", "Other"),
    }
    assert Provider.objects.get(domain="harbour.example").logo.source_url == "https://cdn.example/logo-50x50.png"
    assert set(Topic.objects.values_list("name", flat=True)) == {"Transport", "City life"}


def test_topics_are_matched_whatever_their_case_and_spaces(tmp_path):
    write_story(tmp_path, "2026-03-02-a.md", topic="City Life")
    write_story(tmp_path, "2026-03-02-b.md", topic="city  life")
    run(tmp_path)
    assert Topic.objects.get().name == "City Life"
    assert Article.objects.filter(topics=Topic.objects.get()).count() == 2


def test_described_providers_and_topics_take_what_their_files_say(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    write_file(
        tmp_path,
        "_data/organizations/harbour.example.md",
        "---\ntaxonomy: organization\n_id: harbour\nname: The Harbour Post\notherNames:\n  - HP\n"
        "domain: harbour.example\ndescription: Since 1901.\n---\n",
    )
    write_file(
        tmp_path,
        "_data/topics/transport.yaml",
        "taxonomy: topic\n_id: getting-around\nname: Transport\nparent: Cities\nkeywords:\n  - tram\n"
        "hashtags:\n  - '#tram'\nservices:\n  news: https://a.example/\nmood: calm\n",
    )
    assert counts(run(tmp_path)) == {"created": 2, "unchanged": 1}
    provider = Provider.objects.get()
    assert (provider.name, provider.other_names, provider.description, provider.source_id) == (
        "The Harbour Post",
        ["HP"],
        "Since 1901.",
        "harbour",
    )
    topic = Topic.objects.get(key="transport")
    assert (topic.slug, topic.parent.name, topic.keywords, topic.hashtags, topic.services, topic.extra) == (
        "getting-around",
        "Cities",
        ["tram"],
        ["#tram"],
        {"news": "https://a.example/"},
        {"mood": "calm"},
    )
    assert Article.objects.get().provider == provider


def test_a_logo_in_the_tree_is_cached_from_there(tmp_path):
    write_file(tmp_path, "assets/images/logo.png", png((50, 50)))
    write_file(
        tmp_path,
        "_data/organizations/a.md",
        "---\ntaxonomy: organization\nname: A\ndomain: a.example\nimages:\n  - url: /assets/images/logo.png\n---\n",
    )
    assert counts(run(tmp_path)) == {"created": 1}
    image = RemoteImage.objects.get()
    assert (image.state, image.width) == ("cached", 50)


@pytest.mark.parametrize("url", ["/../secret.png", "/assets/../../secret.png", "/link.png", "/%2e%2e/secret.png"])
def test_pictures_outside_the_tree_are_never_read(tmp_path, url):
    write_file(tmp_path, "secret.png", png((50, 50)))
    site = tmp_path / "site"
    site.mkdir()
    write_story(site)
    (site / "link.png").symlink_to(tmp_path / "secret.png")
    text = (site / "_news/2026-03-02-tram.md").read_text()
    write_file(site, "_news/2026-03-02-tram.md", text.replace("topics:", f'images:\n  - url: "{url}"\n\ntopics:'))
    report = run(site)
    assert [url in problem.reason for problem in report.warnings] == [True]
    image = RemoteImage.objects.get()
    assert (image.state, image.reason, image.content_hash) == ("failed", "not_in_tree", "")


def test_a_stem_is_made_where_the_file_name_has_no_date(tmp_path):
    write_story(tmp_path, "000_f85.txt", title="Don't panic: it’s Tuesday")
    run(tmp_path)
    assert Article.objects.get().stem == "2026-03-02-dont-panic-its-tuesday"


def test_two_files_of_one_name_get_two_addresses_and_a_warning(tmp_path):
    write_file(
        tmp_path,
        "_archive/2026-03-02-tram.md",
        STORY.format(title="Old", excerpt="", heat=1, published="true", topic="A", secured=""),
    )
    write_story(tmp_path)
    report = run(tmp_path)
    assert sorted(Article.objects.values_list("stem", flat=True)) == ["2026-03-02-tram", "2026-03-02-tram-2"]
    assert [problem.reason.count("/news/2026-03-02-tram-2/") for problem in report.warnings] == [1]


@pytest.mark.parametrize(("as_drafts", "status"), [(False, "published"), (True, "draft")])
def test_as_drafts_publishes_nothing(tmp_path, as_drafts, status):
    write_story(tmp_path)
    run(tmp_path, as_drafts=as_drafts)
    assert Article.objects.get().status == status


def test_a_file_has_one_identity_however_it_is_reached(tmp_path):
    file = write_story(tmp_path)
    for path in (tmp_path, tmp_path / "_news", file):
        assert [found.path for found in find_files([path])] == ["_news/2026-03-02-tram.md"]


def test_hidden_files_and_other_kinds_are_passed_over(tmp_path):
    write_story(tmp_path)
    for path in (".git/x.md", "_news/.draft.md", "_news/picture.jpg", "index.html"):
        write_file(tmp_path, path, "x")
    assert counts(run(tmp_path)) == {"created": 1}


def test_parsing_in_processes_gives_the_same(tmp_path):
    for number in range(6):
        write_story(tmp_path, f"2026-03-02-{number}.md", title=f"Story {number}")
    write_file(tmp_path, "_news/bad.md", "no header")
    report = run(tmp_path, workers=2)
    assert counts(report) == {"created": 6, "failed": 1}
    assert report.failed[0].line == 1


# --- Again --------------------------------------------------------------------------------------


def test_importing_twice_changes_nothing(tmp_path):
    write_file(tmp_path, "_news/2026-03-02-full.md", FULL)
    write_story(tmp_path)
    run(tmp_path)
    before = everything()
    assert counts(run(tmp_path)) == {"unchanged": 2}
    assert everything() == before


def age(file: Path, seconds: int = 60) -> None:
    """Make the file look as if it had been written that long ago."""
    then = file.stat().st_mtime - seconds
    os.utime(file, (then, then))


def test_a_file_that_looks_as_it_did_is_not_even_read(tmp_path, monkeypatch):
    file = write_story(tmp_path)
    age(file)
    run(tmp_path)
    monkeypatch.setattr("articles.reading.trees.TreeFile.read", None)
    assert counts(run(tmp_path)) == {"unchanged": 1}


def test_a_file_that_was_touched_is_read_once_and_then_known_again(tmp_path, monkeypatch):
    file = write_story(tmp_path)
    age(file)
    run(tmp_path)
    age(file)
    assert counts(run(tmp_path)) == {"unchanged": 1}
    monkeypatch.setattr("articles.reading.trees.TreeFile.read", None)
    assert counts(run(tmp_path)) == {"unchanged": 1}


def test_a_change_within_a_tick_of_the_clock_is_not_missed(tmp_path):
    file = write_story(tmp_path, title="Tram opens")
    before = file.stat()
    run(tmp_path)
    file.write_text(file.read_text().replace("Tram opens", "Tram shuts"))
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counts(run(tmp_path)) == {"updated": 1}


def test_a_change_in_the_source_flows_in(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    write_story(tmp_path, title="Tram opens at last", topic="Cities")
    assert counts(run(tmp_path)) == {"updated": 1}
    article = Article.objects.get()
    assert (article.title, [topic.name for topic in article.topics.all()]) == (
        "Tram opens at last",
        ["Cities"],
    )
    assert article.version == 2
    event = Event.objects.get()
    assert (event.verb, event.actor, event.data) == (
        "import",
        None,
        {"fields": ["title", "topics"], "version": 2},
    )
    titles = Revision.objects.order_by("version").values_list("document__title", flat=True)
    assert list(titles) == ["Tram opens", "Tram opens at last"]


def test_seal_and_heat_alone_are_stored_but_no_editorial_change(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    modified = Article.objects.get().modified_at
    write_story(tmp_path, heat=90, secured="CCCC;DDDD")
    assert counts(run(tmp_path)) == {"unchanged": 1}
    article = Article.objects.get()
    assert (article.heat, article.secured, article.version, article.modified_at) == (
        90,
        "CCCC;DDDD",
        1,
        modified,
    )
    assert "CCCC;DDDD" in SourceFile.objects.get().text
    assert not Event.objects.exists()
    assert not Revision.objects.exists()


def test_publication_follows_the_source_while_no_editor_has_decided(tmp_path):
    write_story(tmp_path, published="false")
    run(tmp_path)
    write_story(tmp_path, published="true")
    assert counts(run(tmp_path)) == {"updated": 1}
    assert Article.objects.published().count() == 1
    write_story(tmp_path, published="false")
    assert counts(run(tmp_path)) == {"updated": 1}
    assert Article.objects.published().count() == 0
    assert list(Event.objects.order_by("pk").values_list("verb", "actor")) == [
        ("publish", None),
        ("unpublish", None),
    ]


def test_an_editors_decision_outlives_the_source(tmp_path):
    write_story(tmp_path, published="true")
    run(tmp_path)
    workflow.unpublish(Article.objects.get(), by=make_user("Editors"))
    write_story(tmp_path, published="false")
    run(tmp_path)
    write_story(tmp_path, published="true")
    assert counts(run(tmp_path)) == {"kept": 1}
    assert Article.objects.get().status == "unpublished"


def test_an_editors_words_outlive_the_source_and_conflicts_are_told(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    Article.objects.update(title="The editor's title")
    write_story(tmp_path, excerpt="New excerpt.")
    assert counts(run(tmp_path)) == {"updated": 1}
    write_story(tmp_path, title="The source's title", excerpt="New excerpt.")
    assert counts(run(tmp_path)) == {"conflicts": 1}
    article = Article.objects.get()
    assert (article.title, article.excerpt) == ("The editor's title", "New excerpt.")
    assert Event.objects.get(verb="conflict").data == {"fields": ["title"]}
    conflict = Conflict.objects.get(source=article.source_file)
    assert (conflict.field, conflict.base, conflict.theirs) == ("title", "Tram opens", "The source's title")
    assert counts(run(tmp_path)) == {"unchanged": 1}


def test_overwrite_takes_the_source_throughout(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    Article.objects.update(title="The editor's title")
    assert counts(run(tmp_path, overwrite=True)) == {"updated": 1}
    assert Article.objects.get().title == "Tram opens"


def test_a_providers_description_flows_in_and_an_editors_stays(tmp_path):
    text = "---\ntaxonomy: organization\nname: {}\ndomain: a.example\ndescription: {}\n---\n"
    write_file(tmp_path, "_data/organizations/a.md", text.format("A", "One."))
    run(tmp_path)
    Provider.objects.update(name="Edited")
    write_file(tmp_path, "_data/organizations/a.md", text.format("A", "Two."))
    assert counts(run(tmp_path)) == {"updated": 1}
    assert Provider.objects.values_list("name", "description").get() == ("Edited", "Two.")


def test_formatting_alone_is_no_change(tmp_path):
    file = write_story(tmp_path)
    run(tmp_path)
    file.write_text(file.read_text().replace('title: "Tram opens"', "title: Tram opens  # as it was"))
    assert counts(run(tmp_path)) == {"unchanged": 1}
    assert "# as it was" in SourceFile.objects.get().text


def test_noise_is_stored_with_as_many_queries_for_one_story_as_for_ten(tmp_path):
    queries = []
    for heat, count in ((1, 1), (2, 10)):
        site = tmp_path / str(count)
        site.mkdir()
        for number in range(count):
            write_story(site, f"2026-03-02-{count}-{number}.md")
        run(site)
        for number in range(count):
            write_story(site, f"2026-03-02-{count}-{number}.md", heat=heat)
        with CaptureQueriesContext(connection) as captured:
            run(site)
        queries.append(len(captured))
        assert set(Article.objects.values_list("heat", flat=True)) == {heat}
        Article.objects.all().delete()
    assert queries[0] == queries[1] < 20


def test_stories_are_stored_in_the_order_of_their_keys(tmp_path, monkeypatch):
    for name in "cab":
        write_story(tmp_path, f"2026-03-02-{name}.md", title=name)
        run(tmp_path)
    for name in "cab":
        write_story(tmp_path, f"2026-03-02-{name}.md", title=f"{name} again")
    stored = []
    update = bulk.update
    monkeypatch.setattr(bulk, "update", lambda *args: stored.append((args[0], list(args[2]))) or update(*args))
    assert counts(run(tmp_path)) == {"updated": 3}
    keys = [row[-1] for model, rows in stored if model is Article for row in rows]
    assert keys == sorted(keys)
    assert len(keys) == 3


def test_an_edited_heat_stays_and_is_no_conflict(tmp_path):
    write_story(tmp_path, heat=1)
    run(tmp_path)
    Article.objects.update(heat=50)
    write_story(tmp_path, heat=2)
    assert counts(run(tmp_path)) == {"unchanged": 1}
    write_story(tmp_path, heat=3, title="Another title")
    assert counts(run(tmp_path)) == {"updated": 1}
    assert Article.objects.get().heat == 50
    assert not Event.objects.filter(verb="conflict").exists()


def test_a_public_story_follows_its_date_when_the_source_moves_it(tmp_path):
    file = write_story(tmp_path)
    run(tmp_path)
    file.write_text(file.read_text().replace("2026-03-02T10:15", "2150-01-01T10:15"))
    run(tmp_path)
    assert not Article.objects.published().exists()
    file.write_text(file.read_text().replace("2150-01-01T10:15", "2026-03-01T10:15"))
    run(tmp_path)
    assert Article.objects.published().exists()


def test_a_date_that_an_editor_chose_outlives_the_sources(tmp_path):
    file = write_story(tmp_path, published="false")
    run(tmp_path)
    workflow.publish(Article.objects.get(), by=make_user("Editors"))
    file.write_text(file.read_text().replace("2026-03-02T10:15", "2150-01-01T10:15"))
    run(tmp_path)
    assert Article.objects.published().exists()


def test_as_drafts_holds_back_what_is_published_but_not_what_is_withdrawn(tmp_path):
    write_story(tmp_path, published="true")
    run(tmp_path)
    write_story(tmp_path, published="false")
    run(tmp_path, as_drafts=True)
    assert Article.objects.get().status == "unpublished"
    write_story(tmp_path, published="true")
    run(tmp_path, as_drafts=True)
    assert Article.objects.get().status == "unpublished"


def test_a_rejected_story_stays_rejected_whatever_the_source_says(tmp_path):
    write_story(tmp_path, published="false")
    run(tmp_path)
    Article.objects.update(status="rejected")
    write_story(tmp_path, published="true")
    assert counts(run(tmp_path)) == {"kept": 1}


def test_after_overwrite_the_source_decides_again(tmp_path):
    write_story(tmp_path, published="true")
    run(tmp_path)
    workflow.unpublish(Article.objects.get(), by=make_user("Editors"))
    run(tmp_path, overwrite=True)
    assert Article.objects.get().status == "published"
    write_story(tmp_path, published="false")
    assert counts(run(tmp_path)) == {"updated": 1}
    assert Article.objects.get().status == "unpublished"


def test_the_first_file_of_a_provider_or_topic_takes_nothing_from_an_editor(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    Provider.objects.update(name="Edited", description="Ours.", other_names=["HP"])
    Topic.objects.update(description="Ours.", keywords=["tram"])
    write_file(
        tmp_path,
        "_data/organizations/h.md",
        "---\ntaxonomy: organization\n_id: h\nname: Harbour\ndomain: harbour.example\n---\n",
    )
    write_file(tmp_path, "_data/topics/t.yaml", "taxonomy: topic\nname: transport\nshortname: T\n")
    run(tmp_path)
    provider, topic = Provider.objects.get(), Topic.objects.get()
    assert (provider.name, provider.description, provider.other_names) == ("Edited", "Ours.", ["HP"])
    assert provider.source_id == "h"
    assert (topic.description, topic.keywords, topic.shortname) == ("Ours.", ["tram"], "T")


def test_a_conflict_about_a_provider_waits_to_be_settled(tmp_path):
    text = "---\ntaxonomy: organization\nname: {}\ndomain: a.example\n---\n"
    write_file(tmp_path, "_data/organizations/a.md", text.format("A"))
    run(tmp_path)
    Provider.objects.update(name="Edited")
    write_file(tmp_path, "_data/organizations/a.md", text.format("B"))
    report = run(tmp_path)
    assert counts(report) == {"conflicts": 1}
    conflict = Conflict.objects.get(source__provider__domain="a.example")
    assert (conflict.field, conflict.base, conflict.theirs) == ("name", "A", "B")


def test_what_is_not_taken_makes_no_providers(tmp_path):
    write_story(tmp_path)
    run(tmp_path)
    Article.objects.update(provider=make_provider(domain="ours.example"), provider_ref={})
    file = write_story(tmp_path)
    file.write_text(file.read_text().replace("harbour.example\n", "theirs.example\n"))
    assert counts(run(tmp_path)) == {"conflicts": 1}
    assert set(Provider.objects.values_list("domain", flat=True)) == {"harbour.example", "ours.example"}


def test_topics_of_editor_and_source_come_together(tmp_path):
    write_story(tmp_path, topic="One")
    run(tmp_path)
    article = Article.objects.get()
    article.set_topics([Topic.objects.get(), Topic.objects.create(name="Ours")])
    write_story(tmp_path, topic="One\n  - Theirs")
    assert counts(run(tmp_path)) == {"updated": 1}
    assert sorted(topic.name for topic in article.topics.all()) == ["One", "Ours", "Theirs"]


def test_a_picture_that_comes_later_is_found_and_one_that_changes_is_cached_anew(tmp_path):
    write_file(
        tmp_path,
        "_data/organizations/a.md",
        "---\ntaxonomy: organization\nname: A\ndomain: a.example\nimages:\n  - url: /assets/logo.png\n---\n",
    )
    assert counts(run(tmp_path)) == {"created": 1, "warnings": 1}
    file = write_file(tmp_path, "assets/logo.png", png((50, 50)))
    assert counts(run(tmp_path)) == {"unchanged": 1}
    assert (RemoteImage.objects.get().state, RemoteImage.objects.get().width) == ("cached", 50)
    file.write_bytes(png((60, 60)))
    os.utime(file, (2**32, 2**32))
    run(tmp_path)
    assert RemoteImage.objects.get().width == 60


def test_files_that_are_gone_are_named_and_nothing_is_changed(tmp_path):
    gone = write_story(tmp_path, "2026-03-02-gone.md")
    write_story(tmp_path, "2026-03-02-here.md")
    run(tmp_path)
    gone.unlink()
    report = run(tmp_path)
    assert counts(report) == {"unchanged": 1, "warnings": 1}
    assert (report.warnings[0].path, "gone" in report.warnings[0].reason) == ("_news/2026-03-02-gone.md", True)
    assert Article.objects.published().count() == 2


def test_withdraw_missing_unpublishes_what_no_editor_decided(tmp_path):
    files = [write_story(tmp_path, f"2026-03-02-{name}.md") for name in ("source", "editor")]
    write_story(tmp_path, "2026-03-02-here.md", published="false")
    run(tmp_path)
    decided, editor = Article.objects.get(stem="2026-03-02-editor"), make_user("Editors")
    workflow.unpublish(decided, by=editor)
    workflow.publish(decided, by=editor)
    for file in files:
        file.unlink()
    assert counts(run(tmp_path, withdraw_missing=True)) == {"unchanged": 1, "updated": 1, "warnings": 2}
    assert list(Article.objects.published()) == [decided]


def test_a_tree_without_any_files_withdraws_nothing(tmp_path):
    file = write_story(tmp_path)
    run(tmp_path)
    file.unlink()
    report = run(tmp_path, withdraw_missing=True)
    assert [problem.reason for problem in report.warnings] == [
        "gone from the tree; nothing was changed",
        "most of its files are gone: nothing was unpublished, as a disk may be missing",
    ]
    assert Article.objects.published().exists()


@pytest.mark.parametrize("part", ["_data", "_news/2026-03-02-a.md"])
def test_only_what_was_looked_through_can_be_missed(tmp_path, part):
    write_file(tmp_path, "_data/topics/t.yaml", "taxonomy: topic\nname: T\n")
    write_story(tmp_path, "2026-03-02-a.md")
    write_story(tmp_path, "2026-03-02-b.md")
    run(tmp_path)
    (tmp_path / "_news/2026-03-02-b.md").unlink()
    assert counts(run(tmp_path / part)) == {"unchanged": 1}


def test_another_tree_is_not_missed(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        write_story(tmp_path / name, f"2026-03-02-{name}.md")
    run(tmp_path / "one")
    assert counts(run(tmp_path / "two")) == {"created": 1}


def test_a_renamed_file_is_the_same_story_at_the_same_address(tmp_path):
    file = write_story(tmp_path, "2026-03-02-old-name.md")
    run(tmp_path)
    article = Article.objects.get()
    file.rename(tmp_path / "_news/2026-03-02-new-name.md")
    report = run(tmp_path)
    assert counts(report) == {"unchanged": 1, "warnings": 1}
    assert report.warnings[0].reason == "moved here from _news/2026-03-02-old-name.md"
    assert SourceFile.objects.get().path == "_news/2026-03-02-new-name.md"
    assert (Article.objects.get().pk, Article.objects.get().stem) == (article.pk, "2026-03-02-old-name")
    assert counts(run(tmp_path)) == {"unchanged": 1}


def test_a_file_beside_one_of_the_same_story_is_a_story_of_its_own(tmp_path):
    write_story(tmp_path, "2026-03-02-one.md")
    run(tmp_path)
    write_story(tmp_path, "2026-03-02-two.md")
    assert counts(run(tmp_path)) == {"created": 1, "unchanged": 1}


# --- What goes wrong ----------------------------------------------------------------------------

BROKEN = {
    "no-header.md": ("Just text.", 1, "", "no front matter"),
    "unclosed.md": ("---\ntitle: A\n", 1, "", "no closing"),
    "bad-yaml.md": ("---\ntitle: 'A\n---\n", 2, "", "not YAML"),
    "quoted-flag.md": (
        '---\ntitle: A\npublishedDateTime: 2026-01-01\npublished: "false"\n---\n',
        4,
        "published",
        "true or false",
    ),
    "no-title.md": ("---\npublishedDateTime: 2026-01-01\n---\n", 2, "title", "missing"),
    "bad-date.md": ("---\ntitle: A\npublishedDateTime: soon\n---\n", 3, "publishedDateTime", "not a date"),
    "bad-number.md": (
        "---\ntitle: A\npublishedDateTime: 2026-01-01\nquality: high\n---\n",
        4,
        "quality",
        "whole number",
    ),
    "bad-url.md": (
        "---\ntitle: A\npublishedDateTime: 2026-01-01\nwebUrl: javascript:x\n---\n",
        4,
        "webUrl",
        "http",
    ),
    "latin-1.md": (b"---\ntitle: caf\xe9\n---\n", 2, "", "not UTF-8"),
    "duplicate.md": ("---\ntitle: A\ntitle: B\n---\n", 3, "title", "twice"),
}


def test_ten_broken_files_are_named_and_the_good_ones_imported(tmp_path):
    for number in range(3):
        write_story(tmp_path, f"2026-03-0{number + 1}-good.md")
    for name, (text, *_) in BROKEN.items():
        write_file(tmp_path, f"_news/{name}", text)
    report = run(tmp_path)
    assert counts(report) == {"created": 3, "failed": 10}
    found = {Path(problem.path).name: problem for problem in report.failed}
    for name, (_, line, key, words) in BROKEN.items():
        assert (found[name].line, found[name].key) == (line, key), name
        assert words in found[name].reason


def test_a_file_the_database_refuses_takes_no_other_with_it(tmp_path):
    text = "---\ntaxonomy: organization\nname: {}\ndomain: a.example\n---\n"
    write_file(tmp_path, "_data/organizations/a.md", text.format("First"))
    write_file(tmp_path, "_data/organizations/b.md", text.format("Second"))
    write_story(tmp_path)
    report = run(tmp_path)
    assert counts(report) == {"created": 2, "failed": 1}
    assert "_data/organizations/a.md" in report.failed[0].reason


def test_topics_in_a_circle_are_refused(tmp_path):
    for name, parent in (("A", "B"), ("B", "A")):
        write_file(tmp_path, f"_data/topics/{name}.yaml", f"taxonomy: topic\nname: {name}\nparent: {parent}\n")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert "below" in report.failed[0].reason


def test_files_that_cannot_or_must_not_be_opened_are_named(tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    write_story(site)
    write_file(tmp_path, "outside.md", FULL)
    (site / "_news/link.md").symlink_to(tmp_path / "outside.md")
    (site / "_news/loop.md").symlink_to(site / "_news/loop.md")
    (site / "_news/nowhere.md").symlink_to(site / "nothing.md")
    (site / "_news/more").symlink_to(tmp_path)
    (site / "_news/folder.md").mkdir()
    report = run(site)
    assert counts(report) == {"created": 1, "failed": 4}
    assert {Path(problem.path).name: problem.reason for problem in report.failed} == {
        "link.md": "a symbolic link that leads outside the tree",
        "loop.md": "a symbolic link that leads nowhere",
        "nowhere.md": "a symbolic link that leads nowhere",
        "more": "a link to a folder, which is not followed",
    }


def test_a_name_that_would_steer_a_terminal_is_named_without_doing_so(tmp_path):
    write_story(tmp_path)
    write_story(tmp_path, "2026-03-02-\x1b[31mred.md")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert str(report.failed[0]).endswith("/2026-03-02-?[31mred.md: the file's name has a control character")


def test_a_name_that_is_not_utf8_is_named_all_the_same(tmp_path):
    write_story(tmp_path)
    name = os.fsencode(tmp_path / "_news") + b"/caf\xe9.md"
    with open(name, "wb") as file:
        file.write(FULL.encode())
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    json.dumps(report.as_data()).encode()


def test_yaml_without_a_taxonomy_is_skipped_with_a_warning(tmp_path):
    write_story(tmp_path)
    write_file(tmp_path, "_config.yml", "title: My site\n")
    assert counts(run(tmp_path)) == {"created": 1, "warnings": 1}


def test_a_topic_named_twice_counts_once_with_a_warning(tmp_path):
    write_story(tmp_path, topic="AI\n  - ai")
    assert counts(run(tmp_path)) == {"created": 1, "warnings": 1}
    assert [topic.name for topic in Article.objects.get().topics.all()] == ["AI"]


@pytest.mark.parametrize(
    ("lines", "key"),
    [
        ("taxonomy:\n  category: blog", "taxonomy"),
        ("quality: 0x_", "quality"),
        ("quality: 1__0", "quality"),
        ('foo: "a\\0b"', "foo"),
        ('foo:\n  "a\\0b": 1', ""),
        ("topics:\n  - " + "ß" * 90, "topics[0]"),
        ("topics: [" + "a, " * 1001 + "]", "topics"),
        ("provider:\n  name: A\n  domain: " + "ü" * 2000 + ".example", "provider.domain"),
    ],
)
def test_odd_values_fail_by_name_and_alone(tmp_path, lines, key):
    write_story(tmp_path)
    write_file(tmp_path, "_news/odd.md", f"---\ntitle: 2023\npublishedDateTime: 2026-01-01\n{lines}\n---\n")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert (report.failed[0].key, len(report.failed[0].reason) < 200) == (key, True)


def test_what_nobody_foresaw_takes_no_other_file_with_it(tmp_path, monkeypatch):
    def explode(rows: ArticleRows, *, as_draft: bool) -> tuple[str, None]:
        if rows.stem.endswith("b"):
            raise RuntimeError("boom\nand more")
        return "draft", None

    monkeypatch.setattr("articles.importing.creating._first_state", explode)
    write_story(tmp_path, "2026-03-02-a.md", title="Good")
    write_story(tmp_path, "2026-03-02-b.md", title="Bad")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert report.failed[0].reason == "cannot be stored: boom"


def test_a_database_that_fails_ends_the_run_instead_of_failing_each_file(tmp_path, monkeypatch):
    def locked(batch: object, files: object) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr("articles.importing.create", locked)
    write_story(tmp_path)
    with pytest.raises(CommandError, match="database is locked"):
        command(str(tmp_path))


def test_a_provider_known_from_related_stories_takes_the_name_in_its_own_file(tmp_path):
    write_file(tmp_path, "_news/2026-03-02-tram.md", FULL)
    run(tmp_path)
    write_file(tmp_path, "_data/o.md", "---\ntaxonomy: organization\nname: The Other\ndomain: other.example\n---\n")
    report = run(tmp_path)
    assert (report.counts[Outcome.CREATED], report.warnings) == (1, [])
    assert Provider.objects.get(domain="other.example").name == "The Other"


def test_a_path_cannot_change_its_kind(tmp_path):
    file = write_story(tmp_path)
    run(tmp_path)
    article = file.read_text()
    file.write_text("---\ntaxonomy: organization\nname: A\ndomain: a.example\n---\n")
    assert counts(run(tmp_path)) == {"failed": 1}
    assert not Provider.objects.filter(domain="a.example").exists()
    file.write_text(article)
    assert counts(run(tmp_path)) == {"unchanged": 1}


def test_an_identity_that_another_record_has_is_refused_in_words(tmp_path):
    text = "---\ntaxonomy: organization\nname: {0}\ndomain: {0}.example\n---\n"
    for name in ("a", "b"):
        write_file(tmp_path, f"_data/organizations/{name}.md", text.format(name))
    run(tmp_path)
    write_file(tmp_path, "_data/organizations/a.md", text.format("b"))
    report = run(tmp_path)
    assert counts(report) == {"unchanged": 1, "failed": 1}
    assert report.failed[0].reason == "domain: b.example is already b's"


def test_a_circle_of_topics_that_is_already_there_is_walked_once(tmp_path):
    one, two = Topic.objects.create(name="One"), Topic.objects.create(name="Two")
    Topic.objects.filter(pk=one.pk).update(parent=two)
    Topic.objects.filter(pk=two.pk).update(parent=one)
    write_file(tmp_path, "_data/topics/t.yaml", "taxonomy: topic\nname: Three\nparent: One\n")
    assert counts(run(tmp_path)) == {"created": 1}


def test_a_pipe_does_not_hold_up_the_import(tmp_path):
    write_story(tmp_path)
    os.mkfifo(tmp_path / "_news/pipe.md")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert report.failed[0].reason == "not a regular file"


def test_an_endless_file_is_not_read_to_its_end(tmp_path):
    write_story(tmp_path)
    with (tmp_path / "_news/big.md").open("wb") as file:
        file.truncate(10**10)  # takes no room on the disk
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert "at most" in report.failed[0].reason


@pytest.mark.parametrize("path", [".", "_news", "_news/2026", "_news/2026/01/02", "_news/2026/01/02/2026-03-02-a.md"])
def test_the_root_of_a_deep_tree_is_found_from_anywhere(tmp_path, path):
    site = tmp_path / "_me" / "site"
    write_file(site, "_news/2026/01/02/2026-03-02-a.md", FULL)
    assert [file.path for file in find_files([site / path])] == ["_news/2026/01/02/2026-03-02-a.md"]


# --- Dry run, and the command -------------------------------------------------------------------


def test_a_dry_run_reports_as_the_real_one_and_changes_nothing(tmp_path):
    write_file(tmp_path, "assets/logo.png", png())
    write_story(tmp_path)
    write_file(tmp_path, "_news/2026-03-02-full.md", FULL)
    write_file(tmp_path, "_news/bad.md", "x")
    dry = run(tmp_path, dry_run=True)
    assert not any(everything().values())
    assert dry.as_data() == run(tmp_path).as_data()


def command(*args, **options) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("import_frontmatter", *args, stdout=out, stderr=err, **options)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_one_summary_line(tmp_path):
    write_story(tmp_path)
    out, _ = command(str(tmp_path))
    assert out == "created=1 updated=0 unchanged=0 kept=0 conflicts=0 failed=0 warnings=0\n"


def test_the_command_fails_when_a_file_did_and_says_which(tmp_path):
    write_story(tmp_path)
    write_file(tmp_path, "_news/bad.md", '---\ntitle: A\npublishedDateTime: 2026-01-01\npublished: "no"\n---\n')
    out, err, report = io.StringIO(), io.StringIO(), tmp_path / "report.json"
    with pytest.raises(CommandError) as caught:
        call_command("import_frontmatter", str(tmp_path), report=report, stdout=out, stderr=err)
    assert caught.value.returncode == 1
    assert "failed=1" in out.getvalue()
    assert "bad.md:4: published:" in err.getvalue()
    data = json.loads(report.read_text())
    assert data["created"] == 1
    [failed] = data["failed"]
    assert failed["path"].endswith("_news/bad.md")
    assert (failed["line"], failed["key"]) == (4, "published")
    assert data["warnings"] == []


@pytest.mark.parametrize(
    "args", [["/no/such/place"], [".", "--workers", "0"], [".", "--report", "/no/such/folder/report.json"]]
)
def test_the_command_refuses_bad_arguments(args):
    with pytest.raises(CommandError):
        command(*args)


# --- Real files ---------------------------------------------------------------------------------


def test_the_founding_seed(corpus):
    assert counts(run(corpus / "seeds")) == {"created": 1}
    article = Article.objects.get()
    assert article.stem == "2023-09-14-dont-count-on-teslas-dojo-supercomputer-to-jump-start-an-ai-revolution"
    assert (article.status, article.quality, article.heat) == ("draft", 63, -1)
    assert (article.provider.name, article.provider.domain) == ("Wired", "wired.com")
    assert [topic.name for topic in article.topics.all()] == ["AI", "AI in Autos"]
    related = list(article.related_stories.all())
    assert [story.provider.domain for story in related] == ["businessinsider.com", "whichcar.com.au"]
    assert [story.lead_image.width for story in related] == [928, 1200]
    assert article.secured.startswith("Pxzg")


def test_the_whole_corpus(corpus):
    report = run(corpus / "corpus")
    files = list((corpus / "corpus").glob("_news/*")) + list((corpus / "corpus").glob("_data/*/*"))
    assert report.failed == []
    assert report.counts[Outcome.CREATED] == len(files)
    published = sum(b"\npublished: true\n" in file.read_bytes() for file in files)
    assert Article.objects.published().count() == published
    assert (
        Article.objects.exclude(status="published").count()
        == len(list((corpus / "corpus").glob("_news/*"))) - published
    )
    in_tree = {f"/{file.relative_to(corpus / 'corpus')}" for file in (corpus / "corpus").glob("assets/**/*.jpg")}
    logos = RemoteImage.objects.filter(source_url__startswith="/")
    assert {logo.source_url for logo in logos if logo.state == "cached"} == in_tree & {
        logo.source_url for logo in logos
    }
    assert logos.filter(state="cached").count() > 40
    for source in SourceFile.objects.all():
        assert source.text.encode() == (corpus / "corpus" / source.path).read_bytes()
    assert counts(run(corpus / "corpus")) == {"unchanged": len(files)}


def test_every_article_of_the_corpus_is_its_document(corpus):
    run(corpus / "corpus", corpus / "seeds")
    for article in with_parts(Article.objects.select_related("source_file")):
        assert article_document(article) == read(article.source_file.text.encode()), article.stem


def test_the_history_of_a_real_file_and_an_editors_words(corpus, tmp_path):
    """The story of one file: v1 unpublished, v2 another provider and published, v3 back again."""
    [history] = (corpus / "corpus-history").iterdir()
    file = tmp_path / "_news" / f"{history.name}.md"
    file.parent.mkdir()
    file.write_bytes((history / "v1.md").read_bytes())
    assert counts(run(tmp_path)) == {"created": 1}
    article = Article.objects.get()
    assert (article.status, article.provider.domain, article.quality) == ("draft", "businessinsider.com", 53)
    Article.objects.update(excerpt="The editor's own words.")

    file.write_bytes((history / "v2.md").read_bytes())
    assert counts(run(tmp_path)) == {"conflicts": 1}
    article = with_parts(Article.objects.all()).get()
    assert (article.status, article.provider.domain, article.quality) == ("published", "venturebeat.com", 93)
    assert article.excerpt == "The editor's own words."
    assert article.amp_web_url.startswith("https://venturebeat.com/")
    assert article.lead_image.image.source_url.startswith("https://venturebeat.com/")
    theirs = read((history / "v2.md").read_bytes())
    conflict = Conflict.objects.get(source__article=article, field="excerpt")
    assert conflict.theirs == theirs.excerpt

    workflow.unpublish(article, by=make_user("Editors"))
    file.write_bytes((history / "v3.md").read_bytes())
    assert counts(run(tmp_path)) == {"updated": 1}  # its excerpt is again what the editor began with: nothing to settle
    assert not Conflict.objects.exists()
    article = with_parts(Article.objects.all()).get()
    assert (article.status, article.provider.domain, article.quality) == ("unpublished", "businessinsider.com", 53)
    assert (article.excerpt, article.amp_web_url, article.lead_image) == ("The editor's own words.", "", None)
    assert article.secured == read((history / "v3.md").read_bytes()).secured

    workflow.publish(article, by=make_user("Editors"))
    file.write_bytes((history / "v1.md").read_bytes())
    run(tmp_path)
    assert Article.objects.get().status == "published"


def test_what_stands_below_a_providers_or_topics_front_matter_is_kept(tmp_path):
    text = "---\ntaxonomy: organization\nname: A\ndomain: a.example\n---\n{}\n"
    write_file(tmp_path, "_data/organizations/a.md", text.format("About A."))
    write_file(tmp_path, "_data/topics/t.md", "---\ntaxonomy: topic\nname: T\n---\nAbout T.\n")
    run(tmp_path)
    assert (Provider.objects.get().body, Topic.objects.get().body) == ("About A.", "About T.")
    write_file(tmp_path, "_data/organizations/a.md", text.format("More about A."))
    assert counts(run(tmp_path)) == {"unchanged": 1, "updated": 1}
    assert Provider.objects.get().body == "More about A."
    export_tree(tmp_path / "out")
    assert (tmp_path / "out/_data/organizations/a.md").read_text() == text.format("More about A.")
