import os
import threading
import time
from datetime import timedelta
from itertools import pairwise

import pytest
import time_machine
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import IntegrityError, transaction

from fetching.politeness import Hosts
from images import caching, files, queue
from images.caching import by_keys, cache_due, mark_failed, store
from images.models import RemoteImage, rendition_name
from images.queue import due, mark_pending
from tests.factories import NOON, make_image, png
from tests.fetching.hosts import answer, by_path

pytestmark = pytest.mark.django_db

State = RemoteImage.State


def waiting(url: str = "https://pictures.example/a.png", **overrides) -> RemoteImage:
    return make_image(cached=False, source_url=url, **overrides)


def reloaded(image: RemoteImage) -> RemoteImage:
    return RemoteImage.objects.get(pk=image.pk)


# --- Storing ----------------------------------------------------------------------------------------


def test_stored_picture_has_its_facts_on_the_row_and_its_files_by_hash(stored):
    image = waiting()
    store(image, png((400, 300)))
    row = reloaded(image)
    assert (row.state, row.reason, row.format, row.width, row.height) == (State.CACHED, "", "PNG", 400, 300)
    assert row.byte_size == len(png((400, 300)))
    assert row.fetched_at is not None
    folder, digest = row.content_hash[:2], row.content_hash
    assert stored() == sorted(
        [f"originals/{folder}/{digest}.png"]
        + [f"renditions/{folder}/{digest}-{width}.{ext}" for width in (160, 320, 400) for ext in ("jpg", "webp")]
    )
    assert image.state == State.CACHED


def test_two_addresses_of_one_picture_share_their_files(stored):
    first = make_image(cached=False)
    second = make_image(cached=False)
    store(first, png())
    before = {name: default_storage.get_modified_time(name) for name in stored()}
    store(second, png())
    assert first.content_hash == second.content_hash
    assert {name: default_storage.get_modified_time(name) for name in stored()} == before


def test_what_is_no_picture_is_marked_failed_and_not_kept(stored):
    image = waiting()
    store(image, b"<html>Not found</html>")
    row = reloaded(image)
    assert (row.state, row.reason, row.next_attempt_at) == (State.FAILED, "unsupported_format", None)
    assert row.detail == "The address leads to a web page, not to a picture."
    assert stored() == []


def test_failing_disk_leaves_nothing_half_written(stored, monkeypatch):
    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    image = waiting()
    store(image, png())
    assert (image.state, image.reason) == (State.FAILED, "storage_failed")
    assert image.next_attempt_at is not None
    assert stored() == []


class FailingStorage(InMemoryStorage):
    """Takes everything but files of one width, and says so as object stores' libraries do: by no OSError."""

    def save(self, name, content, max_length=None):
        if name.endswith("-200.webp"):
            raise LookupError("no answer from bucket-7.inner.example")
        return super().save(name, content, max_length)


def test_failing_object_store_fails_one_picture_and_not_the_run(hosting, settings, caplog):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": f"{__name__}.FailingStorage"}}
    host = hosting(by_path(bad=answer(body=png((200, 100))), good=answer(body=png((300, 100)))))
    bad, good = waiting(host.url("/bad")), waiting(host.url("/good"))
    report = cache_due(workers=1)
    assert (report.cached, report.failed) == (1, [bad])
    bad, good = reloaded(bad), reloaded(good)
    assert (bad.state, bad.reason, good.state) == (State.FAILED, "storage_failed", State.CACHED)
    assert bad.next_attempt_at is not None
    assert "inner.example" not in bad.detail
    assert "inner.example" in caplog.text


def test_file_cut_off_by_a_crash_is_written_anew(settings):
    image = make_image(cached=False)
    store(image, png())
    path = settings.MEDIA_ROOT / rendition_name(image.content_hash, 160, "webp")
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    store(image, png())
    assert path.read_bytes() == whole


def test_racing_writers_leave_one_file(stored, monkeypatch):
    replace = os.replace

    def after_another_writer(part, path):
        monkeypatch.setattr(os, "replace", replace)
        files._write("renditions/aa/one.webp", b"same")
        replace(part, path)

    monkeypatch.setattr(os, "replace", after_another_writer)
    files._write("renditions/aa/one.webp", b"same")
    assert stored() == ["renditions/aa/one.webp"]


def test_object_stores_get_each_file_once(settings):
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": "django.core.files.storage.InMemoryStorage"}}
    first, second = waiting("https://a.example/1"), waiting("https://a.example/2")
    for image in (first, second):
        store(image, png((160, 90)))
    folder = first.content_hash[:2]
    assert len(default_storage.listdir(f"renditions/{folder}")[1]) == 2
    assert len(default_storage.listdir(f"originals/{folder}")[1]) == 1


