from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from django_tasks import default_task_backend

from images import queue, tasks
from images.caching import WORKERS
from images.models import RemoteImage
from tests.factories import NOON, make_image, png
from tests.fetching.hosts import answer

pytestmark = pytest.mark.django_db

State = RemoteImage.State


@pytest.fixture
def calls():
    """How many calls there are in the queue."""
    default_task_backend.clear()
    return lambda: len(default_task_backend.results)


def waiting(url: str = "https://pictures.example/a.png", **overrides) -> RemoteImage:
    return make_image(cached=False, source_url=url, **overrides)


def test_worker_is_called_once_the_transaction_is_over(calls, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        waiting()
        tasks.wake()
        assert calls() == 0
    assert calls() == 1


def test_nobody_is_called_for_nothing(calls, django_capture_on_commit_callbacks):
    make_image()
    waiting(next_attempt_at=None)
    with django_capture_on_commit_callbacks(execute=True):
        tasks.wake()
    assert calls() == 0


@pytest.mark.django_db(transaction=True)
def test_queue_that_is_down_stops_nobody(monkeypatch, caplog):
    def down():
        raise ConnectionError("The queue is away.")

    monkeypatch.setattr(tasks, "_call", down)
    with transaction.atomic():
        waiting()
        tasks.wake()
    assert RemoteImage.objects.count() == 1
    assert "The queue is away." in caplog.text


def test_task_fetches_what_is_due_and_says_so(hosting, calls):
    host = hosting(answer(body=png((16, 9))))
    waiting(host.url())
    assert tasks.fetch_pictures.call() == "cached=1 failed=0"
    assert calls() == 0


def test_task_with_more_than_it_can_begin_calls_another_worker(hosting, calls):
    host = hosting(answer(body=png((16, 9))))
    for n in range(WORKERS + 1):
        waiting(host.url(f"/{n}"))
    tasks.fetch_pictures.call()
    assert calls() == 1


def test_task_that_leaves_something_calls_again(hosting, calls, monkeypatch):
    host = hosting(answer(body=png((16, 9))))
    monkeypatch.setattr(tasks, "TASK_SECONDS", 0)
    waiting(host.url())
    tasks.fetch_pictures.call()
    assert calls() == 1


def test_picture_that_somebody_is_at_is_only_made_urgent():
    image = waiting()
    queue.claim(1)
    again = tasks.wanted(image.source_url)
    assert again.urgent
    assert again.next_attempt_at > timezone.now()


def test_calls_do_not_pile_up_where_no_worker_answers(settings):
    from django_tasks_db.models import DBTaskResult

    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    waiting()
    for _ in range(3):
        tasks._call()
    assert DBTaskResult.objects.count() == 1


def test_what_an_editor_waits_for_comes_first(calls, django_capture_on_commit_callbacks):
    waiting("https://a.example/1")
    with django_capture_on_commit_callbacks(execute=True):
        new = tasks.wanted("https://a.example/2")
    assert (new.urgent, new.state, calls()) == (True, State.PENDING, 1)
    assert tasks.wanted("https://a.example/1").pk != new.pk
    assert RemoteImage.objects.filter(urgent=True).count() == 2


def test_address_that_failed_is_tried_again_when_an_editor_wants_it():
    failed = waiting(state=State.FAILED, reason="http_404", attempts=6, next_attempt_at=None)
    again = tasks.wanted(failed.source_url)
    assert (again.pk, again.state, again.urgent, again.attempts) == (failed.pk, State.PENDING, True, 0)


def test_what_was_taken_down_stays_down_when_an_editor_wants_it():
    down = waiting(state=State.TAKEN_DOWN, next_attempt_at=None)
    assert tasks.wanted(down.source_url).state == State.TAKEN_DOWN


def test_wanted_picture_that_is_here_stays_as_it_is():
    image = make_image()
    assert tasks.wanted(image.source_url) == image
    image.refresh_from_db()
    assert (image.state, image.urgent) == (State.CACHED, False)


def test_sweep_calls_for_what_nobody_came_for(calls):
    waiting()
    tasks.sweep()
    assert calls() == 0  # it has only just come
    RemoteImage.objects.update(next_attempt_at=NOON)
    tasks.sweep()
    assert calls() == 1


def test_sweep_forgets_calls_of_long_ago(settings):
    from django_tasks_db.models import DBTaskResult

    settings.TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
    for days in (2, 0):
        result = tasks.fetch_pictures.using(backend="default").enqueue()
        DBTaskResult.objects.filter(pk=result.id).update(
            status="RUNNING", started_at=result.enqueued_at - timedelta(days=days)
        )
    tasks.sweep()
    assert DBTaskResult.objects.count() == 1
