"""Import runs in the admin: what they tell, to whom; and importing uploaded files by way of a dry run."""

import io
import re
from datetime import timedelta
from unittest.mock import Mock
from zipfile import ZipFile

import pytest
from django.contrib.auth.models import Permission
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from articles import importing
from articles.admin import imports
from articles.importing import ImportBusyError
from articles.models import Article, ImportedFile, ImportRun, ImportUpload
from tests.articles.pages import messages
from tests.factories import (
    NOON,
    make_article,
    make_provider,
    make_run,
    make_source,
    make_topic,
    make_user,
)

pytestmark = pytest.mark.django_db
LIST = reverse("admin:articles_importrun_changelist")
UPLOAD = reverse("admin:articles_importrun_upload")
ROLES = ["anonymous", "staff", "Contributors", "Editors", "Managers"]
TRAM = "2026-03-02-tram.md"
STORY = b"""---
title: Tram opens
publishedDateTime: 2026-03-02T10:15:00Z
webUrl: https://harbour.example/tram
published: true
provider: {name: Harbour Post, domain: harbour.example}
secured: "c2VhbGVk;c2VhbGVk"
---
"""


def address(run: ImportRun, page: str = "change") -> str:
    return reverse(f"admin:articles_importrun_{page}", args=[run.pk])


def as_role(role: str, *rights: str) -> Client:
    client = Client()
    if role != "anonymous":
        user = make_user(role if role in ("Contributors", "Editors", "Managers") else "")
        user.user_permissions.add(*Permission.objects.filter(codename__in=rights))
        client.force_login(user)
    return client


def outcome(response) -> str:
    if response.status_code == 302 and "/login/" in response["Location"]:
        return "login"
    return {200: "page", 302: "done", 403: "refused", 404: "missing", 405: "not so"}[response.status_code]


def form_data(*files: tuple[str, bytes], **options) -> dict:
    return {"upload": [SimpleUploadedFile(name, content) for name, content in files]} | options


def upload(client, *files: tuple[str, bytes], **options) -> ImportRun:
    """The dry run of the files; of one story if none is given."""
    response = client.post(UPLOAD, form_data(*(files or [(TRAM, STORY)]), **options))
    assert response.status_code == 302, response.context["form"].errors
    return ImportRun.objects.get(pk=re.search(r"/(\d+)/change/", response["Location"])[1])


def text_of(response) -> str:
    """What is to be read in the page's content."""
    page = response.content.decode().partition('<div id="content"')[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


@pytest.fixture
def manager():
    return as_role("Managers")


@pytest.fixture
def editor():
    return as_role("Editors")


# --- Who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("anonymous", "login"),
        ("staff", "refused"),
        ("Contributors", "refused"),
        ("Editors", "page"),
        ("Managers", "page"),
    ],
)
def test_who_sees_runs(role, expected):
    run = make_run({"reason": "why"})
    assert outcome(as_role(role).get(LIST)) == expected
    assert outcome(as_role(role).get(address(run))) == expected


@pytest.mark.parametrize("role", ROLES)
def test_only_managers_upload_confirm_and_discard(role):
    expected = {"anonymous": "login", "Managers": "done"}.get(role, "refused")
    client, run = as_role(role), upload(as_role("Managers"))
    assert outcome(client.get(UPLOAD)) == expected.replace("done", "page")
    assert outcome(client.post(UPLOAD, form_data((TRAM, STORY)))) == expected
    assert outcome(client.post(address(run, "confirm"))) == expected
    assert Article.objects.exists() == (role == "Managers")
    other = upload(as_role("Managers"))
    assert outcome(client.post(address(other, "discard"))) == expected
    assert ImportUpload.objects.filter(run=other).exists() == (role != "Managers")


