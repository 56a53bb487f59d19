from datetime import timedelta

import pytest
import time_machine

from images import queue
from images.models import RemoteImage
from images.queue import claim, due, mark_pending, standstill
from tests.factories import NOON, make_image

pytestmark = pytest.mark.django_db

State = RemoteImage.State
MINUTE = timedelta(minutes=1)


def waiting(url: str = "https://pictures.example/a.png", **overrides) -> RemoteImage:
    return make_image(cached=False, source_url=url, **{"next_attempt_at": NOON} | overrides)


@time_machine.travel(NOON, tick=False)
def test_due_are_the_urgent_then_the_untried_then_those_whose_time_has_come():
    retried = waiting("https://a.example/1", state=State.FAILED, attempts=1, next_attempt_at=NOON - MINUTE)
    waiting("https://a.example/2", state=State.FAILED, attempts=1, next_attempt_at=NOON + MINUTE)
    waiting("https://a.example/3", state=State.FAILED, attempts=1, next_attempt_at=None)
    untried = waiting("https://a.example/4")
    urgent = waiting("https://a.example/5", urgent=True)
    waiting("/assets/logo.png")
    make_image()
    assert list(due()) == [urgent, untried, retried]


@time_machine.travel(NOON, tick=False)
def test_claimed_rows_are_nobody_elses_until_the_lease_is_over():
    first, second = waiting("https://a.example/1"), waiting("https://a.example/2")
    assert claim(1) == [first]
    assert claim(5) == [second]
    assert claim(5) == []
    with time_machine.travel(NOON + queue.LEASE, tick=False):
        assert claim(5) == [first, second]


@time_machine.travel(NOON, tick=False)
def test_claims_are_counted_as_attempts_and_given_back_they_are_not():
    waiting()
    (claimed,) = claim(1)
    assert (claimed.attempts, claimed.attempted_at) == (1, NOON)
    queue.give_back([claimed], after=MINUTE)
    row = RemoteImage.objects.get()
    assert (row.attempts, row.next_attempt_at) == (0, NOON + MINUTE)


@time_machine.travel(NOON, tick=False)
def test_what_somebody_else_took_over_is_not_given_back():
    waiting()
    (claimed,) = claim(1)
    RemoteImage.objects.update(next_attempt_at=None, state=State.TAKEN_DOWN)
    queue.give_back([claimed])
    assert RemoteImage.objects.get().next_attempt_at is None


@pytest.mark.parametrize(("cached", "state"), [(False, State.FAILED), (True, State.CACHED)])
def test_picture_that_kills_its_workers_is_left_alone_in_the_end(cached, state):
    make_image(cached=cached)
    RemoteImage.objects.update(next_attempt_at=NOON, state=State.PENDING)
    now = NOON
    for _ in range(queue.MAX_ATTEMPTS):
        with time_machine.travel(now, tick=False):
            assert len(claim(1)) == 1
            now += queue.LEASE
    with time_machine.travel(now, tick=False):
        assert claim(1) == []
    row = RemoteImage.objects.get()
    assert (row.state, row.reason, row.next_attempt_at) == (state, "never_ended", None)


@time_machine.travel(NOON, tick=False)
def test_marked_pending_are_those_that_can_be_fetched():
    failed = waiting(state=State.FAILED, reason="http_404", detail="Gone.", attempts=6, next_attempt_at=None)
    local = waiting("/assets/logo.png", state=State.FAILED, reason="not_found", next_attempt_at=None)
    down = waiting("https://a.example/1", state=State.TAKEN_DOWN, next_attempt_at=None)
    assert mark_pending(RemoteImage.objects.all(), urgent=True) == 1
    rows = RemoteImage.objects.in_bulk()
    row = rows[failed.pk]
    assert (row.state, row.reason, row.detail, row.attempts, row.urgent) == (State.PENDING, "", "", 0, True)
    assert row.next_attempt_at == NOON
    assert (rows[local.pk].state, rows[down.pk].state) == (State.FAILED, State.TAKEN_DOWN)


@time_machine.travel(NOON, tick=False)
def test_queue_stands_still_when_pictures_are_due_and_none_is_tried():
    assert standstill(10 * MINUTE) is None
    waiting("https://a.example/1", next_attempt_at=NOON - 11 * MINUTE)
    waiting("https://a.example/2", next_attempt_at=NOON - 20 * MINUTE)
    waiting("https://a.example/3", next_attempt_at=NOON - MINUTE)
    waiting("/assets/logo.png", next_attempt_at=NOON - 20 * MINUTE)
    assert standstill(10 * MINUTE) == queue.Standstill(2, NOON - 20 * MINUTE)
    make_image(attempted_at=NOON + MINUTE)  # by a clock that was wrong
    assert standstill(10 * MINUTE) is not None
    make_image(attempted_at=NOON - MINUTE)
    assert standstill(10 * MINUTE) is None


@time_machine.travel(NOON, tick=False)
def test_soon_are_those_that_another_worker_has():
    assert queue.soon() is None
    waiting("https://a.example/1", state=State.FAILED, next_attempt_at=NOON + MINUTE)
    assert queue.soon() is None
    waiting("https://a.example/2", state=State.FAILED)
    claim(1)
    assert queue.soon() == NOON + queue.LEASE
