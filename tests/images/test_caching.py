import os
import time
from datetime import timedelta

import pytest
import time_machine
from django.core.files.storage import InMemoryStorage, default_storage
from django.db import IntegrityError, transaction
from django.utils import timezone

from images import caching
from images.caching import by_keys, cache_all, due, mark_failed, mark_pending, store
from images.models import RemoteImage
from tests.factories import NOON, make_image, png
from tests.fetching.hosts import answer, by_path, dripping

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
    assert (row.state, row.reason, row.next_attempt_at) == (State.FAILED, "not_an_image", None)
    assert row.detail == "The file is not a picture of a kind we show."
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
    report = cache_all([bad, good], workers=1)
    assert (report.cached, report.failed) == (1, [bad])
    assert (bad.state, bad.reason, good.state) == (State.FAILED, "storage_failed", State.CACHED)
    assert bad.next_attempt_at is not None
    assert "inner.example" not in bad.detail
    assert "inner.example" in caplog.text


def test_file_cut_off_by_a_crash_is_written_anew(settings):
    image = make_image(cached=False)
    store(image, png())
    path = settings.MEDIA_ROOT / caching.rendition_name(image.content_hash, 160, "webp")
    whole = path.read_bytes()
    path.write_bytes(whole[:20])
    store(image, png())
    assert path.read_bytes() == whole


def test_racing_writers_leave_one_file(stored, monkeypatch):
    replace = os.replace

    def after_another_writer(part, path):
        monkeypatch.setattr(os, "replace", replace)
        caching._write("renditions/aa/one.webp", b"same")
        replace(part, path)

    monkeypatch.setattr(os, "replace", after_another_writer)
    caching._write("renditions/aa/one.webp", b"same")
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


def test_fetched_picture_is_cached_and_says_who_fetched_it(hosting, settings):
    settings.SITE_NAME, settings.SITE_URL = "The Daily Planet", "https://planet.example"
    host = hosting(answer(body=png(), content_type="text/plain"))
    image = waiting(host.url())
    cache_all([image])
    assert reloaded(image).state == State.CACHED
    assert "User-Agent: The Daily Planet (Copydesk; +https://planet.example)" in host.requests[0]


def test_inner_address_is_never_contacted(hosting, settings):
    host = hosting(answer(body=png()))
    settings.FETCH_ALLOW_HOSTS = []
    image = waiting(f"http://127.0.0.1:{host.port}/")
    cache_all([image])
    assert (image.state, image.reason) == (State.FAILED, "bad_port")
    image = waiting("http://localhost/")
    cache_all([image])
    assert (image.state, image.reason, image.next_attempt_at) == (State.FAILED, "forbidden_address", None)
    assert host.requests == []


@time_machine.travel(NOON, tick=False)
def test_permanent_fault_is_not_tried_again(hosting):
    host = hosting(answer("404 Not Found"))
    image = waiting(host.url())
    cache_all([image])
    row = reloaded(image)
    assert (row.state, row.reason, row.attempts, row.next_attempt_at) == (State.FAILED, "http_404", 1, None)
    assert row.detail == "The server answered with status 404."
    with time_machine.travel(NOON + timedelta(days=99), tick=False):
        assert list(due()) == []


def test_passing_fault_is_tried_again_ever_more_slowly_and_then_no_more(hosting):
    host = hosting(answer("503 Service Unavailable"))
    image = waiting(host.url())
    pauses = []
    with time_machine.travel(NOON, tick=False):
        for _ in range(caching.MAX_ATTEMPTS):
            cache_all([image])
            pauses.append(image.next_attempt_at and image.next_attempt_at - timezone.now())
    assert [pause and pause.total_seconds() / 60 for pause in pauses] == [5, 20, 80, 320, 1280, None]
    assert (image.state, image.reason, image.attempts) == (State.FAILED, "http_503", 6)


def test_passing_fault_heals(hosting):
    plays = iter([answer("503 Service Unavailable"), answer(body=png())])
    host = hosting(lambda connection, path: next(plays)(connection, path))
    image = waiting(host.url())
    with time_machine.travel(NOON, tick=False):
        cache_all([image])
        assert list(due()) == []
    with time_machine.travel(NOON + timedelta(minutes=6), tick=False):
        assert list(due()) == [image]
        cache_all([image])
    assert (image.state, image.reason, image.detail, image.attempts) == (State.CACHED, "", "", 0)