@pytest.mark.parametrize("right", ["run_importrun", "publish_article"])
def test_one_right_of_the_two_is_not_enough_to_upload(right):
    """An import publishes and unpublishes as its files say."""
    client, run = as_role("staff", right, "view_importrun"), upload(as_role("Managers"))
    assert outcome(client.post(UPLOAD, form_data((TRAM, STORY)))) == "refused"
    assert outcome(client.post(address(run, "confirm"))) == "refused"
    assert UPLOAD not in client.get(LIST).content.decode()
    assert address(run, "confirm") not in client.get(address(run)).content.decode()


def test_who_may_not_change_records_cannot_let_the_source_win(manager):
    client = as_role("staff", "run_importrun", "publish_article", "view_importrun")
    assert "overwrite" not in client.get(UPLOAD).content.decode()
    assert upload(client, overwrite="on").options.get("overwrite") is None
    run = upload(manager, overwrite="on")
    assert run.options["overwrite"] is True
    assert outcome(client.post(address(run, "confirm"))) == "refused"
    assert address(run, "confirm") not in client.get(address(run)).content.decode()
    assert not Article.objects.exists()


def test_forms_without_a_token_are_refused(manager):
    run = upload(manager)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(make_user("Managers"))
    for url in (UPLOAD, address(run, "confirm"), address(run, "discard")):
        assert strict.post(url).status_code == 403
    assert ImportUpload.objects.exists()


@pytest.mark.parametrize("page", ["confirm", "discard"])
def test_a_link_does_nothing(manager, page):
    run = upload(manager)
    assert outcome(manager.get(address(run, page))) == "not so"
    assert ImportUpload.objects.exists()


@pytest.mark.parametrize("page", ["change", "confirm", "discard"])
@pytest.mark.parametrize("key", [0, 99_999_999_999_999_999_999])
def test_run_that_there_is_not_is_missing(manager, page, key):
    url = reverse(f"admin:articles_importrun_{page}", args=[key])
    assert outcome(manager.get(url) if page == "change" else manager.post(url)) in ("missing", "done")
    assert not ImportRun.objects.exists()


def test_a_real_run_can_not_be_confirmed(manager):
    assert outcome(manager.post(address(make_run(), "confirm"))) == "missing"


def test_nobody_adds_or_changes_a_run():
    client = Client()
    client.force_login(make_user(is_superuser=True))
    run = make_run()
    assert outcome(client.get(reverse("admin:articles_importrun_add"))) == "refused"
    client.post(address(run), {"what": "changed"})
    assert ImportRun.objects.get().what == "/srv/site"


# --- The list -----------------------------------------------------------------------------------


def test_list_tells_when_who_what_and_what_came_of_it(editor):
    user = make_user("Managers", username="mara")
    took = NOON + timedelta(seconds=83)
    make_run(what="site.zip", by=user, ended_at=took, created=1234, failed=1, conflicts=2, warnings=1, dry_run=True)
    make_run(what="/srv/site", warnings=11)
    make_run()
    text = text_of(editor.get(LIST))
    for told in ("2 Mar 2026, 12:00", "mara", "site.zip", "Dry run, done", "1 min 23 s", "A command", "no files"):
        assert told in text
    assert "1,234 created, 2 in conflict, 1 failed, 1 warning " in text
    assert "11 warnings" in text


def listed(client, **query) -> set[str]:
    return {run.what for run in client.get(LIST, query).context["cl"].result_list}


def test_list_is_narrowed_by_its_filters():
    user = make_user("Editors")
    client = Client()
    client.force_login(user)
    make_run(what="mine", by=user, dry_run=True)
    make_run(what="hers", by=make_user(), failed=1, state="stopped")
    make_run(what="cron", conflicts=1)
    expected = {
        "state=stopped": {"hers"},
        "state=done": {"mine", "cron"},
        "kind=dry": {"mine"},
        "kind=import": {"hers", "cron"},
        "trouble=failed": {"hers"},
        "trouble=conflicts": {"cron"},
        "trouble=warnings": set(),
        "who=me": {"mine"},
        "who=people": {"mine", "hers"},
        "who=commands": {"cron"},
        "q=cro": {"cron"},
        "who=nonsense": {"mine", "hers", "cron"},
    }
    found = {query: listed(client, **dict([query.split("=")])) for query in expected}
    assert found == expected


