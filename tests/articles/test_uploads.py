"""What editors upload: hostile zips are refused, good files find their place, and an import is confirmed once."""

import io
import stat
import tracemalloc
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import Mock
from zipfile import ZIP_BZIP2, ZIP_DEFLATED, ZIP_LZMA, ZipFile, ZipInfo

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from articles import importing
from articles.importing import ImportBusyError, packing
from articles.importing.packing import MIB, Packed, UploadError, pack
from articles.importing.uploads import UploadGoneError, confirm, discard, preview
from articles.models import Article, ImportRun, ImportUpload, SourceFile, Topic
from images.models import RemoteImage
from providers.models import Provider
from tests.factories import make_article, make_source, make_user, png

pytestmark = pytest.mark.django_db

STORY = """---
title: {title}
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: https://harbour.example/tram
published: {published}
provider: {{name: Harbour Post, domain: harbour.example}}
images: [{{url: {picture}}}]
---
"""
ORGANIZATION = b"---\ntaxonomy: organization\nname: Harbour Post\ndomain: harbour.example\n---\n"
TOPIC = b"taxonomy: topic\nname: Trams\n"
TRAM = "2026-03-02-tram.md"


def story(title: str = "Tram opens", *, published: str = "true", picture: str = "https://p.example/1.png") -> bytes:
    return STORY.format(title=title, published=published, picture=picture).encode()


def sent(name: str, content: bytes) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def zipped(files: dict[str | ZipInfo, bytes], name: str = "site.zip", compression: int = ZIP_DEFLATED):
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", compression) as target:
        for path, content in files.items():
            target.writestr(path, content)
    return sent(name, buffer.getvalue())


def zip_with_name(raw: bytes, *, utf8: bool = False) -> SimpleUploadedFile:
    """A zip of one story whose name is `raw`, whatever Python would make of that."""
    placeholder = "x" * len(raw)
    content = zipped({placeholder: story()}).read().replace(placeholder.encode(), raw)
    if utf8:
        content = in_directory(content, 8, b"\x00\x08")
    return sent("site.zip", content)


def in_directory(content: bytes, offset: int, value: bytes) -> bytes:
    """The zip with other bytes in the first entry of its directory."""
    place = content.index(b"PK\x01\x02") + offset
    return content[:place] + value + content[place + len(value) :]


def entry(path: str, mode: int) -> ZipInfo:
    info = ZipInfo(path)
    info.external_attr = mode << 16
    return info


def files_in(packed: Packed) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(packed.content)) as source:
        return {path: source.read(path) for path in source.namelist()}


def paths_of(*files) -> set[str]:
    return set(files_in(pack(files)))


# --- Hostile zips -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        (b"/etc/story.md", "absolute path"),
        (b"C:/news/story.md", "absolute path"),
        (b"c:story.md", "absolute path"),
        (b"../story.md", "leads out"),
        (b"_news/../../story.md", "leads out"),
        (b"_news/..", "leads out"),
        (b"__MACOSX/../../story.md", "leads out"),
        (b"_news\\story.md", "backslash"),
        (b"_news/story.md\0.png", "no name should have"),
        (b"_news/sto\x1bry.md", "no name should have"),
        (b"_news/st\xf6ry.md", "not UTF-8"),
        (b"_news/" + b"x" * 253 + b".md", "more than 255 bytes"),
        (b"_news/" + b"x/" * 250 + b"s.md", "more than 500 characters"),
    ],
)
def test_name_is_refused(raw, told):
    with pytest.raises(UploadError, match=told):
        pack([zip_with_name(raw)])


def test_name_that_claims_to_be_utf8_and_is_not_is_refused():
    with pytest.raises(UploadError, match="not UTF-8"):
        pack([zip_with_name(b"_news/st\xf6ry.md", utf8=True)])


def test_names_in_utf8_are_taken_whether_or_not_they_are_marked_so():
    unmarked = zip_with_name("_news/über.md".encode())
    assert paths_of(unmarked) == paths_of(zipped({"_news/über.md": story()})) == {"_news/über.md"}


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_link_or_device_is_refused(kind):
    with pytest.raises(UploadError, match="link or a device"):
        pack([zipped({entry("_news/story.md", kind | 0o777): b"/etc/passwd"})])


