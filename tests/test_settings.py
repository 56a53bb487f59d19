"""The settings as the environment drives them. Settings are read once, so each case is its own process."""

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client

PROJECT = Path(__file__).parent.parent
KEY = "a-long-key-made-for-this-test-0123456789-abcdefghijklmnop-ABCDEFGHIJ"
IN_MEMORY = {"SECRET_KEY": KEY, "DATABASE_URL": "sqlite://:memory:"}
PRODUCTION = IN_MEMORY | {"ALLOWED_HOSTS": "news.example"}


def environment(variables: dict[str, str]) -> dict[str, str]:
    """`variables` and nothing else of ours: no .env, nothing of the developer's shell."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return kept | {"ENV_FILE": os.devnull, "PYTHONPATH": str(PROJECT)} | variables


def run(*arguments: str, cwd: Path = PROJECT, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment(variables), capture_output=True, text=True
    )


def manage(*arguments: str, **variables: str) -> str:
    result = run("manage.py", *arguments, **variables)
    assert result.returncode == 0, result.stderr
    return result.stdout + result.stderr


def settings_under(cwd: Path = PROJECT, **variables: str) -> dict[str, object]:
    """Every setting, as the given environment makes it."""
    code = (
        "import json; from config import settings as s\n"
        "print(json.dumps({n: getattr(s, n) for n in dir(s) if n.isupper()}, default=str))"
    )
    result = run("-c", code, cwd=cwd, **IN_MEMORY | variables)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_nothing_of_a_developers_environment_reaches_the_tests():
    read = re.findall(r'\benv(?:\.\w+)?\(\s*"([A-Z_]+)"', (PROJECT / "config" / "settings.py").read_text())
    ours = (PROJECT / "tests" / "settings.py").read_text()
    assert len(read) > 20
    assert [name for name in read if f'"{name}"' not in ours] == []


# --- Starting ----------------------------------------------------------------------------------


def test_without_a_secret_key_it_refuses_to_start_and_says_what_to_do():
    result = run("manage.py", "check")
    assert result.returncode == 1
    assert result.stderr.startswith("SECRET_KEY is not set. Put a long random one into the environment")
    assert "make run" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_whole_traceback_of_a_bad_setting_can_be_asked_for():
    assert "Traceback" in run("manage.py", "check", "--traceback").stderr


def test_gunicorn_does_not_serve_without_a_secret_key():
    result = run("-c", "import config.wsgi")
    assert result.returncode != 0
    assert "SECRET_KEY is not set" in result.stderr


def test_variables_come_from_the_env_file_and_the_environment_wins(tmp_path):
    env_file = tmp_path / "copydesk.env"
    env_file.write_text("SITE_NAME=From the file\nSITE_DESCRIPTION=Also from the file\n")
    found = settings_under(ENV_FILE=str(env_file), SITE_NAME="From the environment")
    assert found["SITE_NAME"] == "From the environment"
    assert found["SITE_DESCRIPTION"] == "Also from the file"


@pytest.mark.parametrize(
    "variables",
    [
        {"FRONT_QUALITY_WEIGHT": "-1"},
        {"FRONT_HEAT_WEIGHT": "-0.5"},
        {"FRONT_HALF_LIFE_HOURS": "0"},
        {"FRONT_HALF_LIFE_HOURS": "-24"},
    ],
)
def test_weights_of_the_front_page_that_make_no_sense_are_refused(variables):
    result = run("manage.py", "check", **IN_MEMORY, **variables)
    assert result.returncode == 1
    assert "FRONT_… weights cannot be negative, and the half-life has to be more than 0 hours." in result.stderr


def test_weights_of_the_front_page_come_from_the_environment():
    found = settings_under(FRONT_QUALITY_WEIGHT="0", FRONT_HEAT_WEIGHT="2", FRONT_HALF_LIFE_HOURS="6.5")
    assert [found[name] for name in found if name.startswith("FRONT_")] == [6.5, 2.0, 0.0]


# --- Safe by default ---------------------------------------------------------------------------


def test_debug_is_off_and_only_this_machine_is_served_by_default():
    found = settings_under()
    assert found["DEBUG"] is False
    assert found["ALLOWED_HOSTS"] == ["localhost", "127.0.0.1", "[::1]"]
    assert found["FETCH_ALLOW_HOSTS"] == []


def test_naming_the_host_is_enough_to_pass_djangos_deployment_checks():
    output = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert "no issues" in output


@pytest.mark.parametrize(
    ("variables", "https"),
    [
        ({}, False),
        ({"ALLOWED_HOSTS": "news.example"}, True),
        ({"SITE_URL": "https://news.example"}, True),
        ({"ALLOWED_HOSTS": "news.example", "SITE_URL": "http://news.example"}, False),
    ],
)
def test_the_scheme_of_site_url_drives_cookies_redirect_and_hsts(variables, https):
    found = settings_under(**variables)
    assert found["SITE_URL"].startswith("https:" if https else "http:")
    assert found["SECURE_SSL_REDIRECT"] is https
    assert found["SESSION_COOKIE_SECURE"] is https
    assert found["CSRF_COOKIE_SECURE"] is https
    assert (found["SECURE_HSTS_SECONDS"] > 0) is https
    assert found["CSRF_TRUSTED_ORIGINS"] == [found["SITE_URL"]]


def test_a_forwarded_scheme_is_believed_only_behind_a_proxy():
    assert "SECURE_PROXY_SSL_HEADER" not in settings_under()
    assert settings_under(BEHIND_PROXY="on")["SECURE_PROXY_SSL_HEADER"] == ["HTTP_X_FORWARDED_PROTO", "https"]


@pytest.mark.django_db
def test_healthz_is_not_redirected_to_https(settings):
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/").status_code == 301
    assert Client().get("/healthz").status_code == 200


# --- The database ------------------------------------------------------------------------------


def test_a_relative_sqlite_path_means_beside_manage_py_wherever_one_stands(tmp_path):
    found = settings_under(cwd=tmp_path, DATABASE_URL="sqlite:///var/copydesk.sqlite3")
    assert found["DATABASES"]["default"]["NAME"] == str(PROJECT / "var" / "copydesk.sqlite3")


def test_an_absolute_sqlite_path_stays_and_its_folder_is_made(tmp_path):
    found = settings_under(DATABASE_URL=f"sqlite:///{tmp_path}/data/news.sqlite3")
    assert found["DATABASES"]["default"]["NAME"] == f"{tmp_path}/data/news.sqlite3"
    assert (tmp_path / "data").is_dir()


def test_sqlite_keeps_a_write_ahead_log_and_takes_the_write_lock_when_a_transaction_begins(tmp_path):
    code = """