def test_cached_without_content_is_refused_by_the_database():
    with pytest.raises(IntegrityError), transaction.atomic():
        RemoteImage.objects.create(source_url="https://a.example/1", state=State.CACHED)


# --- Fetching ---------------------------------------------------------------------------------------


def fetched(image: RemoteImage) -> RemoteImage:
    """The row after everything that is due was fetched."""
    cache_due()
    return reloaded(image)


def test_fetched_picture_is_cached_and_says_who_fetched_it(hosting, settings):
    settings.SITE_NAME, settings.SITE_URL = "The Daily Planet", "https://planet.example"
    host = hosting(answer(body=png(), content_type="text/plain"))
    assert fetched(waiting(host.url())).state == State.CACHED
    assert "User-Agent: The Daily Planet (Copydesk; +https://planet.example)" in host.requests[0]


def test_inner_address_is_never_contacted(hosting, settings):
    host = hosting(answer(body=png()))
    settings.FETCH_ALLOW_HOSTS = []
    image = fetched(waiting(f"http://127.0.0.1:{host.port}/"))
    assert (image.state, image.reason) == (State.FAILED, "bad_port")
    image = fetched(waiting("http://localhost/"))
    assert (image.state, image.reason, image.next_attempt_at) == (State.FAILED, "forbidden_address", None)
    assert host.requests == []


@time_machine.travel(NOON, tick=False)
def test_permanent_fault_is_not_tried_again(hosting):
    host = hosting(answer("404 Not Found"))
    row = fetched(waiting(host.url()))
    assert (row.state, row.reason, row.attempts, row.next_attempt_at) == (State.FAILED, "http_404", 1, None)
    assert row.detail == "The server answered with status 404."
    with time_machine.travel(NOON + timedelta(days=99), tick=False):
        assert list(due()) == []


def test_passing_fault_is_tried_again_ever_more_slowly_and_then_no_more(hosting):
    host = hosting(answer("503 Service Unavailable"))
    image = waiting(host.url(), next_attempt_at=NOON)
    pauses, now = [], NOON
    while now:
        with time_machine.travel(now, tick=False):
            image = fetched(image)
            pauses.append(image.next_attempt_at and image.next_attempt_at - now)
            now = image.next_attempt_at
    assert [pause and pause.total_seconds() / 60 for pause in pauses] == [5, 20, 80, 320, 1280, None]
    assert (image.state, image.reason, image.attempts) == (State.FAILED, "http_503", 6)


def test_passing_fault_heals(hosting):
    plays = iter([answer("503 Service Unavailable"), answer(body=png())])
    host = hosting(lambda connection, path: next(plays)(connection, path))
    image = waiting(host.url(), next_attempt_at=NOON)
    with time_machine.travel(NOON, tick=False):
        fetched(image)
        assert list(due()) == []
    with time_machine.travel(NOON + timedelta(minutes=6), tick=False):
        assert list(due()) == [image]
        image = fetched(image)
    assert (image.state, image.reason, image.detail, image.attempts) == (State.CACHED, "", "", 0)


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_host_that_asks_for_a_pause_gets_it(hosting, status):
    host = hosting(answer(status, retry_after=1800))
    image = waiting(host.url(), next_attempt_at=NOON)
    with time_machine.travel(NOON, tick=False):
        assert fetched(image).next_attempt_at == NOON + timedelta(minutes=30)


def test_pause_is_of_all_pictures_of_the_host(hosting):
    host = hosting(answer("429 Too Many Requests", retry_after=1800))
    first, second = waiting(host.url("/1"), next_attempt_at=NOON), waiting(host.url("/2"), next_attempt_at=NOON)
    with time_machine.travel(NOON, tick=False):
        report = cache_due(workers=1)
    assert report.failed == [first]
    assert len(host.requests) == 1
    second = reloaded(second)
    assert (second.state, second.attempts) == (State.PENDING, 0)
    assert timedelta(minutes=29) < second.next_attempt_at - NOON <= timedelta(minutes=30)


def test_pause_outlasts_the_round(hosting):
    host = hosting(answer("429 Too Many Requests", retry_after=1800))
    waiting(host.url("/1"), next_attempt_at=NOON)
    with time_machine.travel(NOON, tick=False):
        cache_due()
        waiting(host.url("/2"), next_attempt_at=NOON)
        cache_due()
    assert len(host.requests) == 1


