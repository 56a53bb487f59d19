"""The site without its Redis."""

import socket

import pytest
from django.core.cache import caches
from django.test import Client
from redis.exceptions import RedisError

from config.caches import PAUSE, RedisCache
from tests.factories import make_article, make_user

OPTIONS = {"socket_connect_timeout": 0.2, "socket_timeout": 0.2}


@pytest.fixture(autouse=True)
def asked(monkeypatch):
    monkeypatch.setattr(RedisCache, "_left_alone_until", 0.0)


def redis_at(port: int) -> RedisCache:
    return RedisCache(f"redis://127.0.0.1:{port}/0", {"OPTIONS": OPTIONS})


@pytest.fixture
def dead() -> RedisCache:
    with socket.socket() as unheard:  # its port is taken, and nobody listens
        unheard.bind(("127.0.0.1", 0))
        yield redis_at(unheard.getsockname()[1])


def test_nothing_is_found_and_nothing_kept(dead):
    dead.set("a", 1)
    assert dead.get("a") is None
    assert dead.get("a", 5) == 5
    assert not dead.add("a", 1)
    assert "a" not in dead
    assert dead.get_or_set("a", lambda: 7) == 7


def test_what_has_to_go_is_said_not_to_have_gone(dead):
    assert dead.get("a") is None
    with pytest.raises(RedisError):
        dead.delete("a")


def test_it_is_asked_again_after_a_pause_and_not_before(dead, monkeypatch):
    tries = []

    def get(self, key, default):
        tries.append(key)
        raise RedisError

    monkeypatch.setattr(dead._class, "get", get)
    for now in (100, 100 + PAUSE - 1, 100 + PAUSE):
        monkeypatch.setattr("config.caches.time.monotonic", lambda now=now: now)
        for _ in range(3):
            dead.get("a")
    assert len(tries) == 2


def test_one_that_never_answers_is_not_waited_for():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        assert redis_at(silent.getsockname()[1]).get("a", 5) == 5


@pytest.mark.django_db(transaction=True)
def test_readers_and_who_is_logged_in_go_on_without_it(dead, settings, monkeypatch):
    editor = Client()
    editor.force_login(make_user(is_superuser=True))
    settings.PAGE_CACHE_SECONDS = 600
    settings.SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
    for alias in ("default", "pages"):
        monkeypatch.setitem(caches.settings, alias, settings.CACHES[alias] | {"BACKEND": "config.caches.RedisCache"})
        monkeypatch.setattr(caches._connections, alias, dead, raising=False)
    story = make_article()
    for address in ("/", "/healthz", story.get_absolute_url(), "/feeds/all.atom", "/api/news/index.json"):
        assert Client().get(address).status_code == 200, address
    assert editor.get("/admin/").status_code == 200
