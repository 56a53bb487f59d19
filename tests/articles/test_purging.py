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
    story = make_article()
    told, _ = purging._look(None)
    assert len(cdn.requests) == 1
    told, _ = purging._look(told)
    assert len(cdn.requests) == 1
    workflow.unpublish(story, by=None)
    told, _ = purging._look(told)
    assert len(cdn.requests) == 2


def test_cdn_is_told_when_a_story_goes_live_by_itself(cdn, monkeypatch):
    now = timezone.now()
    make_article(publish_at=now + timedelta(hours=1))
    told, _ = purging._look(None)
    monkeypatch.setattr(timezone, "now", lambda: now + timedelta(hours=1))
    told, _ = purging._look(told)
    assert len(cdn.requests) == 2


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
    with playing(in_turn(answer("503 Busy"), answer("204 No Content"))) as host:
        use(settings, host)
        told, pause = purging._look(None)
        assert (told, pause) == (None, purging.AFTER_FAULT)
        assert "status 503" in caplog.text
        told, pause = purging._look(told)
        assert (told, pause) == (version(), purging.PAUSE)


def test_address_that_is_not_allowed_is_refused_like_any_other(cdn, settings, caplog):
    settings.FETCH_ALLOW_HOSTS = []
    assert purging._look(None)[0] is None
    assert cdn.requests == []


def test_worker_watches_until_it_is_stopped(cdn, monkeypatch):
    make_article()
    monkeypatch.setattr(purging, "PAUSE", 0.01)
    stopping, looked = Event(), Event()
    original = purging._look

    def look(told):
        looked.set()
        stopping.set()
        return original(told)

    monkeypatch.setattr(purging, "_look", look)
    [watch] = tasks.alongside
    thread = Thread(target=watch, args=[stopping])
    thread.start()
    thread.join(10)
    assert looked.is_set()
    assert len(cdn.requests) == 1


def test_without_an_address_nobody_watches(settings, monkeypatch):
    monkeypatch.setattr(purging, "_look", pytest.fail)
    purging.watch(Event())