def test_slow_host_does_not_keep_others_waiting(hosting):
    seen = []

    def slow(connection, path):
        time.sleep(0.1)
        answer(body=png((16, 9)))(connection, path)

    first, second = hosting(slow), hosting(answer(body=png((16, 9))))
    for n in range(40):
        waiting(first.url(f"/{n}"))
    for n in range(4):
        waiting(second.url(f"/{n}"))
    cache_due(workers=4, on_done=lambda image: seen.append(image.source_url.startswith(second.url("/"))))
    assert [place for place, is_quick in enumerate(seen) if is_quick][-1] < 20


def test_full_disk_uses_up_no_attempts(hosting, monkeypatch):
    def full(*args):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    image = waiting(hosting(answer(body=png())).url(), next_attempt_at=NOON)
    with time_machine.travel(NOON, tick=False):
        row = fetched(image)
    assert (row.reason, row.attempts, row.next_attempt_at) == ("storage_failed", 0, NOON + queue.FIRST_RETRY)


def test_picture_that_has_not_changed_is_not_sent_again(hosting):
    picture = png()

    def play(connection, path):
        unchanged = 'If-None-Match: "v1"' in host.requests[-1]
        answer("304 Not Modified" if unchanged else "200 OK", b"" if unchanged else picture, etag='"v1"')(
            connection, path
        )

    host = hosting(play)
    image = fetched(waiting(host.url()))
    assert image.etag == '"v1"'
    mark_pending(RemoteImage.objects.all())
    again = fetched(image)
    assert (again.state, again.content_hash, again.etag) == (State.CACHED, image.content_hash, '"v1"')
    assert again.fetched_at > image.fetched_at
    assert len(host.requests) == 2


def test_picture_whose_files_are_lost_is_fetched_whole(hosting):
    host = hosting(answer(body=png(), etag='"v1"'))
    image = fetched(waiting(host.url()))
    default_storage.delete(rendition_name(image.content_hash, 160, "webp"))
    mark_pending(RemoteImage.objects.all())
    fetched(image)
    assert "If-None-Match" not in host.requests[-1]
    assert files.are_there(image)


def test_picture_stays_when_its_source_is_gone(hosting):
    host = hosting(by_path(a=answer("404 Not Found")))
    image = make_image(source_url=host.url("/a"))
    digest = image.content_hash
    mark_pending(RemoteImage.objects.filter(pk=image.pk))
    assert reloaded(image).rendition_widths() == [160, 320, 400]
    row = fetched(image)
    assert (row.state, row.content_hash, row.reason) == (State.CACHED, digest, "http_404")


def test_other_picture_at_the_same_address_forgets_the_focus_of_the_old_one(hosting):
    pictures = iter([png(shade=1), png(shade=1), png(shade=2)])
    host = hosting(lambda connection, path: answer(body=next(pictures))(connection, path))
    image = fetched(waiting(host.url()))
    RemoteImage.objects.update(focus_x=10, focus_y=90)
    mark_pending(RemoteImage.objects.all())
    assert (fetched(image).focus_x, reloaded(image).focus_y) == (10, 90)
    mark_pending(RemoteImage.objects.all())
    assert (fetched(image).focus_x, reloaded(image).focus_y) == (50, 50)


@pytest.mark.parametrize("change", [{"state": State.TAKEN_DOWN, "next_attempt_at": None}, {"content_hash": "ab" * 32}])
def test_what_somebody_did_to_the_row_meanwhile_stays(hosting, monkeypatch, change):
    image = waiting(hosting(answer(body=png())).url())
    record = caching._record

    def after_the_change(claimed, outcome):
        RemoteImage.objects.filter(pk=claimed.pk).update(**change)
        return record(claimed, outcome)

    monkeypatch.setattr(caching, "_record", after_the_change)
    row = fetched(image)
    assert {name: getattr(row, name) for name in change} == change


def test_fetching_inside_a_transaction_is_refused():
    waiting()
    with pytest.raises(RuntimeError), transaction.atomic():
        cache_due()


def test_fault_of_our_own_ends_one_picture_and_not_the_run(hosting, monkeypatch, caplog):
    host = hosting(answer(body=png()))
    bad, good = waiting(host.url("/bad")), waiting(host.url("/good"))
    fetch = caching.fetch

    def failing(url, **kwargs):
        if url.endswith("bad"):
            raise ZeroDivisionError
        return fetch(url, **kwargs)

    monkeypatch.setattr(caching, "fetch", failing)
    cache_due()
    assert (reloaded(bad).reason, reloaded(good).state) == ("internal", State.CACHED)
    assert "ZeroDivisionError" in caplog.text


# --- Many -------------------------------------------------------------------------------------------


