"""Workers, takedowns and uploads at the same rows at the same time: nobody waits for the other in a circle."""

import threading

import pytest
from django.db import connection

from images import queue
from images.models import RemoteImage
from images.takedown import allow_again, take_down
from images.uploads import replace
from tests.factories import make_image, make_user, png

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 25


def test_nobody_waits_in_a_circle():
    if connection.vendor != "postgresql":
        pytest.skip("SQLite lets only one write")
    images = [make_image(cached=False) for _ in range(4)]
    rows = RemoteImage.objects.filter(pk__in=[image.pk for image in images])
    editor, other = make_user(is_superuser=True), make_image(size=(16, 9))
    errors: list[Exception] = []

    def work() -> None:
        for _ in range(ROUNDS):
            queue.give_back(queue.claim(4))

    def decide() -> None:
        for _ in range(ROUNDS):
            take_down(rows, by=editor, reason="No.")
            allow_again(rows, by=editor, reason="Yes.")

    def put() -> None:
        for _ in range(ROUNDS):
            replace(other, png((16, 9)), by=editor)

    def run(task) -> None:
        try:
            task()
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[task]) for task in (work, work, decide, put)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
