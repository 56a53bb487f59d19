"""What Lighthouse says of the demo's pages on a phone with a slow connection, the median of several looks.

LOOKS=… sets how many (3 if not told). It needs Chromium, Node.js and npm: run `make audits` before.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from statistics import median

from benchmarks import lighthouse
from benchmarks.load import server
from benchmarks.sites import served_from

PAGES = {
    "front": "/",
    "story": "/news/2026-11-22-a-river-was-hiding-under-the-vessel-sound-all-along/",
    "topic": "/topics/oceans/",
    "search": "/search/?q=the",
}
CATEGORIES = ["performance", "accessibility", "best-practices", "seo"]
METRICS = {"first-contentful-paint": "FCP", "largest-contentful-paint": "LCP", "total-byte-weight": "bytes"}
LOOKS = int(os.environ.get("LOOKS", "3"))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        environment = served_from(folder)
        for command in (["migrate"], ["collectstatic", "--no-input"], ["import_frontmatter", "fixtures/demo"]):
            subprocess.run(  # noqa: S603  (our own words)
                [sys.executable, "manage.py", *command, "--verbosity=0"],
                env=os.environ | environment,
                stdout=subprocess.DEVNULL,
                check=True,
            )
        with server(**environment) as port:
            for name, address in PAGES.items():
                _look(name, f"http://127.0.0.1:{port}{address}")


def _look(name: str, url: str) -> None:
    found = [lighthouse.report(url, CATEGORIES) for _ in range(LOOKS)]
    scores = [lighthouse.scores(each) for each in found]
    told = "  ".join(f"{category} {median(each[category] for each in scores):.0f}" for category in CATEGORIES)
    metrics = "  ".join(
        f"{short} {median(each['audits'][audit]['numericValue'] for each in found):,.0f}"
        for audit, short in METRICS.items()
    )
    print(f"{name:8} {told}   {metrics}", flush=True)


if __name__ == "__main__":
    main()