def test_many_are_fetched_and_the_failed_ones_named(hosting):
    pictures = {f"p{n}": answer(body=png((200, 100), shade=n)) for n in range(6)}
    host = hosting(by_path(gone=answer("404 Not Found"), **pictures))
    images = [waiting(host.url(f"/p{n}")) for n in range(6)]
    gone = waiting(host.url("/gone"))
    seen = []
    report = cache_due(on_done=seen.append)
    assert (report.cached, report.failed, report.done) == (6, [gone], 7)
    assert {image.pk for image in seen} == {image.pk for image in [*images, gone]}
    assert set(RemoteImage.objects.values_list("state", flat=True)) == {State.CACHED, State.FAILED}
    assert RemoteImage.objects.get(state=State.FAILED) == gone


def test_one_host_is_asked_for_two_at_a_time(hosting):
    busy, most = [], []

    def play(connection, path):
        busy.append(path)
        most.append(len(busy))
        time.sleep(0.05)
        busy.remove(path)
        answer(body=png((16, 9)))(connection, path)

    host = hosting(play)
    for n in range(8):
        waiting(host.url(f"/{n}"))
    assert cache_due(workers=6).cached == 8
    assert max(most) == 2


def test_host_that_is_not_our_own_is_asked_at_intervals(hosting, monkeypatch):
    monkeypatch.setattr(caching, "SPACING_SECONDS", 0.1)
    monkeypatch.setattr(caching, "Hosts", partial_without_exempt)
    moments = []

    def play(connection, path):
        moments.append(time.monotonic())
        answer(body=png((16, 9)))(connection, path)

    host = hosting(play)
    for n in range(4):
        waiting(host.url(f"/{n}"))
    assert cache_due().cached == 4
    assert all(later - earlier > 0.08 for earlier, later in pairwise(moments))


def partial_without_exempt(**settings):
    return Hosts(**settings | {"exempt": frozenset()})


def test_no_fetch_begins_when_the_time_is_up(hosting):
    host = hosting(answer(body=png((16, 9))))
    waiting(host.url())
    assert cache_due(seconds=0).done == 0
    assert host.requests == []
    assert due().get().attempts == 0


def test_told_to_stop_it_ends_what_it_began_and_gives_back_the_rest(hosting):
    host = hosting(answer(body=png((16, 9))))
    for n in range(6):
        waiting(host.url(f"/{n}"))
    stopping = threading.Event()
    report = cache_due(workers=1, stopping=stopping, on_done=lambda image: stopping.set())
    assert report.cached == 2  # the next is begun before the last is written down
    assert due().count() == 4
    assert set(due().values_list("attempts", flat=True)) == {0}


def test_no_more_are_fetched_than_the_limit(hosting):
    host = hosting(answer(body=png((16, 9))))
    for n in range(5):
        waiting(host.url(f"/{n}"))
    assert cache_due(limit=3).cached == 3
    assert due().count() == 2


def test_run_that_is_cut_short_gives_back_what_it_had_claimed(hosting):
    host = hosting(answer(body=png((16, 9))))
    for n in range(6):
        waiting(host.url(f"/{n}"))

    def interrupt(image):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_due(workers=2, on_done=interrupt)
    assert RemoteImage.objects.filter(state=State.CACHED).count() == 1
    assert due().count() == 5


def test_others_work_is_waited_for_and_taken_over_when_they_are_dead(hosting, monkeypatch):
    monkeypatch.setattr(queue, "LEASE", timedelta(seconds=0.3))
    host = hosting(answer(body=png((16, 9))))
    image = waiting(host.url())
    assert queue.claim(1) == [image]  # by a worker that dies
    assert cache_due().done == 0
    assert cache_due(wait_for_others=True).cached == 1


def test_nothing_is_fetched_twice_when_a_host_takes_longer_than_a_lease(hosting, monkeypatch):
    monkeypatch.setattr(queue, "LEASE", timedelta(seconds=0.6))

    def play(connection, path):
        time.sleep(0.1)
        answer(body=png((16, 9)))(connection, path)

    host = hosting(play)
    for n in range(16):
        waiting(host.url(f"/{n}"))
    assert cache_due(workers=4).cached == 16
    assert len(host.requests) == 16
    assert set(RemoteImage.objects.values_list("state", "attempts")) == {(State.CACHED, 0)}


def test_rows_are_read_in_batches(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(caching, "BATCH", 2)
    keys = [waiting(f"https://a.example/{n}").pk for n in range(5)]
    with django_assert_num_queries(3):
        assert [image.pk for image in by_keys(keys)] == keys


def test_picture_missing_from_a_tree_is_marked_failed():
    image = waiting("/assets/logo.png")
    mark_failed(image, "not_found", "x" * 500)
    row = reloaded(image)
    assert (row.state, row.reason, row.next_attempt_at) == (State.FAILED, "not_found", None)
    assert len(row.detail) == 300
