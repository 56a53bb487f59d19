"""`manage.py demo_login`: one editor, one password, only for a demo."""

import io
import stat

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def demo(settings, tmp_path):
    settings.DEBUG = True
    settings.VAR_DIR = tmp_path / "var"
    return settings


def login() -> str:
    """The password that the command prints."""
    output = io.StringIO()
    call_command("demo_login", stdout=output)
    label, name, password = output.getvalue().rsplit(maxsplit=2)
    assert (label.strip(), name) == ("The login:", "editor")
    return password


def test_printed_login_opens_the_admin_to_a_member_of_editors():
    client = Client()
    assert client.login(username="editor", password=login())
    editor = User.objects.get(username="editor")
    assert editor.is_staff
    assert not editor.is_superuser
    assert [group.name for group in editor.groups.all()] == ["Editors"]


def test_each_run_prints_the_same_password_and_ends_no_session():
    first = login()
    client = Client()
    client.login(username="editor", password=first)
    assert login() == first
    assert "_auth_user_id" in client.session
    assert client.get("/admin/password_change/").status_code == 200


def test_password_is_kept_where_only_its_owner_reads(demo):
    password = login()
    kept = demo.VAR_DIR / "demo-login.txt"
    assert kept.read_text().strip() == password
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_lost_file_means_a_new_password(demo):
    first = login()
    (demo.VAR_DIR / "demo-login.txt").unlink()
    second = login()
    assert second != first
    assert not Client().login(username="editor", password=first)
    assert Client().login(username="editor", password=second)


def test_changed_password_becomes_the_printed_one_again():
    password = login()
    editor = User.objects.get(username="editor")
    editor.set_password("something else")
    editor.save()
    assert login() == password
    assert Client().login(username="editor", password=password)


def test_it_is_refused_outside_debug(demo):
    demo.DEBUG = False
    with pytest.raises(CommandError, match="only while DEBUG is on"):
        login()
    assert not User.objects.exists()