import os, sqlite3
import django; django.setup()
from django.db import connection, transaction
print(connection.cursor().execute("PRAGMA journal_mode").fetchone()[0])
with transaction.atomic():
    other = sqlite3.connect(os.environ["FILE"], timeout=0)
    try:
        other.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError as error:
        print(error)
    other.close()
connection.close()
"""
    file = tmp_path / "news.sqlite3"
    result = run(
        "-c",
        code,
        SECRET_KEY=KEY,
        DJANGO_SETTINGS_MODULE="config.settings",
        DATABASE_URL=f"sqlite:///{file}",
        FILE=str(file),
    )
    assert result.stdout.splitlines() == ["wal", "database is locked"], result.stderr


def test_postgresql_and_redis_are_chosen_by_variables_alone():
    found = settings_under(DATABASE_URL="postgres://me@db.example/news", CACHE_URL="redis://cache.example/1")
    assert found["DATABASES"]["default"]["ENGINE"] == "django.db.backends.postgresql"
    assert found["DATABASES"]["default"]["CONN_HEALTH_CHECKS"] is True
    assert found["DATABASES"]["default"]["OPTIONS"] == {"options": "-c jit=off"}
    assert found["CACHES"]["default"]["BACKEND"] == "config.caches.RedisCache"


@pytest.mark.parametrize(
    ("asked", "options"),
    [
        ("sslmode=require", {"options": "-c jit=off", "sslmode": "require"}),
        ("options=-c%20work_mem%3D64MB", {"options": "-c work_mem=64MB"}),
    ],
)
def test_options_of_a_postgresql_address_are_kept(asked, options):
    found = settings_under(DATABASE_URL=f"postgres://me@db.example/news?{asked}")
    assert found["DATABASES"]["default"]["OPTIONS"] == options


def test_sessions_use_a_cache_only_if_all_processes_share_it():
    backends = "django.contrib.sessions.backends"
    assert settings_under()["SESSION_ENGINE"] == f"{backends}.db"
    assert settings_under(CACHE_URL="redis://cache.example/1")["SESSION_ENGINE"] == f"{backends}.cached_db"


@pytest.mark.parametrize("cache", ["locmemcache://", os.environ.get("TEST_CACHE_URL") or "dummycache://"])
def test_who_logs_out_in_one_process_is_logged_out_in_another_that_has_just_served_them(tmp_path, cache):
    code = """
