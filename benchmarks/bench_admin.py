"""What editors wait for: the desk's queues, the list of stories with each of its filters and orders, search, the form,
history, bulk, the first page.

A small and a large site (SIZES=1000,100000) are asked by turns, each in a process of its own, so that whatever else the
machine does is the same to both; the figures are medians of ROUNDS. No page may take more than three times as long at
the larger, and none may ask more queries. DATABASE_URL=postgres://… does it on PostgreSQL.
"""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.archives import write_archive
from benchmarks.sites import database, import_tree, migrate, start_django

SIZES = [int(size) for size in os.environ.get("SIZES", "1000,100000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "15"))
MOST = 3  # times as long that a page of the larger site may take
EDITOR = "bench"


def main() -> None:
    with ExitStack() as stack:
        sites = [_site(stack, size) for size in SIZES]
        addresses: list[dict[str, str]] = [site.submit(_addresses).result() for site in sites]
        for name in addresses[0]:
            asked = [(site, found[name]) for site, found in zip(sites, addresses, strict=True)]
            queries = [site.submit(_queries, address).result() for site, address in asked]
            turns = [[site.submit(_ask, address).result() for site, address in asked] for _ in range(ROUNDS)]
            print(_told(name, [median(times) for times in zip(*turns, strict=True)], queries), flush=True)


def _site(stack: ExitStack, size: int) -> ProcessPoolExecutor:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
    url = stack.enter_context(database(folder))
    spawn = multiprocessing.get_context("spawn")
    started = (url, folder / "media")
    site = stack.enter_context(ProcessPoolExecutor(1, spawn, initializer=start_django, initargs=started))
    site.submit(_make_site, folder / "site", size).result()
    print(f"-- a site of {size:,} stories, {'PostgreSQL' if url.startswith('postgres') else 'SQLite'}", flush=True)
    return site


def _told(name: str, seconds: list[float], queries: list[int]) -> str:
    told = [f"{name:36}", *(f"{each * 1000:7.1f} ms" for each in seconds), f"{queries[0]:3} queries"]
    for later in seconds[1:]:
        told.append(f"{later / seconds[0]:5.2f} times as long")
        told += [f"TOO SLOW, limit {MOST}"] * (later > MOST * seconds[0])
    told += [f"MORE QUERIES: {queries}"] * (len(set(queries)) > 1)
    return "  ".join(told)


# --- In a site's own process --------------------------------------------------------------------


def _make_site(site: Path, count: int) -> None:
    """A newsroom at work: drafts (a few of the editor's own), stories in review, to come, gone live today, withdrawn
    and rejected; some without a picture, or that differ from their source; one event a story. In the small site too
    there are enough for a page of everything."""
    from datetime import timedelta

    from django.contrib.auth.models import User
    from django.db import connection
    from django.db.models import F
    from django.utils import timezone

    from articles.models import Article, Conflict, Event, SourceFile
    from images.models import RemoteImage

    migrate()
    write_archive(site, count)
    import_tree(site)
    if connection.vendor == "postgresql":  # or the changes below take minutes
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    editor = User.objects.create_superuser(EDITOR, password=EDITOR)
    with connection.cursor() as cursor:
        digest = "printf('%064x', id)" if connection.vendor == "sqlite" else "lpad(to_hex(id), 64, '0')"
        cursor.execute(
            f"UPDATE {RemoteImage._meta.db_table} SET state = 'cached', content_hash = {digest}, width = 1200,"  # noqa: S608
            " height = 630, next_attempt_at = NULL WHERE id % 20 <> 0"
        )
    now = timezone.now()
    of = Article.objects.order_by().annotate(turn=F("pk") % 100)
    of.filter(turn__lt=30).update(status="draft", publish_at=None)
    of.filter(turn__lt=6).update(created_by=editor)
    for first, state in ((30, "in_review"), (36, "rejected")):
        of.filter(turn__gte=first, turn__lt=first + 6).update(status=state, publish_at=None)
    of.filter(turn__gte=42, turn__lt=48).update(status="unpublished")
    for first, begin in ((48, timedelta(days=1)), (54, timedelta(0))):
        keys = list(of.filter(turn__gte=first, turn__lt=first + 6).values_list("pk", flat=True)[:60])
        Article.objects.filter(pk__in=keys).update(publish_at=now + begin, unpublish_at=None)
    disputed = SourceFile.objects.filter(article__isnull=False).order_by("pk")[:60]
    Conflict.objects.bulk_create(Conflict(source=source, field="title", base="a", theirs="b") for source in disputed)
    Event.objects.bulk_create(
        (
            Event(article_id=key, actor=editor, verb="publish", from_status="draft", to_status="published", at=now)
            for key in Article.objects.order_by().values_list("pk", flat=True)
        ),
        batch_size=1_000,
    )
    if connection.vendor == "postgresql":  # which does it by itself, in time
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _addresses() -> dict[str, str]:
    """By what it is called, what is asked for."""
    from django.urls import reverse

    from articles.admin.desk.queues import QUEUES
    from articles.models import Article, ArticleTopic

    story = Article.objects.order_by("-published_at", "-pk").first()
    assert story  # noqa: S101
    topic = ArticleTopic.objects.order_by("pk").values_list("tag", flat=True)[0]
    desk, stories = reverse("admin:desk"), reverse("admin:articles_article_changelist")
    word = max(story.title.split(), key=len)
    kinds = {"list, topic": f"topic={topic}", "list, provider": f"provider={story.provider_id}"}
    typed = {"a word": word, "a beginning": word[:3], "an address": story.stem, "nothing": "nothing-like-it"}
    kinds |= {f"list, searched: {what}": f"q={text}" for what, text in typed.items()}
    choices = {
        "state": ["draft", "in_review", "published", "unpublished", "rejected", "public", "scheduled"],
        "live": ["today", "tomorrow"],
        "picture": ["needed", "there"],
        "source": ["differs"],
        "changes": ["waiting"],
        "when": ["today", "yesterday", "week", "month", "last-month", "year", "later"],
        "kind": ["article", "video", "other"],
        "o": ["5", "-5", "6", "7", "-7"],
    }
    narrowed = {
        "topic": "topic=topic-3",
        "provider": "provider=outlet-1.example",
        "type": "kind=video",
        "no picture": "picture=needed",
        "words": "q=outlet",
        "far in": "after=2025-12-25T00:00:00,5",
    }
    return {
        **{
            f"desk, {queue.label.lower()}, {order.label.lower()}": f"{desk}?queue={queue.name}&order={order.name}"
            for queue in QUEUES.values()
            for order in queue.orders
        },
        **{f"desk, incoming, {name}": f"{desk}?{query}" for name, query in narrowed.items()},
        "desk, counts": reverse("admin:desk_counts"),
        "list": stories,
        "list, page 2": f"{stories}?p=2",
        **{f"list, {name}={value}": f"{stories}?{name}={value}" for name, of in choices.items() for value in of},
        **{name: f"{stories}?{query}" for name, query in kinds.items()},
        "list, searched: an outlet": f"{stories}?q=outlet",
        "form": reverse("admin:articles_article_change", args=[story.pk]),
        "form, new": reverse("admin:articles_article_add"),
        "history": reverse("admin:articles_article_history", args=[story.pk]),
        "preview": reverse("admin:articles_article_preview", args=[story.pk]),
        "events": reverse("admin:articles_event_changelist"),
        "events, mine": f"{reverse('admin:articles_event_changelist')}?who=me",
        "events, rejected": f"{reverse('admin:articles_event_changelist')}?what=reject",
        "first page": reverse("admin:index"),
    }


_client: Any = None


def _ask(address: str) -> float:
    """Seconds until the page is there."""
    global _client
    if _client is None:
        from django.contrib.auth.models import User
        from django.test import Client

        _client = Client(headers={"host": "127.0.0.1"})
        _client.force_login(User.objects.get())
    start = time.perf_counter()
    answer = _client.get(address)
    seconds = time.perf_counter() - start
    if answer.status_code != 200:
        raise SystemExit(f"{address} answered {answer.status_code}.")
    return seconds


def _queries(address: str) -> int:
    """How many the page asks, when all is read that is read once."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    _ask(address)
    with CaptureQueriesContext(connection) as queries:
        _ask(address)
        return len(queries)


if __name__ == "__main__":
    main()
