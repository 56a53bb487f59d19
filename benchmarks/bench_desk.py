"""The desk: how soon the page answers a key in Chromium, and how long the server takes for each queue of a small and of
a large site.

SIZES=1000,100000 are the stories of the two sites, ROUNDS how often each page is asked for. DATABASE_URL=postgres://…
does the server's part on PostgreSQL. Without Chromium (CHROMIUM names it) there is no first part.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.archives import write_archive
from benchmarks.load import server
from benchmarks.sites import database, import_tree, migrate, start_django

if TYPE_CHECKING:
    from playwright.sync_api import Page

DRAFTS = 200
PUBLISHED, REJECTED, RETOPICKED = 40, 20, 10
LIMIT = 100  # milliseconds that a page may take to answer a key
MOST = 3  # times as long that a page of the large site may take
SIZES = [int(size) for size in os.environ.get("SIZES", "1000,100000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "15"))
EDITOR = ("editor", "correct horse battery")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]

# A key is answered once the page has changed, or moved the focus, and that has been painted: a message sent in the
# frame's callback comes after the frame. Letters that are typed into a field are the browser's own business.
WATCH = """() => {
    window.answers = {};
    addEventListener("keydown", ({key, timeStamp}) => {
        const focus = document.activeElement;
        if (key.length === 1 && focus.matches("input")) return;
        let isChanged = false;
        const observer = new MutationObserver(() => { isChanged = true; });
        observer.observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true});
        const look = () => requestAnimationFrame(() => {
            if (!isChanged && document.activeElement === focus) return look();
            const channel = new MessageChannel();
            channel.port1.onmessage = () => {
                (window.answers[key] ??= []).push(performance.now() - timeStamp);
                observer.disconnect();
            };
            channel.port2.postMessage(null);
        });
        look();
    }, {capture: true});
}"""


def main() -> None:
    _measure_keys()
    _measure_pages()


# --- In the browser -----------------------------------------------------------------------------


def _measure_keys() -> None:
    chromium = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if chromium is None:
        print("No Chromium, so no keys were measured: install it, or name it in CHROMIUM.", flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        environment = _environment(f"sqlite:///{folder}/desk.sqlite3", folder)
        spawn = multiprocessing.get_context("spawn")
        started = (environment["DATABASE_URL"], Path(folder, "media"))
        with ProcessPoolExecutor(1, spawn, initializer=start_django, initargs=started) as aside:
            aside.submit(_make_drafts, Path(folder, "site")).result()
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity=0"],
            env=os.environ | environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        with server(**environment) as port:
            _tell_answers(*_morning(chromium, f"http://127.0.0.1:{port}"))


def _environment(url: str, folder: str) -> dict[str, str]:
    return {
        "DATABASE_URL": url,
        "MEDIA_ROOT": f"{folder}/media",
        "STATIC_ROOT": f"{folder}/static",
        "SECRET_KEY": "benchmark" * 6,
        "ENV_FILE": os.devnull,
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }


def _make_drafts(site: Path) -> None:
    from articles.models import Article

    _make_site(site, 250)
    keys = list(Article.objects.order_by("-published_at", "-pk").values_list("pk", flat=True)[:DRAFTS])
    if len(keys) < DRAFTS:
        raise SystemExit(f"There are only {len(keys)} stories to make drafts of.")
    Article.objects.exclude(pk__in=keys).delete()
    Article.objects.update(status="draft", publish_at=None, unpublish_at=None, created_by=None)


def _morning(chromium: str, site: str) -> tuple[dict[str, list[float]], float]:
    """What the editor presses, and how many milliseconds each key took; seconds of a processor that all of it took."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(f"{site}/admin/desk/")
        page.get_by_label("Username").fill(EDITOR[0])
        page.get_by_label("Password").fill(EDITOR[1])
        page.get_by_role("button", name="Log in").click()
        page.locator(".desk-card").first.wait_for()
        page.evaluate(WATCH)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        began = _processor_time(session)
        _press(page, "j")
        for key, number in (("p", PUBLISHED), ("x", REJECTED)):
            for _ in range(number):
                _press(page, key)
        for _ in range(RETOPICKED):
            _retopic(page)
        for key in ("u", "m", "j", "k", "s", "Escape", "/"):
            _press(page, key)
        page.evaluate("document.activeElement.blur()")
        _press(page, "?")
        page.wait_for_function("() => !document.querySelector('.is-busy')", timeout=60_000)
        answers: dict[str, list[float]] = page.evaluate("window.answers")
        busy = _processor_time(session) - began
        browser.close()
    return answers, busy


def _processor_time(session: Any) -> float:
    """Seconds that the page has kept a processor busy."""
    return next(
        float(each["value"])
        for each in session.send("Performance.getMetrics")["metrics"]
        if each["name"] == "TaskDuration"
    )


def _press(page: Page, key: str) -> None:
    """And wait until it has been answered, but not for what the site says."""
    before = page.evaluate("key => (window.answers[key] ?? []).length", key)
    page.keyboard.press(key)
    page.wait_for_function("([key, before]) => (window.answers[key] ?? []).length > before", arg=[key, before])


