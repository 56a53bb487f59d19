from datetime import timedelta
from threading import Event, Thread

import pytest
from django.utils import timezone

from articles import purging, workflow
from articles.remembered import version
from images import tasks
from tests.factories import make_article
from tests.fetching.hosts import answer, in_turn, playing

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kept(settings):
    settings.PAGE_CACHE_SECONDS = 600


@pytest.fixture
def cdn(settings):
    with playing(answer()) as host:
        use(settings, host)
        yield host


def use(settings, host) -> None:
    settings.PURGE_URL = host.url("/purge?all=1")
    settings.FETCH_ALLOW_HOSTS = [host.name]


def test_cdn_is_told_at_the_beginning_and_then_with_each_change(cdn):
    story, watcher = make_article(), purging.Watcher()
    for expected in (1, 1):
        watcher.look(0)
        assert len(cdn.requests) == expected
    workflow.unpublish(story, by=None)
    watcher.look(1)
    assert len(cdn.requests) == 2


def test_cdn_is_told_when_a_story_goes_live_by_itself(cdn, monkeypatch):
    now, watcher = timezone.now(), purging.Watcher()
    make_article(publish_at=now + timedelta(hours=1))
    watcher.look(0)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=1))
    watcher.look(1)
    assert len(cdn.requests) == 2


def test_cdn_is_told_again_when_slow_answers_of_before_have_arrived(cdn):
    make_article()
    watcher, counts = purging.Watcher(), []
    for clock in (0, 9, 10, 11, 59, 60, 61, 1000):
        watcher.look(clock)
        counts.append(len(cdn.requests))
    assert counts == [1, 1, 2, 2, 2, 3, 3, 3]


def test_it_is_asked_in_the_way_that_is_set(cdn, settings):
    settings.PURGE_HEADERS = {"Fastly-Key": "secret", "Content-Type": "text/plain"}
    settings.PURGE_BODY = "all of it"
    purging.purge()
    [request] = cdn.requests
    head, _, body = request.partition("\r\n\r\n")
    assert head.startswith("POST /purge?all=1 HTTP/1.1\r\n")
    assert "Fastly-Key: secret" in head
    assert "Content-Length: 9" in head
    assert body == "all of it"


def test_cdn_that_does_not_listen_is_told_again(settings, caplog):
    make_article()
    watcher = purging.Watcher()
    with playing(in_turn(answer("503 Busy"), answer("204 No Content"))) as host:
        use(settings, host)
        assert watcher.look(0) == purging.AFTER_FAULT
        assert watcher.told is None
        assert "status 503" in caplog.text
        assert watcher.look(1) == purging.PAUSE
        assert watcher.told == version()


def test_address_that_is_not_allowed_is_refused_like_any_other(cdn, settings):
    settings.FETCH_ALLOW_HOSTS = []
    watcher = purging.Watcher()
    watcher.look(0)
    assert watcher.told is None
    assert cdn.requests == []


def test_worker_watches_until_it_is_stopped(cdn, monkeypatch):
    make_article()
    stopping = Event()
    original = purging.Watcher.look

    def look(watcher, clock):
        stopping.set()
        return original(watcher, clock)

    monkeypatch.setattr(purging.Watcher, "look", look)
    [watch] = tasks.alongside
    thread = Thread(target=watch, args=[stopping])
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert len(cdn.requests) == 1


def test_without_an_address_nobody_watches(settings, monkeypatch):
    monkeypatch.setattr(purging, "Watcher", pytest.fail)
    purging.watch(Event())