@pytest.mark.parametrize(("goes_on", "shown"), [(True, "Running"), (False, "Stopped")])
def test_run_that_was_killed_is_shown_as_stopped(editor, monkeypatch, goes_on, shown):
    monkeypatch.setattr(imports, "import_is_running", lambda: goes_on)
    run = make_run(state="running", ended_at=None, what="the run")
    assert shown in text_of(editor.get(address(run)))
    assert listed(editor, state=shown.lower()) == {"the run"}
    assert listed(editor, state="running") == ({"the run"} if goes_on else set())


def test_lock_tells_whether_an_import_is_running(monkeypatch):
    monkeypatch.setattr(imports, "only_import", Mock(side_effect=ImportBusyError))
    assert imports.import_is_running()


def test_buttons_are_there_for_who_may(manager, editor):
    assert UPLOAD in manager.get(LIST).content.decode()
    assert UPLOAD not in editor.get(LIST).content.decode()


# --- One run ------------------------------------------------------------------------------------


def test_page_tells_of_each_file(editor):
    run = make_run(
        {"path": "_news/a.md", "outcome": "updated", "fields": ["title", "web_url", "related"]},
        {"path": "_news/b.md", "outcome": "failed", "line": 3, "key": "images[0].url", "reason": "is no address"},
        {"path": "_news/c.md", "outcome": "warnings", "reason": "<script>alert(1)</script>"},
        options={"as_drafts": True},
    )
    response = editor.get(address(run))
    text = text_of(response)
    assert "title, web address, related stories" in text
    assert "Line 3. images[0].url : is no address" in text
    assert "As drafts" in text
    assert "<script>alert" not in response.content.decode()


def test_each_file_leads_to_its_record(editor):
    records = {"_news/a.md": make_article(), "_data/o.md": make_provider(), "_data/t.yaml": make_topic()}
    for path, record in records.items():
        make_source(record, path=path)
    page = editor.get(address(make_run(*({"path": path} for path in records)))).content.decode()
    for path, record in records.items():
        meta = record._meta
        url = reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[record.pk])
        assert f'<a href="{url}">{path}</a>' in page


def test_fields_have_the_names_that_editors_know_them_by(editor):
    make_source(make_provider(), path="_data/o.md")
    run = make_run({"path": "_data/o.md", "outcome": "updated", "fields": ["other_names", "images"]})
    assert "also known as, pictures" in text_of(editor.get(address(run)))


def test_no_link_leads_where_the_user_may_not_go():
    make_source(make_article(), path="_news/a.md")
    page = as_role("staff", "view_importrun").get(address(make_run({"path": "_news/a.md"}))).content.decode()
    assert "_news/a.md" in page
    assert "/admin/articles/article/" not in page


def paths_on(client, run, **query) -> list[str]:
    return [file.path for file, _, _ in client.get(address(run), query).context["files"]]


