"""Importing a realistic archive: the first time, unchanged, and with one file in a hundred edited.

Prints files a second, and the time as a ratio to plain python-frontmatter reading the same files in one process, in the
same run. FILES=… sets the size of the archive (default 2,000).
"""

import os
import random
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import django
import frontmatter

from benchmarks.timing import timed

TOPICS = [f"Topic {number}" for number in range(20)]


def main() -> None:
    count = int(os.environ.get("FILES", "2000"))
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        site = Path(folder, "site")
        write_archive(site, count)
        _use_database(Path(folder, "bench.sqlite3"))
        baseline = _timed("python-frontmatter, reading alone", count, lambda: _read_plainly(site))
        _timed("first import", count, lambda: _import(site), baseline)
        _timed("unchanged re-import", count, lambda: _import(site), baseline)
        _edit(site, every=100)
        _timed("re-import, 1 % edited", count, lambda: _import(site), baseline)


def write_archive(site: Path, count: int) -> None:
    """A deterministic archive: long-tail providers, 20 topics, pictures, related stories."""
    dice = random.Random(2026)  # noqa: S311  (repeatable, not secret)
    folder = site / "_news"
    folder.mkdir(parents=True)
    for number in range(count):
        moment = datetime(2026, 1, 1, tzinfo=UTC) - timedelta(minutes=37 * number)
        (folder / f"{moment:%Y-%m-%d}-story-{number}.md").write_text(_story(dice, number, moment))


def _story(dice: random.Random, number: int, moment: datetime) -> str:
    topics = "".join(f"  - {topic}\n" for topic in dice.sample(TOPICS, dice.randint(1, 3)))
    related = "".join(_related(dice, number, index, moment) for index in range(dice.randint(0, 3)))
    return (
        f'---\ncategory: news\ntitle: "Story {number}: {_words(dice, 8)}"\nexcerpt: "{_words(dice, 45)}"\n'
        f"publishedDateTime: {moment:%Y-%m-%dT%H:%M:%SZ}\n"
        f'originalUrl: "https://{_provider(dice)}/{number}"\nwebUrl: "https://{_provider(dice)}/{number}/web"\n'
        f"type: article\nquality: {dice.randint(20, 180)}\nheat: {dice.randint(-1, 180)}\n"
        f"published: {'true' if dice.random() < 0.7 else 'false'}\n\n"
        f"provider:\n  name: Outlet\n  domain: {_provider(dice)}\n\ntopics:\n{topics}\n"
        f'images:\n  - url: "https://pictures.example/{number}.jpg"\n    width: 1200\n    height: 630\n'
        f"    isCached: true\n\n" + (f"related:\n{related}\n" if related else "") + f'secured: "{_seal(dice)}"\n---\n\n'
    )


def _related(dice: random.Random, number: int, index: int, moment: datetime) -> str:
    return (
        f'  - title: "{_words(dice, 9)}"\n    excerpt: "{_words(dice, 40)}"\n'
        f"    publishedDateTime: {moment:%Y-%m-%dT%H:%M:%SZ}\n"
        f'    webUrl: "https://{_provider(dice)}/{number}-{index}"\n    type: article\n'
        f"    provider:\n      name: Outlet\n      domain: {_provider(dice)}\n    quality: {dice.randint(20, 99)}\n"
        f'    images:\n      - url: "https://pictures.example/{number}-{index}.jpg"\n        width: 928\n'
        f"        height: 582\n        isCached: true\n"
    )


def _words(dice: random.Random, count: int) -> str:
    return " ".join("".join(dice.choices("aeioubcdfglmnprst", k=dice.randint(2, 9))) for _ in range(count))


def _provider(dice: random.Random) -> str:
    return f"outlet{int(dice.paretovariate(0.8)) % 400}.example"


def _seal(dice: random.Random) -> str:
    return "".join(dice.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", k=500)) + ";AAAA=="


def _use_database(path: Path) -> None:
    os.environ |= {"SECRET_KEY": "benchmark", "DATABASE_URL": f"sqlite:///{path}", "ENV_FILE": os.devnull}
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _read_plainly(site: Path) -> None:
    for file in site.rglob("*.md"):
        frontmatter.load(str(file))


def _import(site: Path) -> None:
    from articles.importing import Options, import_paths

    report = import_paths([site], Options())
    if report.failed:
        raise SystemExit(f"The benchmark's own files failed: {report.failed[0]}")


def _edit(site: Path, every: int) -> None:
    for file in sorted(site.rglob("*.md"))[::every]:
        file.write_text(file.read_text().replace('title: "', 'title: "Edited ', 1))


def _timed(name: str, count: int, run: Callable[[], None], baseline: float = 0.0) -> float:
    def note(seconds: float) -> str:
        return f"   {seconds / baseline:5.2f} of python-frontmatter's time" if baseline else ""

    return timed(name, count, "files", run, note)


if __name__ == "__main__":
    main()