def test_plain_files_with_a_mode_are_taken():
    assert paths_of(zipped({entry("_news/story.md", stat.S_IFREG | 0o644): story()})) == {"_news/story.md"}


@pytest.mark.parametrize("flags", [b"\x01\x00", b"\x41\x00", b"\x00\x20"])
def test_encrypted_file_is_refused(flags):
    content = zipped({"_news/story.md": story()}).read()
    with pytest.raises(UploadError, match="encrypted"):
        pack([sent("site.zip", in_directory(content, 8, flags))])


@pytest.mark.parametrize("compression", [ZIP_BZIP2, ZIP_LZMA])
def test_compression_that_may_ask_for_much_memory_is_refused(compression):
    with pytest.raises(UploadError, match="not packed as a plain zip"):
        pack([zipped({"_news/story.md": story()}, compression=compression)])


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (["_news/a.md", "_news/A.md"], "one file or folder to some systems"),
        (["_news/a.md", "_News/b.md"], "one file or folder to some systems"),
        (["_news/\u00e9.md", "_news/e\u0301.md"], "one file or folder to some systems"),
        (["_news/a.md", "_news/a.md/b.md"], "one file or folder to some systems"),
        (["_news/a.md/b.md", "_news/a.md"], "one file or folder to some systems"),
        (["_news/a.md", "_news/./a.md"], "there twice"),
        (["_news/a.md", "_news//a.md"], "there twice"),
    ],
)
def test_names_that_may_be_one_are_refused(paths, told):
    with pytest.raises(UploadError, match=told):
        pack([zipped(dict.fromkeys(paths, story()))])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_name_that_is_there_twice_is_refused():
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as target:
        target.writestr("_news/a.md", story())
        target.writestr("_news/a.md", story("Another"))
    with pytest.raises(UploadError, match="there twice"):
        pack([sent("site.zip", buffer.getvalue())])


def test_the_same_path_from_two_zips_is_refused():
    with pytest.raises(UploadError, match="there twice"):
        pack([zipped({"_news/a.md": story()}), zipped({"site/_news/a.md": story()}, "other.zip")])


