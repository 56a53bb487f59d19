"""Workers killed at random moments in the middle of 200 pictures: `python -m tests.images.killing FOLDER SEED`.

A program of its own, with DATABASE_URL saying which kind of database. It plays the pictures' host, says what it does,
and exits with 1 when in the end a picture is missing, is there twice, or a file is left that no picture needs.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from tests.articles.killing import Databases, say
from tests.fetching.hosts import Host, answer, playing

PICTURES = 200
CONTENTS = 150  # some addresses give the same picture
KILLS = 5
LEASE = timedelta(seconds=3)
PATIENCE = 120  # seconds


def work() -> None:
    """A worker that takes others for dead sooner than usual."""
    import django

    django.setup()
    from django.core.management import call_command

    from images import queue, tasks

    queue.LEASE, tasks.SWEEP_SECONDS = LEASE, 0.5
    call_command("worker")


def pictures():
    from tests.factories import png  # needs a Django that is set up

    drawn = [png((400, 300), shade=number) for number in range(CONTENTS)]
    return lambda connection, path: answer(body=drawn[int(path[1:]) % CONTENTS])(connection, path)


def kill_workers(host: Host, dice: random.Random) -> int:
    from django.core.management import call_command

    from images.models import RemoteImage

    call_command("migrate", verbosity=0)
    RemoteImage.objects.bulk_create(RemoteImage(source_url=host.url(f"/{number}")) for number in range(PICTURES))
    cached = RemoteImage.objects.filter(state=RemoteImage.State.CACHED)
    for _ in range(KILLS):
        goal = cached.count() + dice.randrange(5, PICTURES // (KILLS + 1))
        wait_and_kill(lambda goal=goal: cached.count() >= goal)
        say(f"killed with {cached.count()} cached")
    wait_and_kill(lambda: cached.count() == PICTURES)
    return report(wrong_in_the_end(host))


def wait_and_kill(is_reached) -> None:
    worker = subprocess.Popen([sys.executable, "-m", "tests.images.killing"])
    try:
        until = time.monotonic() + PATIENCE
        while not is_reached():
            if worker.poll() is not None or time.monotonic() > until:
                raise SystemExit("A worker ended, or came no further.")
            time.sleep(0.02)
    finally:
        worker.kill()
        worker.wait()


def wrong_in_the_end(host: Host):
    from django.conf import settings

    from images import files
    from images.models import RemoteImage

    files.DEAD_AFTER = timedelta(0)  # the last one was killed too
    files.delete_dead_parts()
    rows = list(RemoteImage.objects.all())
    needed = set(itertools.chain.from_iterable(files.names(row) for row in rows))
    root = Path(settings.MEDIA_ROOT)
    there = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    if len(rows) != PICTURES or any(row.state != "cached" for row in rows):
        yield f"states: {Counter(row.state for row in rows)}"
    if len({row.content_hash for row in rows}) != CONTENTS:
        yield "pictures were confused"
    if missing := needed - there:
        yield f"missing: {sorted(missing)[:5]}"
    if orphans := there - needed:
        yield f"nobody's: {sorted(orphans)[:5]}"
    most = PICTURES + KILLS * 8  # those that were under way at each kill
    if len(host.requests) > most:
        yield f"{len(host.requests)} fetches, of {most} at most"


def report(wrong) -> int:
    lines = list(wrong)
    for line in lines or ["as it should be"]:
        say(line)
    return 1 if lines else 0


def main(folder: Path, seed: int) -> int:
    """With a database of its own, made before Django reads where it is."""
    import django

    say(f"KILLING_SEED={seed}")
    databases = Databases(os.environ["DATABASE_URL"], folder)
    name = databases.new()
    parts = urlsplit(os.environ["DATABASE_URL"])
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(path=f"/{name}"))
    django.setup()
    try:
        with playing(pictures()) as host:
            os.environ["FETCH_ALLOW_HOSTS"] = host.name
            return kill_workers(host, random.Random(seed))
    finally:
        from django.db import connections

        connections.close_all()
        databases.drop_all()


if __name__ == "__main__":
    if len(sys.argv) == 1:
        work()
    else:
        sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
