"""A reader's or editor's browser, which notes whatever a well-behaved page would not do."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Self

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests import services

FLAGS = [
    "--no-sandbox",  # root in a container has no user namespaces to build one from
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
]


@dataclass
class Visitor:
    """A browser tab on the site, and what it saw that nobody should."""

    page: Page
    site: str
    strays: list[str] = field(default_factory=list)  # requests to other hosts
    complaints: list[str] = field(default_factory=list)  # errors in the console

    def __post_init__(self) -> None:
        self.page.on("request", self._note_request)
        self.page.on("console", self._note_console)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str) -> Page:
        self.page.goto(self.site + path)
        return self.page

    def status(self, path: str) -> int:
        """What the server answers, cookies and all, without showing it."""
        return self.page.request.get(self.site + path).status

    def overflow(self) -> int:
        """By how many pixels the page scrolls sideways."""
        self.page.wait_for_load_state()  # with its styles
        return self.page.evaluate("document.scrollingElement.scrollWidth - innerWidth")

    def _note_request(self, request: Request) -> None:
        if not request.url.startswith((self.site, "data:", "blob:")):
            self.strays.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        own_error_page = message.location["url"] == self.page.url  # a 404 that the test asked for
        if message.type == "error" and not own_error_page:
            self.complaints.append(f"{message.text} ({message.location['url']})")


class Requests:
    """Those that the site is answering: the database is not to be emptied under them."""

    quiet = 0.2  # seconds without any, and what was on its way has arrived

    def __init__(self) -> None:
        self.under_way = 0
        self.last = 0.0

    def __enter__(self) -> Self:
        request_started.connect(self._begin)
        request_finished.connect(self._end)
        return self

    def __exit__(self, *error: object) -> None:
        request_started.disconnect(self._begin)
        request_finished.disconnect(self._end)

    def _begin(self, **kwargs: object) -> None:
        self.under_way += 1

    def _end(self, **kwargs: object) -> None:
        self.under_way -= 1
        self.last = time.monotonic()

    def wait(self) -> None:
        began = time.monotonic()
        while self.under_way or time.monotonic() - max(began, self.last) < self.quiet:
            assert time.monotonic() - began < 20, "The site never came to rest."
            time.sleep(0.02)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = services.chromium()
    if executable is None:
        pytest.fail(services.chromium_problem())
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; Django would refuse the database because of it.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, live_server) -> Iterator[Callable[..., Visitor]]:
    """Makes a visitor; keywords are those of a Playwright context. Strays and complaints fail the test."""
    visitors = []

    def visitor(**options) -> Visitor:
        page = chromium.new_context(**options).new_page()
        page.set_default_timeout(15_000)
        visitors.append(Visitor(page, live_server.url))
        return visitors[-1]

    with Requests() as requests:
        yield visitor
        for page in [page for each in visitors for page in each.page.context.pages]:
            page.goto("about:blank")  # a form says that it is being left
        requests.wait()
    for each in visitors:
        each.page.context.close()
    assert [stray for each in visitors for stray in each.strays] == []
    assert [complaint for each in visitors for complaint in each.complaints] == []
