"""Files that are renamed, gone, back again, or somewhere else: what becomes of their stories."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from articles import workflow
from articles.importing import ImportReport, Options, Outcome, import_paths
from articles.importing.settling import disputes, locked, settle
from articles.models import Article, ArticleImage, Conflict, SourceFile
from articles.reading import Reading
from articles.reading.workers import Readers, WorkerDiedError
from tests.articles.test_importing import counts, write_file
from tests.factories import NOON, make_user

pytestmark = pytest.mark.django_db


def story(site: Path, name: str, title: str = "Tram", *, url: str = "", more: str = "") -> Path:
    address = f'webUrl: "{url}"\n' if url else ""
    text = f'---\ntitle: "{title}"\npublishedDateTime: 2026-03-02\n{address}published: true\n{more}---\n'
    return write_file(site, f"_news/{name}.md", text)


def run(*paths: Path, **options: object) -> ImportReport:
    return import_paths(paths, Options(**options))


# --- Renamed ------------------------------------------------------------------------------------


def test_two_stories_without_an_address_are_not_one_for_being_of_the_same_day(tmp_path):
    file = story(tmp_path, "one", "One story")
    run(tmp_path)
    file.unlink()
    story(tmp_path, "two", "Quite another")
    assert counts(run(tmp_path)) == {"created": 1, "warnings": 1}
    assert set(Article.objects.values_list("title", flat=True)) == {"One story", "Quite another"}


@pytest.mark.parametrize(
    "edit", [{"published_at": NOON + timedelta(days=9)}, {"web_url": "https://a.example/right"}, {"title": "Ours"}]
)
@pytest.mark.parametrize("also_changed", [False, True])
def test_a_renamed_file_finds_its_story_though_an_editor_has_changed_it(tmp_path, edit, also_changed):
    file = story(tmp_path, "one", url="https://a.example/1")
    run(tmp_path)
    Article.objects.update(**edit)
    file.unlink()
    story(tmp_path, "1", url="https://a.example/1", more='excerpt: "New."\n' if also_changed else "")
    run(tmp_path)
    article = Article.objects.get()
    assert {name: getattr(article, name) for name in edit} == edit
    assert article.excerpt == ("New." if also_changed else "")
    assert article.source_file.path == "_news/1.md"


def test_of_two_gone_stories_that_are_alike_each_is_found_again(tmp_path):
    files = [story(tmp_path, name, name, url="https://a.example/1") for name in ("one", "two")]
    run(tmp_path)
    for file in files:
        file.rename(file.with_name(f"new-{file.name}"))
    assert counts(run(tmp_path)) == {"unchanged": 2, "warnings": 2}
    assert Article.objects.get(source_file__path="_news/new-one.md").title == "one"
    assert Article.objects.get(source_file__path="_news/new-two.md").title == "two"


@pytest.mark.parametrize(("kind", "ours"), [("topic", "shortname: {}"), ("organization", "domain: a.example\n_id: {}")])
def test_a_renamed_file_of_a_provider_or_topic_goes_on_describing_it(tmp_path, kind, ours):
    text = f"---\ntaxonomy: {kind}\nname: A\n{ours}\n---\n"
    file = write_file(tmp_path, "_data/a.md", text.format("one"))
    run(tmp_path)
    file.unlink()
    write_file(tmp_path, "_data/b.md", text.format("two"))
    assert counts(run(tmp_path)) == {"updated": 1}
    assert SourceFile.objects.get().path == "_data/b.md"
    write_file(tmp_path, "_data/c.md", text.format("three"))
    assert counts(run(tmp_path)) == {"unchanged": 1, "failed": 1}


def test_a_fresh_checkout_elsewhere_is_the_same_tree_from_then_on(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    story(here, "one", "One", url="https://a.example/1")
    story(here, "two", "Two", url="https://a.example/2")
    run(here)
    shutil.copytree(here, there)
    assert counts(run(there)) == {"unchanged": 2}
    (there / "_news/one.md").rename(there / "_news/1.md")
    (there / "_news/two.md").unlink()
    assert sorted(problem.reason for problem in run(there).warnings) == [
        "gone from the tree; nothing was changed",
        "moved here from _news/one.md",
    ]
    assert Article.objects.count() == 2


def test_overlapping_paths_are_read_once(tmp_path):
    story(tmp_path, "one")
    file = story(tmp_path, "two", "Two")
    assert counts(run(tmp_path, tmp_path / "_news", file)) == {"created": 2}
    file.unlink()
    assert counts(run(tmp_path, tmp_path / "_news")) == {"unchanged": 1, "warnings": 1}


def test_a_file_written_anew_with_its_old_size_and_date_is_read_again(tmp_path):
    file = story(tmp_path, "one", "Old")
    os.utime(file, (1e9, 1e9))
    run(tmp_path)
    file.write_text(file.read_text().replace("Old", "New"))
    os.utime(file, (1e9, 1e9))
    assert counts(run(tmp_path)) == {"updated": 1}


# --- Gone, and back -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["one", "under-another-name"])
@pytest.mark.parametrize("title", ["Tram", "Edited meanwhile"])
def test_what_was_withdrawn_is_public_again_when_its_file_is_back(tmp_path, name, title):
    file = story(tmp_path, "one", url="https://a.example/1")
    story(tmp_path, "two", "Two")
    run(tmp_path)
    file.unlink()
    run(tmp_path, withdraw_missing=True)
    assert Article.objects.published().get().title == "Two"
    story(tmp_path, name, title, url="https://a.example/1")
    assert run(tmp_path).counts[Outcome.UPDATED] == 1
    assert set(Article.objects.published().values_list("title", flat=True)) == {title, "Two"}


def test_what_an_editor_unpublished_stays_so_when_its_file_is_back(tmp_path):
    file = story(tmp_path, "one")
    story(tmp_path, "two", "Two")
    run(tmp_path)
    workflow.unpublish(Article.objects.get(stem__contains="tram"), by=make_user("Editors"))
    file.unlink()
    run(tmp_path, withdraw_missing=True)
    story(tmp_path, "one")
    run(tmp_path)
    assert Article.objects.published().get().title == "Two"


@pytest.mark.parametrize(("count", "left", "withdrawn"), [(30, 0, 0), (30, 5, 0), (30, 20, 10), (6, 1, 5), (1, 0, 0)])
def test_a_folder_that_was_emptied_withdraws_nothing(tmp_path, count, left, withdrawn):
    files = [story(tmp_path, f"{number}", f"Story {number}") for number in range(count)]
    write_file(tmp_path, "_data/topics/t.yaml", "taxonomy: topic\nname: T\n")
    run(tmp_path)
    for file in files[left:]:
        file.unlink()
    report = run(tmp_path, withdraw_missing=True)
    assert Article.objects.published().count() == count - withdrawn
    assert any("a disk may be missing" in problem.reason for problem in report.warnings) is (withdrawn == 0)


def test_withdrawing_many_takes_no_more_queries_than_one(tmp_path, django_assert_max_num_queries):
    files = [story(tmp_path, f"{number}", f"Story {number}") for number in range(40)]
    run(tmp_path)
    for file in files[30:]:
        file.unlink()
    with django_assert_max_num_queries(60):
        run(tmp_path, withdraw_missing=True)
    assert Article.objects.published().count() == 30


# --- Conflicts over several runs ----------------------------------------------------------------


def test_what_is_taken_is_what_the_source_says_by_then(tmp_path):
    story(tmp_path, "one", more="mood: calm\n")
    run(tmp_path)
    Article.objects.update(extra={"mood": "ours"})
    for weather in ("rain", "sun"):
        story(tmp_path, "one", more=f"mood: theirs\nweather: {weather}\n")
        run(tmp_path)
    source = SourceFile.objects.get()
    assert Article.objects.get().extra == {"mood": "ours", "weather": "sun"}
    settle(locked(source.pk), {each.name: each.digest for each in disputes(source)}, take=True, by=make_user())
    assert Article.objects.get().extra == {"mood": "theirs", "weather": "sun"}


def test_a_picture_that_the_source_has_dropped_is_not_offered_any_more(tmp_path):
    def pictures(*names: str) -> str:
        return "images:\n" + "".join(f'  - url: "https://p.example/{name}"\n    title: "{name}"\n' for name in names)

    story(tmp_path, "one", more=pictures("a"))
    run(tmp_path)
    ArticleImage.objects.update(title="Ours")
    for names in (("a", "b"), ("a",)):
        story(tmp_path, "one", more=pictures(*names).replace('"a"', '"Theirs"'))
        run(tmp_path)
    assert [image["url"] for image in Conflict.objects.get().theirs] == ["https://p.example/a"]


def test_the_first_file_of_a_provider_that_meets_an_editors_words_is_in_conflict(tmp_path):
    story(tmp_path, "one", more="provider:\n  name: A\n  domain: a.example\n")
    run(tmp_path)
    provider = Article.objects.get().provider
    provider.description = "Ours."
    provider.save()
    text = "---\ntaxonomy: organization\nname: A\ndomain: a.example\ndescription: Theirs.\n---\n"
    write_file(tmp_path, "_data/a.md", text)
    assert counts(run(tmp_path)) == {"unchanged": 1, "conflicts": 1}


def test_an_upload_stays_while_the_file_in_the_tree_is_the_one_that_was_read(tmp_path):
    site, upload = tmp_path / "site", tmp_path / "upload"
    os.utime(story(site, "one", "In the tree"), (1e9, 1e9))
    run(site)
    story(upload, "one", "Uploaded")
    run(upload, uploaded=True)
    assert counts(run(site)) == {"unchanged": 1}
    assert Article.objects.get().title == "Uploaded"


# --- Processes ----------------------------------------------------------------------------------


def test_files_read_in_other_processes_are_read_alike(tmp_path, monkeypatch):
    monkeypatch.setattr("articles.importing.BATCH_FILES", 3)
    monkeypatch.setattr("articles.reading.workers.WORTH_IT", 1)
    for number in range(7):
        story(tmp_path, f"{number}", f"Story {number}", more="topics:\n  - A\n  - B\n")
    write_file(tmp_path, "_news/bad.md", "---\ntitle: [\n---\n")
    report = run(tmp_path, workers=2)
    assert counts(report) == {"created": 7, "failed": 1}
    assert [topic.name for topic in Article.objects.get(title="Story 6").topics.all()] == ["A", "B"]
    assert (report.failed[0].line, "YAML" in report.failed[0].reason) == (3, True)


def test_a_process_that_dies_ends_the_run_with_advice(tmp_path, monkeypatch):
    def dead(self: Readers, tasks: object) -> object:
        def readings() -> list[Reading]:
            raise WorkerDiedError("A process that reads files has died.")

        return readings

    story(tmp_path, "one")
    monkeypatch.setattr(Readers, "read", dead)
    with pytest.raises(CommandError, match="has died"):
        call_command("import_frontmatter", str(tmp_path))


# --- Providers in bulk --------------------------------------------------------------------------


def outlet(site: Path, name: str, domain: str) -> Path:
    return write_file(site, f"_data/{name}.md", f"---\ntaxonomy: organization\nname: {name}\ndomain: {domain}\n---\n")


def test_of_two_files_of_one_provider_in_one_batch_the_second_is_refused(tmp_path):
    outlet(tmp_path, "a", "same.example")
    outlet(tmp_path, "b", "same.example")
    report = run(tmp_path)
    assert counts(report) == {"created": 1, "failed": 1}
    assert report.failed[0].reason == "a is described already, by _data/a.md"


def test_new_providers_take_no_more_queries_than_one(tmp_path):
    def queries(count: int) -> int:
        site = tmp_path / str(count)
        for number in range(count):
            outlet(site, f"{count}-{number}", f"o{count}-{number}.example")
        with CaptureQueriesContext(connection) as captured:
            run(site)
        SourceFile.objects.all().delete()
        return len(captured)

    assert queries(1) == queries(12)
