"""The way out: what comes out is what went in, but for what was edited here."""

import dataclasses
import errno
import io
import os
import sqlite3
import stat
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest import mock

import pytest
import yaml
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from articles import exporting, workflow
from articles.documents import (
    ArticleDocument,
    DocumentError,
    read,
    to_data,
    topic_key,
    try_read,
    write,
)
from articles.exporting import count_records, export_tree
from articles.exporting.folders import Folder, safe_name
from articles.importing import Options, import_paths
from articles.importing.updating import store_fields
from articles.merging import changed_fields
from articles.models import Article, SourceFile, Topic
from articles.records import article_document
from images import files, uploads
from images.models import RemoteImage
from providers.models import Provider
from tests.articles.test_documents import FULL, articles, organizations, topics
from tests.articles.test_editing import FOREIGN, changed_lines
from tests.articles.test_importing import write_file, write_story
from tests.factories import add_picture, make_article, make_image, make_provider, make_topic, make_user, png

pytestmark = pytest.mark.django_db

ORGANIZATION = "---\ntaxonomy: organization\n_id: a\nname: A\ndomain: a.example\ndescription: One.  # really\n---\n"
TOPIC = "taxonomy: topic\n_id: transport\nname: Transport\nkeywords:\n- tram"


@pytest.fixture
def site(tmp_path) -> Path:
    """A tree in more than one style."""
    site = tmp_path / "site"
    write_file(site, "_news/2026-03-02-full.md", FULL)
    write_file(site, "_news/2026-03-02-foreign.md", FOREIGN)
    write_file(site, "_news/deep/2026-03-02-windows.txt", FULL.replace("\n", "\r\n"))
    write_file(site, "_data/organizations/a.md", ORGANIZATION)
    write_file(site, "_data/topics/transport.yaml", TOPIC)
    write_story(site)
    return site


