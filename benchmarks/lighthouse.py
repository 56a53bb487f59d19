"""Lighthouse on a page, as a phone sees it. Its program is installed by `make audits` (tests/audits/package.json)."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Report = dict[str, Any]
AUDITS = Path(os.environ.get("AUDITS", ".venv/audits")).resolve() / "node_modules"
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic"),
]
TRIES = 3
AGAIN = "Please run Lighthouse again"  # what it says now and then, when Chromium gave it no trace


def report(url: str, categories: Iterable[str]) -> Report:
    """The whole report: `categories` with scores from 0 to 1, `audits` with what is behind them."""
    for _ in range(TRIES):
        done = _looked(url, categories)
        if AGAIN not in done.stderr:
            break
    if done.returncode:
        raise RuntimeError(f"Lighthouse could not look at {url}: {done.stderr[-2000:]}")
    found: Report = json.loads(done.stdout)
    return found


def _looked(url: str, categories: Iterable[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603  (our own words)
        [
            *(_node(), str(AUDITS / "lighthouse" / "cli" / "index.js"), url),
            *("--quiet", "--output=json", f"--only-categories={','.join(categories)}"),
            f"--chrome-flags={' '.join(FLAGS)}",
        ],
        env=os.environ | {"CHROME_PATH": os.environ.get("CHROMIUM") or shutil.which("chromium") or ""},
        capture_output=True,
        text=True,
        check=False,
    )


def scores(found: Report) -> dict[str, int]:
    """By category, from 0 to 100."""
    return {name: round(100 * (category["score"] or 0)) for name, category in found["categories"].items()}


def faults(found: Report) -> dict[str, str]:
    """The audits that cost points, with their titles."""
    counted = {ref["id"] for each in found["categories"].values() for ref in each["auditRefs"] if ref["weight"]}
    audits = {name: found["audits"][name] for name in sorted(counted)}
    return {name: each["title"] for name, each in audits.items() if each["score"] is not None and each["score"] < 1}


def _node() -> str:
    if not (AUDITS / "lighthouse").exists() or not (node := shutil.which("node")):
        raise RuntimeError(f"Lighthouse is not in {AUDITS}: `make audits` installs it, with Node.js and npm.")
    return node