@pytest.mark.parametrize("content", [b"", b"no zip at all", b"PK\x05\x06" + b"\0" * 10, b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_refused(content):
    with pytest.raises(UploadError, match="not packed as a plain zip"):
        pack([sent("site.zip", content)])


SIZE, CHECKSUM, PLACE = 24, 16, 42  # in an entry of a zip's directory


@pytest.mark.parametrize(("offset", "value"), [(SIZE, b"\1\0\0\0"), (CHECKSUM, b"abcd"), (PLACE, b"\xff\xff")])
def test_zip_whose_directory_lies_is_refused(offset, value):
    content = zipped({"_news/story.md": story()}).read()
    with pytest.raises(UploadError, match="damaged"):
        pack([sent("site.zip", in_directory(content, offset, value))])


def test_what_a_zip_says_of_its_size_does_not_count():
    content = in_directory(zipped({"_news/story.md": story()}).read(), SIZE, b"\xff\xff\xff\x7f")
    assert files_in(pack([sent("site.zip", content)])) == {"_news/story.md": story()}


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_damage_does_more_than_to_be_refused(data):
    content = bytearray(zipped({"_news/a.md": story(), "assets/a.png": b"picture", "b.css": b""}).read())
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        pack([sent("site.zip", bytes(content[: data.draw(st.integers(0, len(content)))]))])
    except UploadError as error:
        assert str(error)


# --- Limits -------------------------------------------------------------------------------------


def test_upload_over_the_limit_is_refused_before_it_is_read():
    class Huge(SimpleUploadedFile):
        def read(self, *args):
            raise AssertionError("It was read.")

    huge = Huge("site.zip", b"")
    huge.size = 20 * MIB + 1
    with pytest.raises(UploadError, match="more than 20 MiB"):
        pack([huge])


def test_more_files_than_the_limit_are_refused(monkeypatch):
    monkeypatch.setattr(packing, "MAX_FILES", 2)
    assert len(paths_of(zipped({f"_news/{number}.md": story() for number in range(2)}))) == 2
    with pytest.raises(UploadError, match="3 files"):
        pack([zipped({f"_news/{number}.md": story() for number in range(3)})])


def test_zip_of_very_many_entries_is_refused_before_it_is_opened(monkeypatch):
    monkeypatch.setattr(packing, "MAX_ENTRIES", 2)
    monkeypatch.setattr(packing, "ZipFile", None)
    with pytest.raises(UploadError, match="more than 2 entries"):
        pack([zipped({f"css/{number}.css": b"" for number in range(3)})])


def test_document_of_more_than_a_mebibyte_is_refused():
    assert paths_of(zipped({"_news/a.md": b"x" * MIB}))
    with pytest.raises(UploadError, match=r"“_news/a.md” is larger than 1 MiB"):
        pack([zipped({"_news/a.md": b"x" * (MIB + 1)})])


def test_many_that_are_small_each_are_too_much_together(monkeypatch):
    monkeypatch.setattr(packing, "MAX_UNPACKED", 3 * MIB)
    assert paths_of(zipped({f"_news/{number}.md": b"x" * MIB for number in range(3)}))
    with pytest.raises(UploadError, match="Unpacked, that is more than 3 MiB"):
        pack([zipped({f"_news/{number}.md": b"x" * MIB for number in range(4)})])


def test_bomb_is_refused_in_little_memory():
    """A tenth of a megabyte sent, a picture of 100 MiB: as much is unpacked as one picture may have."""
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as target:
        target.writestr("_news/a.md", story())
        with target.open("assets/a.png", "w", force_zip64=True) as bomb:
            for _ in range(100):
                bomb.write(bytes(MIB))
    upload = sent("site.zip", buffer.getvalue())
    tracemalloc.start()
    try:
        with pytest.raises(UploadError, match="larger than 20 MiB"):
            pack([upload])
        assert tracemalloc.get_traced_memory()[1] < 50 * MIB
    finally:
        tracemalloc.stop()


def test_upload_without_a_document_is_refused():
    with pytest.raises(UploadError, match="no document"):
        pack([zipped({"assets/a.png": png(), "readme.pdf": b""})])


# --- What is taken ------------------------------------------------------------------------------


def test_documents_and_pictures_below_assets_are_taken_and_the_rest_is_named():
    files = {
        "_news/a.md": story(),
        "_data/topics/t.yaml": TOPIC,
        "assets/images/a.png": b"picture",
        "images/b.png": b"picture",
        "index.html": b"",
        "old.zip": b"PK",
    }
    packed = pack([zipped(files), sent("c.png", b"picture")])
    kept = ["_news/a.md", "_data/topics/t.yaml", "assets/images/a.png"]
    assert files_in(packed) == {path: files[path] for path in kept}
    assert set(packed.left_out) == {"images/b.png", "index.html", "old.zip", "c.png"}
    assert "old.zip" in packed.warning


def test_hidden_files_are_skipped_without_a_word():
    hidden = [".git/config.md", "_news/.a.md", "__MACOSX/_news/._a.md", "_news/__MACOSX/a.md"]
    packed = pack([zipped(dict.fromkeys([*hidden, "_news/a.md"], story())), sent(".b.md", story())])
    assert set(files_in(packed)) == {"_news/a.md"}
    assert packed.warning == ""


def test_folders_are_no_files():
    assert paths_of(zipped({"_news/": b"", "_news/2026.md/": b"", "_news/a.md": story()})) == {"_news/a.md"}


@pytest.mark.parametrize("prefix", ["", "site/", "home/site/", "./", "./site/"])
def test_site_may_lie_in_folders_of_its_own(prefix):
    paths = ["_news/a.md", "_data/topics/t.md", "assets/a.png"]
    files = {f"{prefix}{path}": story() for path in paths} | {f"{prefix}style.css": b"", "__MACOSX/x": b""}
    assert paths_of(zipped(files)) == set(paths)


@pytest.mark.parametrize("folder", ["_news", "_data"])
def test_folder_that_means_something_stays(folder):
    assert paths_of(zipped({f"{folder}/a.md": story()})) == {f"{folder}/a.md"}


def test_folders_of_a_part_stay_where_there_are_several():
    assert paths_of(zipped({"2025/a.md": story(), "2026/b.md": story()})) == {"2025/a.md", "2026/b.md"}


def test_sealed_and_odd_bytes_come_through_as_they_are():
    content = b"\xef\xbb\xbf---\r\ntitle: \xff\0\r\n---\r\n"
    assert files_in(pack([sent("a.md", content)])) == {"_news/a.md": content}


# --- Where a file belongs -----------------------------------------------------------------------


def test_new_files_without_a_folder_go_where_their_kind_is():
    files = {"a.md": story(), "harbour.md": ORGANIZATION, "t.yaml": TOPIC, "broken.md": b"-"}
    expected = {"_news/a.md", "_data/organizations/harbour.md", "_data/topics/t.yaml", "_news/broken.md"}
    assert paths_of(*(sent(name, content) for name, content in files.items())) == expected
    assert paths_of(zipped(files)) == expected
    assert paths_of(zipped({f"some/{name}": content for name, content in files.items()})) == expected


@pytest.mark.parametrize("name", [TRAM, "2026/" + TRAM, "_news/2026/" + TRAM])
def test_file_goes_where_the_archive_has_it(name):
    make_source(make_article(), path="old/_news/2026/" + TRAM)
    other = {"other/b.md": story()} if "/" in name else {}  # so that folders count
    assert "old/_news/2026/" + TRAM in paths_of(zipped({name.removeprefix("_news/"): story()} | other))


def test_file_of_a_site_goes_where_the_site_has_it():
    make_source(make_article(), path="old/_news/" + TRAM)
    assert paths_of(zipped({"_news/" + TRAM: story(), "readme.md": b""})) == {"_news/" + TRAM, "readme.md"}


def test_where_several_might_be_meant_a_file_is_new():
    for folder in ("2025", "2026"):
        make_source(make_article(), path=f"_news/{folder}/{TRAM}")
    assert paths_of(sent(TRAM, story())) == {"_news/" + TRAM}


def test_a_path_of_its_own_is_meant_before_longer_ones():
    for folder in ("", "2026/"):
        make_source(make_article(), path=f"{folder}{TRAM}")
    assert paths_of(sent(TRAM, story())) == {TRAM}


def test_names_are_told_apart_by_case_and_in_full():
    for path in ("_news/TRAM.md", "_news/x-tram.md"):
        make_source(make_article(), path=path)
    assert paths_of(sent("tram.md", story())) == {"_news/tram.md"}


def test_places_take_one_query_however_many_files(django_assert_num_queries):
    for number in range(3):
        make_source(make_article(), path=f"_news/2026/{number}.md")
    with django_assert_num_queries(1):
        assert len(paths_of(*(sent(f"{number}.md", story()) for number in range(5)))) == 5


# --- Preview and confirmation -------------------------------------------------------------------


@pytest.fixture
def editor():
    return make_user("Managers")


@pytest.fixture
def rehearse(editor):
    def rehearse(*files, **options) -> ImportRun:
        return preview(pack(files), **{"as_drafts": False, "overwrite": False} | options, by=editor)

    return rehearse


@pytest.fixture
def busy(monkeypatch):
    """While it is entered, another import runs."""

    @contextmanager
    def busy():
        with monkeypatch.context() as patch:
            patch.setattr(importing, "only_import", Mock(side_effect=ImportBusyError))
            yield

    return busy


def test_preview_changes_nothing_and_says_what_would_happen(rehearse, editor):
    run = rehearse(zipped({"_news/" + TRAM: story(), "_news/broken.md": b"broken"}))
    assert (run.dry_run, run.created, run.failed, run.by, run.what) == (True, 1, 1, editor, "site.zip")
    assert run.files.get(outcome="created").path == "_news/" + TRAM
    assert not Article.objects.exists()
    assert not Provider.objects.exists()
    assert ImportUpload.objects.get().run == run


def test_confirmed_files_are_imported(rehearse):
    someone = make_user("Managers")
    files = {
        "_news/" + TRAM: story(picture="/assets/tram.png"),
        "_data/topics/t.yaml": TOPIC,
        "assets/tram.png": png(),
    }
    done = confirm(rehearse(zipped(files)), by=someone)
    assert (done.dry_run, done.created, done.by, done.state) == (False, 2, someone, "done")
    assert Article.objects.published().get().title == "Tram opens"
    assert Topic.objects.filter(name="Trams").exists()
    assert RemoteImage.objects.get(source_url="/assets/tram.png").has_picture
    assert not ImportUpload.objects.exists()


def test_sent_again_a_file_updates_its_story(rehearse, editor):
    confirm(rehearse(sent(TRAM, story())), by=editor)
    SourceFile.objects.update(path="_news/2026/" + TRAM, tree="/srv/site")
    run = confirm(rehearse(sent(TRAM, story("Tram closes"))), by=editor)
    assert (run.created, run.updated) == (0, 1)
    assert Article.objects.get().title == "Tram closes"
    assert SourceFile.objects.get().tree == "/srv/site"
    assert confirm(rehearse(sent(TRAM, story("Tram closes"))), by=editor).unchanged == 1


def test_an_upload_of_one_file_says_nothing_of_the_others(rehearse, editor):
    confirm(rehearse(sent("2026-03-01-a.md", story()), sent("2026-03-02-b.md", story("B"))), by=editor)
    run = confirm(rehearse(sent("2026-03-02-b.md", story("C"))), by=editor)
    assert run.warnings == 0
    assert {source.tree for source in SourceFile.objects.all()} == {""}


def test_options_are_those_of_the_preview(rehearse, editor):
    confirm(rehearse(sent(TRAM, story()), as_drafts=True), by=editor)
    article = Article.objects.get()
    assert article.status == "draft"
    Article.objects.update(title="Edited here")
    assert confirm(rehearse(sent(TRAM, story("Newer"))), by=editor).conflicts == 1
    assert confirm(rehearse(sent(TRAM, story("Newest")), overwrite=True, as_drafts=True), by=editor).updated == 1
    assert Article.objects.get().title == "Newest"


def test_only_the_first_of_two_confirmations_imports(rehearse, editor):
    run = rehearse(sent(TRAM, story()))
    confirm(run, by=editor)
    with pytest.raises(UploadGoneError):
        confirm(run, by=editor)
    assert ImportRun.objects.filter(dry_run=False).count() == 1


def test_confirmation_that_loses_the_race_does_nothing(rehearse, editor, monkeypatch):
    """Both have read the files when the first one takes them."""
    run = rehearse(sent(TRAM, story()))
    upload = ImportUpload.objects.get()
    discard(run)
    monkeypatch.setattr("django.db.models.QuerySet.first", lambda rows: upload)
    with pytest.raises(UploadGoneError):
        confirm(run, by=editor)
    assert not Article.objects.exists()


def test_while_another_import_runs_nothing_is_lost(rehearse, editor, busy):
    with busy(), pytest.raises(ImportBusyError):
        rehearse(sent(TRAM, story()))
    assert not ImportUpload.objects.exists()
    run = rehearse(sent(TRAM, story()))
    with busy(), pytest.raises(ImportBusyError):
        confirm(run, by=editor)
    assert confirm(run, by=editor).created == 1


def test_import_that_is_interrupted_keeps_its_files(rehearse, editor, monkeypatch):
    run = rehearse(sent(TRAM, story()))
    with monkeypatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr(importing, "find_files", Mock(side_effect=SystemExit))
        confirm(run, by=editor)
    assert ImportRun.objects.get(dry_run=False).state == "stopped"
    assert confirm(run, by=editor).created == 1


def test_discarded_files_are_gone(rehearse, editor):
    run = rehearse(sent(TRAM, story()))
    assert discard(run)
    assert not discard(run)
    with pytest.raises(UploadGoneError):
        confirm(run, by=editor)


def test_a_new_upload_sweeps_those_older_than_a_day(rehearse):
    old, recent = rehearse(sent(TRAM, story())), rehearse(sent(TRAM, story()))
    ImportUpload.objects.filter(run=old).update(created_at=timezone.now() - timedelta(hours=25))
    new = rehearse(sent(TRAM, story()))
    assert set(ImportUpload.objects.values_list("run", flat=True)) == {recent.pk, new.pk}


def test_nothing_stays_on_the_disk(rehearse, editor, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    confirm(rehearse(sent(TRAM, story())), by=editor)
    assert list(tmp_path.glob("copydesk-upload-*")) == []