def tree(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def run_import(site: Path) -> None:
    assert import_paths([site], Options()).failed == []


def empty_database() -> None:
    for model in (Article, Topic, Provider):
        model.objects.all().delete()
    assert not SourceFile.objects.exists()


def add_logo(provider: Provider, address: str) -> None:
    provider.logos.create(image=make_image(cached=False, source_url=address), position=provider.logos.count())


def test_what_nobody_edited_comes_out_byte_for_byte(site, tmp_path):
    run_import(site)
    report = export_tree(tmp_path / "out")
    assert tree(tmp_path / "out") == tree(site)
    assert str(report) == "written=6 edited=0 new=0 failed=0"


def test_an_edited_story_differs_in_the_edited_lines_only(site, tmp_path):
    run_import(site)
    Article.objects.filter(stem="2026-03-02-foreign").update(title="It's another start")
    report = export_tree(tmp_path / "out")
    assert (report.edited, report.written) == (1, 6)
    text = (tmp_path / "out/_news/2026-03-02-foreign.md").read_text()
    assert changed_lines(FOREIGN, text) == [
        "-title: 'It''s a start'   # the headline",
        "+title: 'It''s another start'   # the headline",
    ]


def test_publishing_changes_one_line(site, tmp_path):
    run_import(site)
    workflow.unpublish(Article.objects.get(stem="2026-03-02-full"), by=make_user("Editors"))
    export_tree(tmp_path / "out")
    text = (tmp_path / "out/_news/2026-03-02-full.md").read_text()
    assert changed_lines(FULL, text) == ["-published: true", "+published: false"]


def test_edited_providers_and_topics_keep_the_rest_of_their_files(site, tmp_path):
    run_import(site)
    Provider.objects.filter(domain="a.example").update(name="Alpha")
    Topic.objects.filter(key="transport").update(keywords=["tram", "bus"])
    export_tree(tmp_path / "out")
    text = (tmp_path / "out/_data/organizations/a.md").read_text()
    assert changed_lines(ORGANIZATION, text) == ["-name: A", "+name: Alpha"]
    text = (tmp_path / "out/_data/topics/transport.yaml").read_text()
    assert changed_lines(TOPIC, text) == ["+- bus"]


def test_a_renamed_topics_stories_are_not_rewritten_for_another_spelling(site, tmp_path):
    run_import(site)
    Topic.objects.filter(key="transport").update(name="TRANSPORT")
    report = export_tree(tmp_path / "out")
    assert report.edited == 1  # the topic's own file
    assert tree(tmp_path / "out")["_news/2026-03-02-full.md"] == FULL.encode()


def test_a_parent_that_its_own_file_spells_otherwise_is_no_edit(tmp_path):
    write_file(tmp_path / "site", "_data/topics/1-mobility.yaml", "taxonomy: topic\nname: Mobility\n")
    write_file(tmp_path / "site", "_data/topics/2-trams.yaml", "taxonomy: topic\nname: Trams\nparent: mobility\n")
    run_import(tmp_path / "site")
    assert export_tree(tmp_path / "out").edited == 0


def test_a_story_made_here_comes_out_in_the_house_style(tmp_path):
    provider = make_provider(domain="a.example", name="A")
    article = make_article(stem="2026-03-02-a-story", title="A story", provider=provider, topics=[make_topic("AI")])
    add_picture(article, make_image(cached=False, source_url="https://a.example/1.jpg"), alt="A tram")
    export_tree(tmp_path / "out")
    [(path, data)] = tree(tmp_path / "out").items()
    assert path == "_news/2026-03-02-a-story.md"
    assert data.decode() == (
        '---\ncategory: news\ntitle: "A story"\n'
        f'excerpt: "{article.excerpt}"\npublishedDateTime: 2026-03-02T12:00:00Z\n'
        f'webUrl: "{article.web_url}"\ntype: article\npublished: true\n\n'
        "provider:\n  name: A\n  domain: a.example\n\ntopics:\n  - AI\n\n"
        'images:\n  - url: "https://a.example/1.jpg"\n    alt: "A tram"\n---\n\n'
    )


def test_described_providers_and_topics_made_here_come_out_too(tmp_path):
    make_provider(domain="b.example", description="Since 1901.")
    make_provider(domain="bare.example")
    make_topic("AI", keywords=["robots"])
    make_topic("Bare")
    export_tree(tmp_path / "out")
    assert sorted(tree(tmp_path / "out")) == ["_data/organizations/b.example.md", "_data/topics/ai.yaml"]


def test_a_provider_whose_name_or_logo_was_edited_comes_out_as_nothing_else_would_tell(site, tmp_path):
    run_import(site)
    later = timezone.now() + timedelta(minutes=1)
    Provider.objects.filter(domain="harbour.example").update(name="The Harbour Post", modified_at=later)
    Provider.objects.filter(domain="other.example").update(modified_at=later)
    add_logo(Provider.objects.get(domain="other.example"), "https://other.example/logo.png")
    export_tree(tmp_path / "out")
    new = tree(tmp_path / "out").keys() - tree(site).keys()
    assert new == {"_data/organizations/harbour.example.md", "_data/organizations/other.example.md"}
    empty_database()
    run_import(tmp_path / "out")
    assert Provider.objects.get(domain="harbour.example").name == "The Harbour Post"
    assert Provider.objects.get(domain="other.example").logo.source_url == "https://other.example/logo.png"


def test_a_provider_that_the_source_renames_needs_no_file(site, tmp_path):
    write_story(site, "2026-03-02-only.md").write_text(ONLY := FULL.replace("harbour.example", "only.example"))
    run_import(site)
    write_story(site, "2026-03-02-only.md").write_text(ONLY.replace("Harbour Post", "The Harbour Post"))
    run_import(site)
    export_tree(tmp_path / "out")
    assert tree(tmp_path / "out") == tree(site)


def test_what_the_reader_would_refuse_by_now_comes_out_in_the_house_style(site, tmp_path):
    run_import(site)
    SourceFile.objects.filter(path="_news/2026-03-02-full.md").update(text=FULL.replace("quality: 63", "quality: much"))
    assert export_tree(tmp_path / "out").edited == 1
    assert tree(tmp_path / "out")["_news/2026-03-02-full.md"] == FULL.encode()


def test_a_picture_that_was_uploaded_here_leaves_with_its_story_and_comes_back(tmp_path):
    image = uploads.upload(png((300, 200)), by=make_user("Editors"))
    add_picture(make_article(stem="2026-03-02-own"), image)
    report = export_tree(tmp_path / "out")
    assert (report.failed, report.new) == ([], 2)
    assert (tmp_path / "out" / image.source_url[1:]).read_bytes() == png((300, 200))
    Article.objects.all().delete()
    RemoteImage.objects.all().delete()
    import_paths([tmp_path / "out"], Options())
    back = Article.objects.get().lead_image.image
    assert (back.source_url, back.content_hash) == (image.source_url, image.content_hash)
    export_tree(tmp_path / "again")
    assert (tmp_path / "again" / image.source_url[1:]).exists()


def test_an_uploaded_picture_whose_file_is_lost_is_named_and_ends_nothing(tmp_path):
    image = uploads.upload(png(), by=make_user("Editors"))
    default_storage.delete(next(files.names(image)))
    make_article()
    report = export_tree(tmp_path / "out")
    assert report.written == 1
    assert len(report.failed) == 1
    assert image.source_url in report.failed[0]


def test_out_in_and_out_again_is_the_same_tree(site, tmp_path):
    run_import(site)
    article = make_article(title="Made here", topics=[make_topic("New", keywords=["new"])])
    add_picture(article, make_image(cached=False))
    Article.objects.filter(stem="2026-03-02-foreign").update(excerpt="Edited: here.")
    export_tree(tmp_path / "first")
    empty_database()
    run_import(tmp_path / "first")
    export_tree(tmp_path / "second")
    assert tree(tmp_path / "second") == tree(tmp_path / "first")


def test_sealed_text_and_unknown_keys_leave_as_they_came(site, tmp_path):
    run_import(site)
    Article.objects.filter(stem="2026-03-02-full").update(title="Edited")
    export_tree(tmp_path / "out")
    document = read((tmp_path / "out/_news/2026-03-02-full.md").read_bytes())
    assert (document.secured, document.extra) == ("c2VhbGVk;aXY=", {"mood": "calm"})


@pytest.mark.parametrize(
    ("one", "other", "path"),
    [
        ("2026-03-02-tram", "2026-03-02-Tram", "_news/2026-03-02-Tram-2.md"),
        ("2026-03-02-STRASSE", "2026-03-02-straße", "_news/2026-03-02-straße-2.md"),
        ("2026-03-02-caf\u00e9", "2026-03-02-cafe\u0301", "_news/2026-03-02-cafe\u0301-2.md"),
        ("2026-03-02-a?", "2026-03-02-a-", "_news/2026-03-02-a--2.md"),
    ],
)
def test_two_names_never_meet_even_where_neither_case_nor_spelling_counts(tmp_path, one, other, path):
    for stem in (one, other):
        make_article(stem=stem)
    export_tree(tmp_path / "out")
    assert path in tree(tmp_path / "out")
    assert len(tree(tmp_path / "out")) == 2


def test_a_new_name_makes_way_for_an_imported_one(site, tmp_path):
    run_import(site)
    make_article(stem="2026-03-02-FULL")
    export_tree(tmp_path / "out")
    assert tree(tmp_path / "out").keys() == {*tree(site), "_news/2026-03-02-FULL-2.md"}


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a:b?c", "a-b-c"),
        ("trailing. ", "trailing"),
        (".hidden", "hidden"),
        ("...", "-"),
        ("Ünï", "Ünï"),
        ("a/../b", "a-..-b"),
        ("tab\tand\x7f", "tab-and-"),
        ("con", "con-"),
        ("NUL.txt", "NUL-.txt"),
        ("Aux .md", "Aux- .md"),
        ("LPT¹", "LPT¹-"),
        ("com1.example", "com1-.example"),
        ("console", "console"),
        ("com10", "com10"),
    ],
)
def test_names_are_safe_on_any_file_system(name, safe):
    assert safe_name(name) == safe