def test_picture_stays_when_its_source_is_gone(hosting):
    host = hosting(by_path(a=answer("404 Not Found")))
    image = make_image(source_url=host.url("/a"))
    digest = image.content_hash
    mark_pending(RemoteImage.objects.filter(pk=image.pk))
    assert reloaded(image).rendition_widths() == [160, 320, 400]
    cache_all(due())
    row = reloaded(image)
    assert (row.state, row.content_hash, row.reason) == (State.CACHED, digest, "http_404")


def test_fetching_inside_a_transaction_is_refused():
    image = waiting()
    with pytest.raises(RuntimeError), transaction.atomic():
        cache_all([image])


# --- Many -------------------------------------------------------------------------------------------


def test_many_are_fetched_and_the_failed_ones_named(hosting):
    pictures = {f"p{n}": answer(body=png((200, 100), shade=n)) for n in range(6)}
    host = hosting(by_path(gone=answer("404 Not Found"), **pictures))
    images = [waiting(host.url(f"/p{n}")) for n in range(6)]
    gone = waiting(host.url("/gone"))
    seen = []
    report = cache_all([*images, gone], on_done=seen.append)
    assert (report.cached, report.failed, report.done) == (6, [gone], 7)
    assert {image.pk for image in seen} == {image.pk for image in [*images, gone]}
    assert set(RemoteImage.objects.values_list("state", flat=True)) == {State.CACHED, State.FAILED}
    assert RemoteImage.objects.get(state=State.FAILED) == gone


def test_deadline_holds_and_the_rest_waits(hosting):
    host = hosting(dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b"x"))
    images = [waiting(host.url(f"/{n}")) for n in range(5)]
    started = time.monotonic()
    report = cache_all(images, workers=2, deadline_seconds=0.4)
    assert time.monotonic() - started < 5
    assert [image.reason for image in report.failed] == ["timeout", "timeout"]
    assert due().count() == 3


def test_rows_are_read_in_batches(django_assert_num_queries, monkeypatch):
    monkeypatch.setattr(caching, "BATCH", 2)
    keys = [waiting(f"https://a.example/{n}").pk for n in range(5)]
    with django_assert_num_queries(3):
        assert [image.pk for image in by_keys(keys)] == keys


@time_machine.travel(NOON, tick=False)
def test_due_are_the_untried_first_then_those_whose_time_has_come():
    earlier, later = NOON - timedelta(minutes=1), NOON + timedelta(minutes=1)
    retried = waiting("https://a.example/1", state=State.FAILED, attempts=1, next_attempt_at=earlier)
    too_early = waiting("https://a.example/2", state=State.FAILED, attempts=1, next_attempt_at=later)
    for_good = waiting("https://a.example/3", state=State.FAILED, attempts=1)
    untried = waiting("https://a.example/4")
    waiting("/assets/logo.png")
    waiting("/assets/lost.png", state=State.FAILED)
    make_image()
    assert list(due()) == [untried, retried]
    assert list(due(1)) == [untried]
    assert list(due(retry_failed=True)) == [untried, retried, too_early, for_good]


def test_marked_pending_are_those_that_can_be_fetched():
    failed = waiting(state=State.FAILED, reason="http_404", detail="Gone.", attempts=6)
    local = waiting("/assets/logo.png", state=State.FAILED, reason="not_found")
    assert mark_pending(RemoteImage.objects.filter(state=State.FAILED)) == [failed.pk]
    row = reloaded(failed)
    assert (row.state, row.reason, row.detail, row.attempts) == (State.PENDING, "", "", 0)
    assert reloaded(local).state == State.FAILED


def test_picture_missing_from_a_tree_is_marked_failed():
    image = waiting("/assets/logo.png")
    mark_failed(image, "not_found", "x" * 500)
    row = reloaded(image)
    assert (row.state, row.reason, row.next_attempt_at) == (State.FAILED, "not_found", None)
    assert len(row.detail) == 300
