"""Importing a realistic archive and writing it out again.

Step by step: the first import; the same again, with nothing changed; with one story in a hundred edited; with three in
ten sealed anew, as a source does each hour; the export. Each runs in a process of its own, and is compared with plain
python-frontmatter reading the same files in one process, in the same run of the benchmark.

FILES=… sets the size of the archive (default 2,000); SIZES=10000,100000 makes one after the other, and tells how each
step grew. DATABASE_URL=postgres://… does it in a new database beside that one, instead of in SQLite.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import frontmatter

from benchmarks.archives import edit_titles, seal_anew, write_archive
from benchmarks.sites import database, import_tree, migrate, start_django
from benchmarks.timing import Measured, measured

Seconds = dict[str, float]  # by step


def main() -> None:
    sizes = [int(size) for size in os.environ.get("SIZES", os.environ.get("FILES", "2000")).split(",")]
    figures = [_measure_size(size) for size in sizes]
    for size, seconds in zip(sizes[1:], figures[1:], strict=True):
        print(f"{size:,} files compared with {sizes[0]:,}, {size / sizes[0]:.1f} times as many:")
        for step in seconds:
            print(f"{step:36} {seconds[step] / figures[0][step]:9.1f} times the time")


def _measure_size(count: int) -> Seconds:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder, database(Path(folder)) as url:
        site = Path(folder, "site")
        _aside(write_archive, site, count)
        print(f"-- {count:,} files, {'PostgreSQL' if url.startswith('postgres') else 'SQLite'}")
        steps = _Steps(count, measured(_nothing, partial(read_plainly, site)))
        ready = partial(start_django, url, Path(folder, "media"))
        measured(ready, migrate)
        run_import = partial(import_tree, site)
        first = steps.add("first import", measured(ready, run_import))
        steps.add("unchanged re-import", measured(ready, run_import))
        _aside(edit_titles, site, 0.01)
        steps.add("re-import, 1 % edited", measured(ready, run_import))
        _aside(seal_anew, site, 0.3)
        steps.add("re-import, 30 % sealed anew", measured(ready, run_import))
        steps.add("export", measured(ready, partial(_export, Path(folder, "out"), count)))
        print(f"(Starting Python and Django takes {first.start:.1f} s each time, which is not counted.)")
    return steps.seconds


class _Steps:
    """Prints each step's figures as they come."""

    def __init__(self, count: int, baseline: Measured) -> None:
        self.count = count
        self.seconds: Seconds = {}
        self.baseline = baseline.seconds
        self.add("python-frontmatter, reading alone", baseline)

    def add(self, name: str, figures: Measured) -> Measured:
        self.seconds[name] = figures.seconds
        workers = f" + {figures.workers_peak >> 20} MB a worker" if figures.workers_peak else ""
        print(
            f"{name:36} {self.count / figures.seconds:9,.0f} files/s   "
            f"{figures.seconds / self.baseline:5.2f} of python-frontmatter's time   "
            f"{figures.own_peak >> 20:4} MB{workers}",
            flush=True,
        )
        return figures


def read_plainly(site: Path) -> None:
    for file in site.rglob("*"):
        if file.suffix in (".md", ".yaml"):
            frontmatter.load(str(file))


def _aside(run: Callable[..., object], *arguments: object) -> None:
    """In another process, as the peak of this one would count as that of those it starts later."""
    measured(_nothing, partial(run, *arguments))


def _nothing() -> None:
    pass


def _export(folder: Path, count: int) -> None:
    from articles.exporting import export_tree

    report = export_tree(folder)
    if str(report) != f"written={count} edited=0 new=0 failed=0":
        raise SystemExit(f"What came out is not what went in: {report}")


if __name__ == "__main__":
    main()