def test_overlong_names_are_cut_and_stay_distinct():
    names = {safe_name("日本" * 80 + end) for end in "ab"}
    assert len(names) == 2
    assert max(len(name.encode()) for name in names) <= 200


# --- The folder it is written to ----------------------------------------------------------------


def keep_source(path: str) -> None:
    article = make_article()
    SourceFile.objects.create(path=path, text=FULL, digest="0" * 64, article=article, imported_at=article.published_at)


@pytest.mark.parametrize("path", ["../evil.md", "/evil.md/evil.md", "_news/../../evil.md", "..", "a\0b.md"])
def test_a_stored_path_cannot_leave_the_folder_nor_stop_the_others(tmp_path, path):
    if "\0" in path and connection.vendor == "postgresql":
        pytest.skip("PostgreSQL takes no NUL")
    keep_source(path)
    keep_source("_news/good.md")
    report = export_tree(tmp_path / "out")
    assert (report.written, len(report.failed)) == (1, 1)
    assert report.failed[0].startswith(f"{path}: ")
    assert list(tree(tmp_path)) == ["out/_news/good.md"]


def test_links_in_the_folder_are_not_followed_out_of_it(tmp_path):
    for path in ("_news/link.md", "_news/dead.md", "out/deep/a.md", "loop/a.md", "_data/good.md"):
        keep_source(path)
    outside, out = write_file(tmp_path, "outside.md", "mine"), tmp_path / "out"
    (tmp_path / "elsewhere").mkdir()
    (out / "_news").mkdir(parents=True)
    (out / "_news/link.md").symlink_to(outside)
    (out / "_news/dead.md").symlink_to(tmp_path / "nowhere.md")
    (out / "out").symlink_to(tmp_path / "elsewhere")
    (out / "loop").symlink_to(out / "loop")
    report = export_tree(out, overwrite=True)
    assert (report.written, len(report.failed)) == (1, 4)
    assert outside.read_text() == "mine"
    assert not (tmp_path / "nowhere.md").exists()
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_what_is_no_file_is_left_where_it_is(tmp_path):
    for path in ("folder.md", "pipe.md", "good.md"):
        keep_source(path)
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    report = export_tree(tmp_path, overwrite=True)
    assert (report.written, len(report.failed)) == (1, 2)
    assert stat.S_ISFIFO((tmp_path / "pipe.md").stat().st_mode)