def _retopic(page: Page) -> None:
    _press(page, "t")
    page.keyboard.type("topic 7")
    _press(page, "Enter")
    page.locator(".desk-panel[open] .desk-chosen", has_text="Topic 7").wait_for()
    _press(page, "Enter")
    _press(page, "j")


def _tell_answers(answers: dict[str, list[float]], busy: float) -> None:
    print(f"-- keys over {DRAFTS} drafts, in Chromium; to be answered within {LIMIT} ms", flush=True)
    for key in ("j", "k", "p", "x", "t", "Enter", "u", "s", "m", "/", "?", "Escape"):
        if times := answers.get(key):
            print(
                f"{key:8} {len(times):4} times   median {median(times):6.1f} ms   worst {max(times):6.1f} ms",
                flush=True,
            )
    every = [time for times in answers.values() for time in times]
    middle, worst = median(every), max(every)
    print(
        f"all      {len(every):4} times   median {middle:6.1f} ms   worst {worst:6.1f} ms   limit {LIMIT} ms",
        flush=True,
    )
    print(
        f"with all that came of them they kept a processor busy for {busy / len(every) * 1000:.1f} ms a key", flush=True
    )


# --- On the server ------------------------------------------------------------------------------


def _measure_pages() -> None:
    """The sites answer by turns, so that whatever else the machine does is the same to both."""
    spawn = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        sites = []
        for size in SIZES:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="copydesk-bench-")))
            started = (stack.enter_context(database(folder)), folder / "media")
            aside = ProcessPoolExecutor(1, spawn, initializer=start_django, initargs=started)
            sites.append(stack.enter_context(aside))
            sites[-1].submit(_make_queues, folder / "site", size).result()
            print(f"-- a site of {size:,} stories", flush=True)
        pages: dict[str, str] = sites[0].submit(_addresses).result()
        for name, address in pages.items():
            turns = [[site.submit(_ask, address).result() for site in sites] for _ in range(ROUNDS + 1)][1:]
            told = [median(times) for times in zip(*turns, strict=True)]
            ratios = "".join(f"   {later / told[0]:5.2f} times as long, limit {MOST}" for later in told[1:])
            print(f"{name:28} {'  '.join(f'{seconds * 1000:7.1f} ms' for seconds in told)}{ratios}", flush=True)


def _make_site(site: Path, count: int) -> None:
    from django.contrib.auth.models import Group, User

    migrate()
    write_archive(site, count)
    import_tree(site)
    editor = User.objects.create_user(EDITOR[0], password=EDITOR[1], is_staff=True)
    editor.groups.add(Group.objects.get(name="Managers"))


def _make_queues(site: Path, count: int) -> None:
    """Of ten stories seven wait and one is the editor's; of a hundred two are scheduled, one went live today; of a
    thousand one is in conflict with its source."""
    from datetime import timedelta

    from django.contrib.auth.models import User
    from django.db import connection
    from django.db.models import F
    from django.utils import timezone

    from articles.models import Article, Conflict, SourceFile

    _make_site(site, count)
    now, stories = timezone.now(), Article.objects.annotate(turn=F("pk") % 100)
    stories.filter(turn__lt=60).update(status="draft", publish_at=None)
    stories.filter(turn__gte=60, turn__lt=70).update(status="in_review", publish_at=None)
    stories.filter(turn__in=[70, 71]).update(publish_at=now + timedelta(days=1))
    stories.filter(turn=72).update(publish_at=now)
    stories.filter(turn__gte=75, turn__lt=85).update(created_by=User.objects.get())
    disputed = SourceFile.objects.filter(article__isnull=False).order_by("pk").values_list("pk", flat=True)[::1000]
    Conflict.objects.bulk_create(Conflict(source_id=key, field="title", base="a", theirs="b") for key in disputed)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def _addresses() -> dict[str, str]:
    """What is measured, by what it is called."""
    from django.urls import reverse

    from articles.admin.desk.queues import QUEUES

    desk = reverse("admin:desk")
    pages = {
        f"{queue.label.lower()}, {order.label.lower()}": f"{desk}?queue={queue.name}&order={order.name}"
        for queue in QUEUES.values()
        for order in queue.orders
    }
    narrowed = {
        "with a topic": "topic=topic-3",
        "with a provider": "provider=outlet-1.example",
        "of a type": "kind=video",
        "without a picture": "picture=needed",
        "searched": "q=outlet",
        "far in": "after=2025-12-25T00:00:00,5",
    }
    pages |= {f"incoming, {name}": f"{desk}?{query}" for name, query in narrowed.items()}
    return pages | {"counts": reverse("admin:desk_counts")}


_client: Any = None


def _ask(address: str) -> float:
    """Seconds until the page is there, as the server's process has it."""
    global _client
    if _client is None:
        from django.contrib.auth.models import User
        from django.test import Client

        _client = Client(HTTP_HOST="127.0.0.1")
        _client.force_login(User.objects.get())
    start = time.perf_counter()
    answer = _client.get(address)
    seconds = time.perf_counter() - start
    if answer.status_code != 200:
        raise SystemExit(f"{address}: {answer.status_code}")
    return seconds


if __name__ == "__main__":
    main()
