"""What editors wait for: the list of stories with each of its filters, search, the form, the history.

Each page is asked for in this process, as an editor; the figures are medians. SIZES=1000,100000 makes one site after
the other and compares them: no page may take more than three times as long in the larger. DATABASE_URL=postgres://…
does it on PostgreSQL.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.archives import write_archive
from benchmarks.sites import database, import_tree, migrate, start_django

ROUNDS = int(os.environ.get("ROUNDS", "15"))
LIMIT = 3
LIST = "/admin/articles/article/"


@dataclass(frozen=True)
class Figure:
    seconds: float
    queries: int


Figures = dict[str, Figure]


def main() -> None:
    sizes = [int(size) for size in os.environ.get("SIZES", "1000,100000").split(",")]
    figures = [_of_size(size) for size in sizes]
    for size, found in zip(sizes[1:], figures[1:], strict=True):
        print(f"{size:,} stories compared with {sizes[0]:,}; at most {LIMIT} times as long is asked for:")
        for name, figure in found.items():
            base = figures[0][name]
            print(f"{name:36} {figure.seconds / base.seconds:6.2f} times as long{_told(base, figure)}")


def _told(base: Figure, figure: Figure) -> str:
    ratio = "" if figure.seconds <= LIMIT * base.seconds else "  TOO SLOW"
    return ratio + ("" if base.queries == figure.queries else f"  {base.queries} queries became {figure.queries}")


def _of_size(count: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder, database(Path(folder)) as url:
        print(f"-- {count:,} stories, {'PostgreSQL' if url.startswith('postgres') else 'SQLite'}", flush=True)
        spawn = multiprocessing.get_context("spawn")
        start = (url, Path(folder, "media"))
        with ProcessPoolExecutor(1, spawn, initializer=start_django, initargs=start) as aside:
            return aside.submit(_measure, Path(folder, "site"), count).result()


def _measure(site: Path, count: int) -> Figures:
    migrate()
    write_archive(site, count)
    import_tree(site)
    furnish()
    return pages()


def furnish() -> None:
    """As in a newsroom at work: drafts and stories in review, some to come, some gone, some without a picture; a few
    that differ from their source, and as many events as there are stories."""
    from datetime import timedelta

    from django.contrib.auth.models import User
    from django.db import connection
    from django.db.models import F
    from django.utils import timezone

    from articles.models import Article, Conflict, Event, SourceFile
    from images.models import RemoteImage

    editor = User.objects.create_superuser("bench", password="bench")  # noqa: S106
    with connection.cursor() as cursor:
        digest = "printf('%064x', id)" if connection.vendor == "sqlite" else "lpad(to_hex(id), 64, '0')"
        cursor.execute(
            f"UPDATE {RemoteImage._meta.db_table} SET state = 'cached', content_hash = {digest}, width = 1200,"  # noqa: S608
            " height = 630, next_attempt_at = NULL WHERE id % 20 <> 0"
        )
    now = timezone.now()
    of = Article.objects.order_by().annotate(turn=F("pk") % 100)
    of.filter(turn__lt=20).update(status="draft", publish_at=None, created_by=editor)
    of.filter(turn__range=(20, 25)).update(status="in_review", publish_at=None)
    of.filter(turn__range=(26, 31)).update(status="unpublished")
    of.filter(turn__range=(32, 37)).update(status="rejected", publish_at=None)
    coming = list(of.filter(turn__range=(38, 48))[:100])
    for number, article in enumerate(coming):
        article.publish_at, article.unpublish_at = now + timedelta(minutes=10 * number - 400), None
    Article.objects.bulk_update(coming, ["publish_at", "unpublish_at"])
    Conflict.objects.bulk_create(
        Conflict(source=source, field="title", base="What both said", theirs="What the source says")
        for source in SourceFile.objects.filter(article__isnull=False).order_by("pk")[:60]
    )
    Event.objects.bulk_create(
        (
            Event(article_id=key, actor=editor, verb="publish", from_status="draft", to_status="published", at=now)
            for key in Article.objects.order_by().values_list("pk", flat=True)
        ),
        batch_size=1_000,
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def pages() -> Figures:
    """How long each page takes, and how many queries it asks."""
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(User.objects.get(username="bench"))
    figures: Figures = {}
    for name, address in addresses().items():
        _ask(client, address)  # what is read or compiled once
        with CaptureQueriesContext(connection) as queries:
            _ask(client, address)
            asked = len(queries)  # the next request forgets them
        seconds = median(_ask(client, address) for _ in range(ROUNDS))
        figures[name] = Figure(seconds, asked)
        print(f"{name:36} {seconds * 1000:8.1f} ms  {asked:3} queries", flush=True)
    return figures


def _ask(client: Any, address: str) -> float:
    start = time.perf_counter()
    response = client.get(address)
    if response.status_code != 200:
        raise SystemExit(f"{address} answered {response.status_code}.")
    return time.perf_counter() - start


def addresses() -> dict[str, str]:
    """By name, what is asked for: each choice of each filter of the list of stories, and what else editors open."""
    from articles.models import Article, ArticleTopic

    story = Article.objects.order_by("-published_at").first()
    assert story  # noqa: S101
    topic = ArticleTopic.objects.order_by("pk").values_list("tag", flat=True)[0]
    word = max(story.title.split(), key=len)
    asked = {
        "state": ["draft", "in_review", "published", "unpublished", "rejected", "public", "scheduled"],
        "picture": ["needed", "there"],
        "source": ["differs"],
        "when": ["today", "yesterday", "week", "month", "last-month", "year", "later"],
        "topic": [topic],
        "provider": [story.provider_id],
        "kind": ["article", "video", "other"],
        "q": [word, f"{word[:3]}", story.stem, "nothing-like-it"],
        "o": ["3", "5", "6", "7", "-7"],
    }
    choices = {f"list, {name}={value}": f"{LIST}?{name}={value}" for name, values in asked.items() for value in values}
    return {
        "list": LIST,
        "list, page 2": f"{LIST}?p=2",
        **choices,
        "list, draft and topic": f"{LIST}?state=draft&topic={topic}",
        "form": f"{LIST}{story.pk}/change/",
        "events": "/admin/articles/event/",
        "index": "/admin/",
    }


if __name__ == "__main__":
    main()
