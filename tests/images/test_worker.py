"""The worker as an operator starts it, with the queue in the database and with the queue in Redis."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import OperationalError

from images.management.commands import worker
from tests.factories import png
from tests.fetching.hosts import answer, playing

ROOT = Path(__file__).resolve().parents[2]

ARRIVE = """
import django; django.setup()
from django.core.management import call_command
from images.tasks import wanted
call_command("migrate", verbosity=0)
wanted({address!r})
"""
TELL = """
import django; django.setup()
from images.models import RemoteImage
print(RemoteImage.objects.get().state)
"""


@pytest.fixture(params=["database", "redis"])
def queue_url(request) -> str:
    if request.param == "database":
        return ""
    if not (url := os.environ.get("TEST_CACHE_URL")):
        pytest.skip("TEST_CACHE_URL is not set")
    import redis

    with redis.Redis.from_url(url) as connection:
        connection.delete("rq:queue:default")
    return url


def test_what_an_editor_waits_for_is_fetched_by_a_worker(tmp_path, queue_url):
    with playing(answer(body=png((300, 200)))) as host:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "x" * 60,
            "MEDIA_ROOT": str(tmp_path / "media"),
            "DATABASE_URL": f"sqlite:///{tmp_path}/site.sqlite3",
            "FETCH_ALLOW_HOSTS": host.name,
            "QUEUE_URL": queue_url,
        }

        def run(*arguments: str) -> str:
            done = subprocess.run(
                [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
            )
            assert done.returncode == 0, done.stderr
            return done.stdout

        run("-c", ARRIVE.format(address=host.url()))
        assert run("-c", TELL) == "pending\n"
        run("manage.py", "worker", "--once")
        assert run("-c", TELL) == "cached\n"
        assert len(host.requests) == 1


@pytest.mark.django_db
def test_worker_goes_on_when_the_database_is_back(monkeypatch, caplog):
    outcomes = iter([OperationalError("the database system is starting up"), None])

    def work(once):
        if error := next(outcomes):
            raise error

    monkeypatch.setattr(worker, "_database_worker", work)
    monkeypatch.setattr(worker, "_sweep_for_ever", lambda: None)
    monkeypatch.setattr(worker, "OUTAGE_SECONDS", 0.01)
    monkeypatch.setattr(worker.tasks, "queue_is_in_database", lambda: True)
    monkeypatch.setattr(worker, "close_old_connections", lambda: None)
    call_command("worker")
    assert "starting up" in caplog.text
    assert list(outcomes) == []
