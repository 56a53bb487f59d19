"""Requests a second for the readers' pages, warm (pages are kept) and cold (each is made anew).

Each figure is a ratio to a constant page of the same server, measured by turns with it: gunicorn with two processes,
asked by four readers at once. SIZES=1000,100000 makes one site after the other and compares them; SECONDS is how long
each turn takes, ROUNDS how many there are. DATABASE_URL=postgres://… does it on PostgreSQL, instead of on SQLite.
"""

from __future__ import annotations

import html
import multiprocessing
import os
import re
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import quote

from benchmarks.archives import write_archive
from benchmarks.load import Load, ask, load, request, server
from benchmarks.sites import database, import_tree, migrate, served_from, start_django

CONSTANT = ["/constant/"]
TOPIC = "/topics/topic-0/"
FAR = 400  # pages into the topic
SECONDS = float(os.environ.get("SECONDS", "1.5"))
ROUNDS = int(os.environ.get("ROUNDS", "5"))
QUERIES = [
    "{word}",
    "{word} {other}",
    '"{word} {other}"',
    "{word:.3}",
    "topic:topic-0 {word}",
    "outlet",
    "{other} after:2025",
]

Figures = dict[str, float]  # ratios and times to compare sizes by


@dataclass(frozen=True)
class Addresses:
    stories: list[str]
    searches: list[str]


def main() -> None:
    sizes = [int(size) for size in os.environ.get("SIZES", "1000").split(",")]
    figures = [_measure_size(size) for size in sizes]
    for size, found in zip(sizes[1:], figures[1:], strict=True):
        print(f"{size:,} stories compared with {sizes[0]:,}:")
        for name, value in found.items():
            print(f"{name:36} {value / figures[0][name]:9.2f} times as long")


def _measure_size(count: int) -> Figures:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder, database(Path(folder)) as url:
        media = Path(folder, "media")
        print(f"-- {count:,} stories, {'PostgreSQL' if url.startswith('postgres') else 'SQLite'}", flush=True)
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, spawn, initializer=start_django, initargs=(url, media)) as aside:
            addresses = aside.submit(_make_site, Path(folder, "site"), count).result()
        environment = served_from(folder) | {"DATABASE_URL": url}
        figures: Figures = {}
        for state, cold in (("warm", "off"), ("cold", "on")):
            with server(**environment, COLD=cold) as port:
                figures |= _measure_pages(port, addresses, state)
        return figures


def _make_site(site: Path, count: int) -> Addresses:
    migrate()
    write_archive(site, count)
    import_tree(site)
    return _dress()


def _dress() -> Addresses:
    """As if all pictures had been cached, and a common topic with them; what there is to ask for."""
    import random

    from django.db import connection

    from articles.models import Article, ArticleTopic, Topic
    from images.models import RemoteImage

    with connection.cursor() as cursor:
        digest = "printf('%064x', id)" if connection.vendor == "sqlite" else "lpad(to_hex(id), 64, '0')"
        cursor.execute(
            f"UPDATE {RemoteImage._meta.db_table} SET state = 'cached', content_hash = {digest}, width = 1200,"  # noqa: S608
            " height = 630, color = '#336699', next_attempt_at = NULL"
        )
        topic = Topic.objects.get(slug=TOPIC.split("/")[2])
        others = Article.objects.exclude(topic_items__tag=topic).order_by("pk").values_list("pk", flat=True)[::6]
        ArticleTopic.objects.bulk_create(
            (ArticleTopic(content_object_id=key, tag=topic, position=9) for key in others), batch_size=500
        )
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE")
    dice = random.Random(7)  # noqa: S311  (repeatable, not secret)
    stories = list(Article.objects.published().order_by("-published_at")[:2000])
    chosen = dice.sample(stories, 50)
    words = [re.findall("[a-z]{5,}", story.title.lower()) for story in chosen]
    pairs = [found[:2] for found in words if len(found) > 1]
    queries = [QUERIES[n % len(QUERIES)].format(word=word, other=other) for n, (word, other) in enumerate(pairs)]
    return Addresses(
        [story.get_absolute_url() for story in chosen], [f"/search/?q={quote(query)}" for query in queries]
    )


def _measure_pages(port: int, addresses: Addresses, state: str) -> Figures:
    far, number = _far_page(port)
    pages = {
        "front": ["/"],
        "story": addresses.stories,
        "topic, page 1": [TOPIC],
        f"topic, page {number}": [far],
        "search": addresses.searches,
    }
    figures: Figures = {}
    found: dict[str, list[Load]] = {}
    for name, asked in pages.items():
        for address in asked:  # once for all that is warmed up by it
            ask(port, request(address))
        turns = [(load(port, CONSTANT, SECONDS), load(port, asked, SECONDS)) for _ in range(ROUNDS)]
        found[name] = [turn for _, turn in turns]
        ratio = median(turn.rate / constant.rate for constant, turn in turns)
        rate, p99 = median(turn.rate for turn in found[name]), median(turn.p99 for turn in found[name])
        yardstick = median(constant.rate for constant, _ in turns)
        print(
            f"{state} {name:24} {rate:7,.0f} requests/s  {ratio:5.2f} of a constant page's {yardstick:,.0f}   "
            f"p99 {p99 * 1000:6.1f} ms",
            flush=True,
        )
    first, last = found["topic, page 1"], found[f"topic, page {number}"]
    print(f"{state} page {number} takes {_middle(last) / _middle(first):.2f} times as long as page 1")
    if state == "cold":
        figures["search, p95"] = median(turn.p95 for turn in found["search"])
        for name in ("front", "story", "topic, page 1"):
            figures[name] = _middle(found[name])
    return figures


def _middle(turns: list[Load]) -> float:
    return median(1 / turn.rate for turn in turns)


def _far_page(port: int) -> tuple[str, int]:
    """The address of page FAR of the topic, by way of all before it, or of its last; and its number."""
    address = TOPIC
    for number in range(1, FAR):
        text = _text(ask(port, request(address)))
        further = re.search(r'<a rel="next" href="([^"]+)"', text)
        if further is None:
            return address, number
        address = TOPIC + html.unescape(further[1])
    return address, FAR


def _text(answer: bytes) -> str:
    import gzip

    head, _, body = answer.partition(b"\r\n\r\n")
    return (gzip.decompress(body) if b"content-encoding: gzip" in head.lower() else body).decode()


if __name__ == "__main__":
    main()
