"""The desk: how soon the page answers a key in Chromium, over a morning's drafts. CHROMIUM names the browser."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.archives import write_archive
from benchmarks.load import server
from benchmarks.sites import import_tree, migrate, served_from, start_django

if TYPE_CHECKING:
    from playwright.sync_api import Page

DRAFTS = 200
PUBLISHED, REJECTED, RETOPICKED = 40, 20, 10
LIMIT = 100  # milliseconds that a page may take to answer a key
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
    chromium = shutil.which(os.environ.get("CHROMIUM") or "chromium")
    if chromium is None:
        print("No Chromium, so no keys were measured: install it, or name it in CHROMIUM.", flush=True)
        return
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        environment = served_from(folder)
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


def _make_drafts(site: Path) -> None:
    from django.contrib.auth.models import Group, User

    from articles.models import Article

    migrate()
    write_archive(site, 250)
    import_tree(site)
    editor = User.objects.create_user(EDITOR[0], password=EDITOR[1], is_staff=True)
    editor.groups.add(Group.objects.get(name="Managers"))
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


if __name__ == "__main__":
    main()