def test_files_come_page_by_page_what_needs_somebody_first(editor):
    kinds = ["created", "failed", "updated", "conflicts", "warnings", "kept"]
    run = make_run(*({"outcome": kinds[number % 6], "path": f"{number}"} for number in range(240)))
    pages = [paths_on(editor, run, p=page) for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [100, 100, 40]
    found = [kinds[int(path) % 6] for page in pages for path in page]
    assert found == [
        kind for kind in ("failed", "conflicts", "warnings", "kept", "updated", "created") for _ in range(40)
    ]
    assert len({path for page in pages for path in page}) == 240


@pytest.mark.parametrize("page", ["0", "-1", "x", "99", "9" * 5000])
def test_odd_page_numbers_show_some_page(editor, page):
    assert paths_on(editor, make_run({}), p=page) == ["_news/0.md"]


def test_files_are_found_by_outcome_and_path(editor):
    run = make_run({"path": "a", "outcome": "failed"}, {"path": "ab"}, {"path": "b"})
    make_run({"path": "a of another run"})
    assert paths_on(editor, run, outcome="created") == ["ab", "b"]
    assert paths_on(editor, run, q="A") == ["a", "ab"]
    assert paths_on(editor, run, q="a", outcome="created") == ["ab"]
    assert paths_on(editor, run, outcome="nonsense") == ["a", "ab", "b"]
    assert paths_on(editor, run, q="\0") == ["a", "ab", "b"]
    assert "No file here has that in its path" in text_of(editor.get(address(run), {"q": "z"}))
    text = text_of(editor.get(address(run)))
    assert "All 3" in text
    assert "Failed 1" in text
    assert "Created 2" in text


def test_page_says_so_where_a_dry_run_kept_no_more(editor, monkeypatch):
    monkeypatch.setattr(imports, "MAX_REHEARSED", 2)
    told = [text_of(editor.get(address(make_run(*({} for _ in range(files)), dry_run=True)))) for files in (1, 2)]
    assert ["only the first 2 are kept" in text for text in told] == [False, True]
    assert "only the first" not in text_of(editor.get(address(make_run({}, {}))))


def test_links_keep_what_was_asked_for(editor):
    run = make_run(*({"path": f"a{number}"} for number in range(101)))
    page = editor.get(address(run), {"q": "a", "outcome": "created"}).content.decode()
    assert "?q=a&amp;outcome=created&amp;p=2" in page


def queries_for(client, url) -> int:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


def test_pages_take_as_many_queries_however_much_there_is(editor):
    few = make_run({}, by=make_user())
    before = queries_for(editor, address(few)), queries_for(editor, LIST)
    for number in range(10):
        make_source(make_article(), path=f"_news/{number}.md")
        make_run(by=make_user())
    many = make_run(*({} for _ in range(10)), by=make_user())
    assert (queries_for(editor, address(many)), queries_for(editor, LIST)) == before == (11, 7)


# --- Deleting -----------------------------------------------------------------------------------


def test_runs_are_deleted_with_their_files_and_without_loading_them(manager):
    upload(manager)
    for run in (make_run(*({"path": "a secret path"} for _ in range(30))), ImportRun.objects.get(dry_run=True)):
        with CaptureQueriesContext(connection) as queries:
            page = text_of(manager.get(address(run, "delete")))
            assert manager.post(address(run, "delete"), {"post": "yes"}).status_code == 302
        assert "a secret path" not in page
        assert not [query for query in queries if '"articles_importedfile"."path"' in query["sql"]]
        assert not [query for query in queries if '"articles_importupload"."content"' in query["sql"]]
    assert not ImportRun.objects.exists()
    assert not ImportedFile.objects.exists()
    assert not ImportUpload.objects.exists()


def test_selected_runs_are_deleted(manager):
    runs = [make_run({}), make_run({}), make_run({})]
    data = {"action": "delete_selected", "_selected_action": [run.pk for run in runs[:2]], "post": "yes"}
    manager.post(LIST, data)
    assert list(ImportRun.objects.all()) == runs[2:]


def test_editors_delete_nothing(editor):
    run = make_run({})
    assert outcome(editor.post(address(run, "delete"), {"post": "yes"})) == "refused"
    editor.post(LIST, {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"})
    assert ImportRun.objects.exists()


def test_run_that_goes_on_stays(manager, monkeypatch):
    monkeypatch.setattr(imports, "import_is_running", lambda: True)
    run = make_run({}, state="running")
    assert outcome(manager.post(address(run, "delete"), {"post": "yes"})) == "refused"
    manager.post(LIST, {"action": "delete_selected", "_selected_action": [run.pk], "post": "yes"})
    assert ImportRun.objects.exists()


# --- Uploading ----------------------------------------------------------------------------------


def test_dry_run_is_shown_and_then_imported(manager):
    run = upload(manager, (TRAM, STORY), ("broken.md", b"broken"))
    assert (run.dry_run, run.created, run.failed) == (True, 1, 1)
    page = manager.get(address(run))
    assert "Import this file" in text_of(page)
    assert "1 created, 1 failed" in text_of(page)
    assert not Article.objects.exists()

    response = manager.post(address(run, "confirm"), follow=True)
    done = ImportRun.objects.get(dry_run=False)
    assert response.redirect_chain == [(address(done), 302)]
    assert messages(response) == ["The files were imported: 1 created, 1 failed."]
    assert Article.objects.published().get().title == "Tram opens"
    assert "c2VhbGVk" not in response.content.decode()
    assert "Import this file" not in text_of(manager.get(address(run)))


def test_confirmed_twice_it_is_imported_once(manager):
    run = upload(manager)
    manager.post(address(run, "confirm"))
    response = as_role("Managers").post(address(run, "confirm"), follow=True)
    assert messages(response) == [imports.GONE]
    assert ImportRun.objects.filter(dry_run=False).count() == 1


def test_discarded_it_is_not_imported(manager):
    run = upload(manager)
    assert messages(manager.post(address(run, "discard"), follow=True)) == ["Discarded. Nothing was imported."]
    assert messages(manager.post(address(run, "confirm"), follow=True)) == [imports.GONE]
    assert messages(manager.post(address(run, "discard"), follow=True)) == [imports.GONE]
    assert not Article.objects.exists()


def test_while_another_import_runs_the_files_wait(manager, monkeypatch):
    run = upload(manager)
    with monkeypatch.context() as patch:
        patch.setattr(importing, "only_import", Mock(side_effect=ImportBusyError))
        response = manager.post(UPLOAD, form_data((TRAM, STORY)))
        assert response.context["form"].non_field_errors() == [imports.BUSY]
        response = manager.post(address(run, "confirm"), follow=True)
        assert messages(response) == [imports.BUSY]
        assert "Import this file" in text_of(response)
    manager.post(address(run, "confirm"))
    assert Article.objects.exists()


def test_as_drafts_holds_for_the_import_too(manager):
    run = upload(manager, as_drafts="on")
    assert "As drafts" in text_of(manager.get(address(run)))
    manager.post(address(run, "confirm"))
    assert Article.objects.get().status == "draft"


def test_what_was_left_out_is_told(manager):
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as target:
        target.writestr("_news/" + TRAM, STORY)
        target.writestr("index.html", "")
    response = manager.post(UPLOAD, form_data(("site.zip", buffer.getvalue())), follow=True)
    assert "index.html" in messages(response)[0]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ([], "This field is required."),
        ([("site.zip", b"PK")], "“site.zip” is damaged"),
        ([("picture.png", b"x")], "There is no document in it"),
        ([("a.md", b"x" * 1024 * 1024 + b"x")], "“a.md” is larger than 1 MiB."),
        ([("<b>.md", b"x" * 1024 * 1024 + b"x")], "&lt;b&gt;.md"),
    ],
)
def test_form_says_what_is_wrong(manager, files, told):
    response = manager.post(UPLOAD, form_data(*files))
    assert response.status_code == 200
    assert told in response.content.decode()
    assert not ImportRun.objects.exists()


def test_empty_form_complains_of_nothing(manager):
    assert "error" not in text_of(manager.get(UPLOAD)).lower()
    assert 'class="errorlist"' not in manager.get(UPLOAD).content.decode()


def test_empty_file_is_told_of_like_any_other(manager):
    assert upload(manager, ("a.md", b""), (TRAM, STORY)).failed == 1
