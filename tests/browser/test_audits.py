"""What outside programs say of the demo's pages: the Nu HTML checker, axe, Lighthouse (without what depends on the
machine's speed: that is for `make bench ONLY=pages`). And what a phone has to load."""

import json
import shutil
import subprocess

import pytest

from benchmarks import lighthouse
from tests import serving
from tests.browser.axe import violations

pytestmark = pytest.mark.browser

KINDS = {
    "front": "/",
    "story": "/news/2026-11-22-a-river-was-hiding-under-the-vessel-sound-all-along/",
    "topics": "/topics/",
    "topic": "/topics/oceans/",
    "providers": "/providers/",
    "provider": "/providers/saltmarsh.example/",
    "archive": "/archive/",
    "day": "/archive/2026/11/20/",
    "search": "/search/?q=the",
    "nothing found": "/search/?q=xylophones",
    "not found": "/nowhere/",
}
AUDITED = ["front", "story", "topic", "search"]
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 3, "is_mobile": True, "has_touch": True}
KB = 1000


@pytest.fixture(scope="module")
def demo(tmp_path_factory) -> serving.Site:
    with serving.site(tmp_path_factory.mktemp("demo")) as site:
        site.manage("collectstatic", "--no-input", "--verbosity=0")
        site.manage("import_frontmatter", "fixtures/demo")
        site.serve()
        yield site


@pytest.fixture
def open_page(chromium, demo):
    contexts = []

    def open_page(address: str, **options):
        contexts.append(chromium.new_context(**options))
        page = contexts[-1].new_page()
        page.goto(demo.servers[0].url(address))
        return page

    yield open_page
    for context in contexts:
        context.close()


def test_nu_html_checker_finds_no_error_on_any_public_page(demo, tmp_path):
    pages = {
        address: answer.text
        for address, answer in demo.servers[0].crawl().items()
        if answer.headers.get("content-type", "").startswith("text/html")
    }
    assert len(pages) > 100
    pages |= {address: demo.servers[0].as_reader(address).text for address in KINDS.values()}
    names = {}
    for number, (address, text) in enumerate(pages.items()):
        names[f"{number}.html"] = address
        (tmp_path / f"{number}.html").write_text(text)
    jar = lighthouse.AUDITS / "vnu-jar" / "build" / "dist" / "vnu.jar"
    done = subprocess.run(
        [shutil.which("java"), "-jar", jar, "--format", "json", "--exit-zero-always", tmp_path],
        capture_output=True,
        text=True,
    )
    messages = json.loads(done.stderr)["messages"]
    errors = {(names[each["url"].rpartition("/")[2]], each["message"]) for each in messages if each["type"] == "error"}
    assert not errors


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", KINDS)
def test_axe_finds_no_violation(open_page, kind, scheme):
    page = open_page(KINDS[kind], color_scheme=scheme, bypass_csp=True)  # the checker is no part of the page
    assert violations(page) == {}


@pytest.mark.parametrize("kind", AUDITED)
def test_lighthouse_has_nothing_to_say(demo, kind):
    found = lighthouse.report(demo.servers[0].url(KINDS[kind]), ["accessibility", "best-practices", "seo"])
    assert set(lighthouse.scores(found).values()) == {100}, lighthouse.faults(found)


def transferred(page) -> dict[str, int]:
    """Bytes on the wire, headers included, by kind of file."""
    return page.evaluate(
        """() => {
            const sums = {all: 0, css: 0, js: 0};
            const kinds = ["resource", "navigation"];
            for (const {name, transferSize} of kinds.flatMap((kind) => performance.getEntriesByType(kind))) {
                sums.all += transferSize;
                const ending = new URL(name).pathname.split(".").pop();
                if (ending in sums) sums[ending] += transferSize;
            }
            return sums;
        }"""
    )


@pytest.mark.parametrize("kind", KINDS)
def test_page_is_light_on_a_phone(open_page, kind):
    page = open_page(KINDS[kind], **PHONE)
    page.wait_for_load_state("networkidle")
    sums = transferred(page)
    assert sums["css"] <= 20 * KB
    assert sums["js"] <= 10 * KB
    assert 0 < sums["all"] <= (200 if kind == "front" else 300) * KB  # lists have a picture for each story