def test_files_that_are_there_are_left_alone_unless_told(tmp_path):
    keep_source("_news/a.md")
    file = write_file(tmp_path, "_news/a.md", "mine")
    assert len(export_tree(tmp_path).failed) == 1
    assert file.read_text() == "mine"


def test_a_file_that_holds_the_same_already_is_not_touched(site):
    run_import(site)
    Article.objects.filter(stem="2026-03-02-full").update(title="Edited")
    edited, same = site / "_news/2026-03-02-full.md", site / "_news/2026-03-02-foreign.md"
    edited.chmod(0o640)
    other_name = edited.with_suffix(".backup")
    other_name.hardlink_to(edited)
    before = same.stat()
    export_tree(site, overwrite=True)
    assert (same.stat().st_ino, same.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert "Edited" in edited.read_text()
    assert stat.S_IMODE(edited.stat().st_mode) == 0o640
    assert other_name.read_text() == FULL


def test_two_paths_that_are_one_file_do_not_overwrite_each_other(tmp_path):
    """As they are where the file system ignores case: here one is a link to the other's folder."""
    (tmp_path / "_news").mkdir()
    (tmp_path / "_News").symlink_to(tmp_path / "_news")
    for path in ("_news/a.md", "_News/a.md"):
        keep_source(path)
    for overwrite in (False, True, True):
        report = export_tree(tmp_path, overwrite=overwrite)
        assert (report.written, [line.split(":")[0] for line in report.failed]) == (1, ["_News/a.md"])
        (tmp_path / "_news/a.md").write_text("another")


def test_an_export_that_was_killed_can_be_made_again(site, tmp_path):
    run_import(site)
    out, seen = tmp_path / "out", []

    def kill(done: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_tree(out, progress=kill)
    half = next(path for path in out.rglob("*.md"))
    half.write_bytes(half.read_bytes()[:50])
    assert export_tree(out, overwrite=True).failed == []
    assert tree(out) == tree(site)


def test_a_full_disk_ends_the_export(site, tmp_path, monkeypatch):
    run_import(site)
    monkeypatch.setattr(Folder, "_create", mock.Mock(side_effect=OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(CommandError, match="No space left"):
        command(tmp_path / "out")


# --- How it is done -----------------------------------------------------------------------------


def test_queries_are_as_many_for_one_story_as_for_ten(tmp_path, django_assert_num_queries):
    for _ in range(10):
        add_picture(make_article(topics=[make_topic()]))
    for index, count in enumerate((1, 10)):
        chosen = Article.objects.filter(pk__in=list(Article.objects.values_list("pk", flat=True)[:count]))
        with django_assert_num_queries(11):
            assert export_tree(tmp_path / str(index), chosen).written == count


def test_progress_counts_every_record(site, tmp_path):
    run_import(site)
    make_topic("Bare")
    done: list[int] = []
    export_tree(tmp_path / "out", progress=done.append)
    assert sum(done) == count_records()


def test_an_export_is_of_one_moment_and_keeps_nobody_from_writing(tmp_path, monkeypatch):
    """With SQLite's files, as the tests' own database is in memory."""
    monkeypatch.setattr(exporting, "connection", file_database(tmp_path / "db.sqlite3"))
    with exporting._one_moment(), exporting.connection.cursor() as cursor:
        assert rows(cursor) == [(1,)]
        with sqlite3.connect(tmp_path / "db.sqlite3", timeout=0) as another:
            another.execute("INSERT INTO story VALUES (2)")
        another.close()
        assert rows(cursor) == [(1,)]
    with exporting.connection.cursor() as cursor:
        assert rows(cursor) == [(1,), (2,)]
    exporting.connection.close()


def file_database(path: Path):
    database = connections.create_connection("default")
    if database.vendor != "sqlite":
        pytest.skip("there is a test of its own for PostgreSQL")
    database.settings_dict = database.settings_dict | {"NAME": path}
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE story (id INTEGER)")
        cursor.execute("INSERT INTO story VALUES (1)")
    return database


def rows(cursor) -> list[tuple[int]]:
    return cursor.execute("SELECT id FROM story ORDER BY id").fetchall()


@pytest.mark.django_db(transaction=True)
def test_an_export_from_postgresql_is_of_one_moment(tmp_path):
    if connection.vendor != "postgresql":
        pytest.skip("there is a test of its own for SQLite")
    for number in (1, 2):
        make_article(stem=f"2026-03-02-{number}", title="Before")
    another = connections.create_connection("default")

    def write_meanwhile(done: int) -> None:
        with another.cursor() as cursor:
            cursor.execute("UPDATE articles_article SET title = 'After'")
            cursor.execute("DELETE FROM articles_articletopic")

    make_article(topics=[make_topic("AI", keywords=["robots"])])
    export_tree(tmp_path, progress=write_meanwhile)
    another.close()
    assert not any(b"After" in text for text in tree(tmp_path).values())


def command(*args: object) -> str:
    out = io.StringIO()
    call_command("export_frontmatter", *map(str, args), stdout=out)
    return out.getvalue()


def test_the_command_writes_and_counts(tmp_path):
    make_article()
    assert command(tmp_path / "new/folder") == "written=1 edited=0 new=1 failed=0\n"


def test_the_command_can_be_asked_for_some_states(tmp_path):
    make_article(stem="2026-03-02-public")
    make_article(stem="2026-03-02-draft", public=False)
    command(tmp_path / "out", "--status", "draft")
    assert list(tree(tmp_path / "out")) == ["_news/2026-03-02-draft.md"]


def test_the_command_refuses_a_folder_with_something_in_it_unless_told(tmp_path):
    make_article()
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(CommandError, match="not empty"):
        command(tmp_path)
    command(tmp_path, "--force")
    assert (tmp_path / "precious.txt").read_text() == "mine"
    with pytest.raises(CommandError, match="not a folder"):
        command(tmp_path / "precious.txt")


def test_the_whole_corpus_comes_out_as_it_went_in(corpus, tmp_path):
    run_import(corpus / "corpus")
    export_tree(tmp_path / "out")
    expected = {path: data for path, data in tree(corpus / "corpus").items() if path.startswith(("_news", "_data"))}
    assert tree(tmp_path / "out") == expected


# --- Properties ---------------------------------------------------------------------------------


def dumped(document) -> str:
    """As PyYAML writes it: other quoting, sorted keys, folded lines, lists not indented."""
    data = to_data(document)
    body = data.pop("---", "")
    return f"---\n{yaml.safe_dump(data, allow_unicode=True)}---\n{body}\n"


roots = topics.filter(lambda topic: topic_key(topic.parent) != topic_key(topic.name))
styles = st.sampled_from([write, dumped])
marks = st.sampled_from([lambda text: text, lambda text: text.replace("\n", "\r\n"), lambda text: f"\ufeff{text}"])


# Whole documents are much to make up, on a busy machine at least.
RICH = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


def readable(*texts: str) -> bool:
    """Whether the reader takes them all: topics, say, can be too long once they are written out."""
    return not any(isinstance(try_read((text.encode(), True)), DocumentError) for text in texts)


def imported_and_exported(files: dict[str, str], folder: Path, edit=lambda: None) -> dict[str, bytes]:
    for path, text in files.items():
        write_file(folder / "site", path, text)
    empty_database()
    run_import(folder / "site")
    edit()
    assert export_tree(folder / "out").failed == []
    return tree(folder / "out")


@settings(RICH, max_examples=30)
@given(st.lists(st.tuples(articles, styles, marks), min_size=1, max_size=3), organizations, roots, styles, marks)
def test_whatever_was_imported_comes_out_byte_for_byte(told, organization, topic, style, mark):
    files = {f"_news/2026-03-02-{n}.md": mark(style(story)) for n, (story, style, mark) in enumerate(told)}
    files |= {"_data/a.md": mark(style(organization)), "_data/b.yaml": mark(style(topic))}
    assume(readable(*files.values()))
    with tempfile.TemporaryDirectory() as folder:
        exported = imported_and_exported(files, Path(folder))
    assert exported == {path: text.encode() for path, text in files.items()}


PATH = "_news/2026-03-02-a.md"
KEYS = {field.name: field.metadata.get("key", field.name) for field in dataclasses.fields(ArticleDocument)}


@settings(RICH, max_examples=40)
@given(articles, articles, st.sets(st.sampled_from(sorted(KEYS)), min_size=1, max_size=3), styles, marks)
def test_an_edit_touches_the_lines_of_its_keys_alone_and_says_what_was_meant(before, after, names, style, mark):
    text = mark(style(before))
    assume(readable(text, write(after)) and "&id" not in text)  # aliases: it would be written anew

    def edit() -> None:
        article = Article.objects.get()
        changes = {name: getattr(after, name) for name in names - {"published"}}
        store_fields(article, dataclasses.replace(article_document(article), **changes), changes)
        if "published" in names:
            status = Article.Status.PUBLISHED if after.published else Article.Status.UNPUBLISHED
            Article.objects.update(status=status, publish_at=after.published_at)

    with tempfile.TemporaryDirectory() as folder:
        result = imported_and_exported({PATH: text}, Path(folder), edit)[PATH]
        meant = article_document(Article.objects.get())
        assert untouched(result.decode(), names, before, after) == untouched(text, names, before, after)
        again = imported_and_exported({PATH: result.decode()}, Path(folder, "again"))[PATH]
    assert changed_fields(article_document(Article.objects.get()), meant) == ()
    assert again == result


def untouched(text: str, names: set[str], *documents: ArticleDocument) -> list[tuple[str, list[str]]]:
    """The lines of each key that was not edited."""
    edited = {KEYS[name] for name in names}
    edited |= {key for document in documents for key in document.extra if "extra" in names}
    return [(key, lines) for key, lines in blocks(text) if key not in edited]


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """Each key with its lines, and the body."""
    lines = text.split("\n")
    end = next(number for number, line in enumerate(lines) if number and line.rstrip() == "---")
    header = "".join(line.rstrip("\r") + "\n" for line in lines[1:end])
    root = yaml.compose(header)
    begins = [header.count("\n", 0, key.start_mark.index) + 1 for key, _ in root.value]
    names = [key.value for key, _ in root.value]
    found = [(name, lines[a:b]) for name, a, b in zip(names, begins, [*begins[1:], end], strict=True)]
    return [(name, "\n".join(part).rstrip().split("\n")) for name, part in [*found, ("body", lines[end + 1 :])]]