import subprocess, sys
import django; django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
call_command("migrate", verbosity=0)
client = Client(HTTP_HOST="localhost")
client.force_login(User.objects.create_superuser("editor"))
print(client.get("/admin/").status_code)
other = (
    "import sys, django; django.setup()\\n"
    "from django.test import Client\\n"
    "client = Client(HTTP_HOST='localhost')\\n"
    "client.cookies['sessionid'] = sys.argv[1]\\n"
    "client.post('/admin/logout/')\\n"
)
subprocess.run([sys.executable, "-c", other, client.cookies["sessionid"].value], check=True)
print(client.get("/admin/").status_code)
"""
    database = {"DATABASE_URL": f"sqlite:///{tmp_path}/news.sqlite3", "CACHE_URL": cache}
    result = run("-c", code, DJANGO_SETTINGS_MODULE="config.settings", SECRET_KEY=KEY, **database)
    assert result.stdout.splitlines() == ["200", "302"], result.stderr


def test_this_very_suite_runs_on_the_services_it_was_given(settings):
    wants_postgresql = os.environ.get("TEST_DATABASE_URL", "").startswith("postgres")
    assert connection.vendor == ("postgresql" if wants_postgresql else "sqlite")
    wants_redis = os.environ.get("TEST_CACHE_URL", "").startswith("redis")
    assert ("Redis" in settings.CACHES["default"]["BACKEND"]) is wants_redis


# --- Serving -----------------------------------------------------------------------------------


def test_logs_go_to_stderr_and_nothing_to_stdout():
    code = "import django, logging; django.setup(); logging.getLogger('articles').info('a line of ours')"
    result = run("-c", code, DJANGO_SETTINGS_MODULE="config.settings", **IN_MEMORY)
    assert "INFO articles: a line of ours" in result.stderr
    assert result.stdout == ""


@contextmanager
def gunicorn(variables: dict[str, str]):
    """A running `gunicorn config.wsgi`; gives its port, which the system chose."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        "127.0.0.1:0",
        "--no-control-socket",
        "config.wsgi",
    ]
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment(variables), stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            listening = (re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line) for line in server.stderr)
            yield int(next(match for match in listening if match)[1])
        finally:
            server.terminate()
            server.communicate(timeout=20)


def get(port: int, path: str) -> tuple[HTTPResponse, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def stylesheets(page: str) -> list[str]:
    return re.findall(r'<link[^>]*href="(/static/[^"]+\.css)"', page)


def test_gunicorn_serves_pages_and_their_styles_before_and_after_collectstatic(tmp_path):
    variables = {
        "SECRET_KEY": KEY,
        "DATABASE_URL": f"sqlite:///{tmp_path}/news.sqlite3",
        "MEDIA_ROOT": str(tmp_path / "media"),
        "STATIC_ROOT": str(tmp_path / "static"),
    }
    manage("migrate", "--verbosity", "0", **variables)
    for hashed in (False, True):
        with gunicorn(variables) as port:
            front, page = get(port, "/")
            assert front.status == 200
            assert stylesheets(page)
            for address in stylesheets(page):
                assert bool(re.search(r"\.[0-9a-f]{12}\.css$", address)) is hashed
                style, _ = get(port, address)
                assert style.status == 200
                assert ("immutable" in style.headers["Cache-Control"]) is hashed
        manage("collectstatic", "--no-input", "--verbosity", "0", **variables)
