"""The record of import runs, and that there is one at a time."""

from contextlib import ExitStack
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection

from articles.importing import ImportBusyError, Options, import_paths
from articles.importing.locking import LOCK_NUMBER, only_import
from articles.models import Article, ImportRun
from tests.articles.test_importing import write_file, write_story
from tests.factories import make_user

pytestmark = pytest.mark.django_db


def outcomes(run: ImportRun) -> list[tuple]:
    return list(run.files.values_list("path", "outcome", "fields", "line", "key"))


def test_a_run_is_kept_with_who_what_and_the_counts(tmp_path):
    write_story(tmp_path)
    manager = make_user("Managers")
    report = import_paths([tmp_path], Options(as_drafts=True), by=manager, what="site.zip")
    run = ImportRun.objects.get()
    assert report.run == run
    assert (run.by, run.what, run.options, run.state) == (manager, "site.zip", {"as_drafts": True}, "done")
    assert (run.created, run.updated, run.unchanged, run.failed, run.warnings) == (1, 0, 0, 0, 0)
    assert run.began_at <= run.ended_at


def test_a_command_is_known_by_its_paths(tmp_path):
    call_command("import_frontmatter", str(tmp_path))
    run = ImportRun.objects.get()
    assert (run.what, run.by, run.options) == (str(tmp_path), None, {})


def test_each_file_is_told_of_but_for_the_unchanged(tmp_path):
    stem = "2026-03-02-{}.md"
    for name in ("created", "changed", "kept", "disputed", "same"):
        if name != "created":
            write_story(tmp_path, stem.format(name))
    import_paths([tmp_path], Options())
    Article.objects.filter(stem__endswith="kept").update(title="Edited")
    Article.objects.filter(stem__endswith="disputed").update(title="Edited")
    write_story(tmp_path, stem.format("created"))
    write_story(tmp_path, stem.format("changed"), title="New title", excerpt="New excerpt")
    write_story(tmp_path, stem.format("kept"), title="Edited")
    write_story(tmp_path, stem.format("disputed"), title="Theirs")
    write_file(tmp_path, "_news/bad.md", "---\ntitle: Bad\npublishedDateTime: never\n---\n")
    write_file(tmp_path, "_data/plain.yaml", "colour: red\n")
    run = import_paths([tmp_path], Options()).run
    assert sorted(outcomes(run)) == [
        ("_data/plain.yaml", "warnings", [], None, ""),
        ("_news/2026-03-02-changed.md", "updated", ["title", "excerpt"], None, ""),
        ("_news/2026-03-02-created.md", "created", [], None, ""),
        ("_news/2026-03-02-disputed.md", "conflicts", ["title"], None, ""),
        ("_news/2026-03-02-kept.md", "kept", ["title"], None, ""),
        ("_news/bad.md", "failed", [], 3, "publishedDateTime"),
    ]
    assert (run.created, run.updated, run.kept, run.conflicts, run.unchanged) == (1, 1, 1, 1, 1)


def test_publication_is_told_of_like_a_field(tmp_path):
    write_story(tmp_path, published="false")
    import_paths([tmp_path], Options())
    write_story(tmp_path, published="true")
    assert outcomes(import_paths([tmp_path], Options()).run)[0][2] == ["published"]


def test_a_dry_run_is_kept_too_though_it_changed_nothing(tmp_path):
    write_story(tmp_path)
    run = import_paths([tmp_path], Options(dry_run=True)).run
    run.refresh_from_db()
    assert not Article.objects.exists()
    assert (run.dry_run, run.state, run.created) == (True, "done", 1)
    assert outcomes(run) == [("_news/2026-03-02-tram.md", "created", [], None, "")]


def test_a_run_that_breaks_off_is_stopped_and_keeps_what_it_had_done(tmp_path, monkeypatch):
    monkeypatch.setattr("articles.importing.BATCH_FILES", 1)
    monkeypatch.setattr("articles.importing.AHEAD", 0)
    for name in ("a", "b"):
        write_story(tmp_path, f"2026-03-02-{name}.md")

    def interrupt(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_paths([tmp_path], Options(), progress=interrupt)
    run = ImportRun.objects.get()
    assert (run.state, run.created, run.files.count(), Article.objects.count()) == ("stopped", 1, 1, 1)


def test_a_run_that_was_killed_is_found_out_by_the_next(tmp_path):
    killed = ImportRun.objects.create(what="killed")
    import_paths([tmp_path], Options())
    killed.refresh_from_db()
    assert (killed.state, killed.ended_at) == ("stopped", None)


# --- One at a time ------------------------------------------------------------------------------


@pytest.fixture
def busy(tmp_path):
    """Another import is running; what is given ends it."""
    if connection.vendor == "postgresql":
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK_NUMBER])
        yield other.close
        other.close()
        return
    with mock.patch.dict(connection.settings_dict, NAME=str(tmp_path / "db.sqlite3")), ExitStack() as stack:
        stack.enter_context(only_import(wait=False, waiting=lambda: None))
        yield stack.close


def test_an_import_that_will_not_wait_is_told_that_another_one_runs(busy):
    with pytest.raises(ImportBusyError, match=r"^Another import is running\.$"):
        import_paths([], Options(wait=False))
    assert not ImportRun.objects.exists()


def test_an_import_says_that_it_waits_and_goes_on_when_the_other_has_ended(busy):
    told = []

    def waiting() -> None:
        told.append("waiting")
        busy()

    assert import_paths([], Options(), waiting=waiting).run.state == "done"
    assert told == ["waiting"]


def test_an_import_that_failed_is_in_nobodys_way(tmp_path):
    with pytest.raises(RuntimeError), only_import(wait=False, waiting=lambda: None):
        raise RuntimeError
    with only_import(wait=False, waiting=lambda: None):
        pass
