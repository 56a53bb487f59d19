"""Pictures from their host to the disk: fetched, verified, in all renditions, on their rows; and what readers download.

Prints pictures a second, and how many times as fast as bare Pillow that is: the same decoding, scaling and encoding of
files that are there, in one thread, nothing verified and nothing kept. Both by turns, three times: the quickest counts.
Then the bytes of a front page's pictures, as their sources serve them and as ours.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import django
from PIL import Image

from benchmarks.timing import timed

if TYPE_CHECKING:
    from images.processing import Rendition

Size = tuple[int, int]
SIZE = (1920, 1080)
WORKERS = 2
ROUNDS = 3  # of each, by turns: other programs may be busy meanwhile

# A front page: the lead, three beside it, two sections of four. As sources serve their pictures, and how wide each is
# shown: in device pixels, on a phone of 360 px at twice the density, and on a desk at the plain one.
SOURCES: list[Size] = 6 * [(1200, 630)] + 4 * [(1920, 1080)] + [(2560, 1440), (800, 450)]
PHONE = [640] + 3 * [320] + 2 * [640, 320, 320, 320]
DESK = [720] + 3 * [288] + 8 * [320]


def main() -> None:
    """In a process of its own: settings can be read only once in one, and other benchmarks have theirs."""
    count = int(os.environ.get("PICTURES", "24"))
    process = multiprocessing.get_context("spawn").Process(target=measure, args=[count])
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("The benchmark failed.")


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as name:
        folder = Path(name)
        files = draw(folder / "pictures", count * [SIZE])
        with _served(folder / "pictures") as host:
            _use_site(folder, host)
            _race(files, [f"http://{host}/{file.name}" for file in files])
        _weigh_page(draw(folder / "page", SOURCES))


def draw(folder: Path, sizes: list[Size]) -> list[Path]:
    """JPEGs of clouds with some grain: about as large as photos of that size."""
    folder.mkdir()
    dice = random.Random(2026)  # noqa: S311  (repeatable, not secret)
    files = [folder / f"{number}.jpg" for number in range(len(sizes))]
    for file, size in zip(files, sizes, strict=True):
        clouds = _noise(dice, 24).resize(size, Image.Resampling.BICUBIC)
        grain = _noise(dice, 960).resize(size, Image.Resampling.BICUBIC)
        Image.blend(clouds, grain, 0.15).save(file, quality=90)
    return files


def _noise(dice: random.Random, width: int) -> Image.Image:
    size = (width, width * SIZE[1] // SIZE[0])
    return Image.frombytes("RGB", size, dice.randbytes(3 * size[0] * size[1]))


# --- The pictures' own host -------------------------------------------------------------------------


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Nothing: the figures are all there is to read."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The `host:port` of a server in a process of its own, so that it and we do not wait for one interpreter's lock."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=[folder, theirs])
    process.start()
    theirs.close()
    try:
        yield f"127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()


def _serve(folder: Path, ports: Connection) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        ports.send(server.server_address[1])
        server.serve_forever()


# --- What is timed ----------------------------------------------------------------------------------


class Taken(NamedTuple):
    """Seconds by the clock, and of processor time: other programs lengthen the first most."""

    seconds: float
    work: float


def _use_site(folder: Path, host: str) -> None:
    os.environ |= {"SECRET_KEY": "benchmark", "ENV_FILE": os.devnull, "FETCH_ALLOW_HOSTS": host}
    os.environ |= {"DATABASE_URL": f"sqlite:///{folder}/bench.sqlite3", "MEDIA_ROOT": str(folder / "media")}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings"}
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _race(files: list[Path], addresses: list[str]) -> None:
    plain, ours = [], []
    for _ in range(ROUNDS):
        plain.append(_timed("bare Pillow", len(files), lambda: _render_plainly(files)))
        _start_anew(addresses)
        ours.append(_timed(f"fetched and stored, {WORKERS} workers", len(files), lambda: _cache(len(files))))
    faster = min(run.seconds for run in plain) / min(run.seconds for run in ours)
    dearer = min(run.work for run in ours) / min(run.work for run in plain)
    print(f"{faster:.2f} times as fast as bare Pillow, for {dearer:.2f} times its processor time", flush=True)


def _start_anew(addresses: list[str]) -> None:
    """All are due, and none of their files is there: those would not be written again."""
    from django.conf import settings

    from images.models import RemoteImage

    RemoteImage.objects.all().delete()
    RemoteImage.objects.bulk_create(RemoteImage(source_url=address) for address in addresses)
    shutil.rmtree(settings.MEDIA_ROOT, ignore_errors=True)


def _render_plainly(files: list[Path]) -> None:
    from images.processing import ENCODINGS, widths_for

    for file in files:
        image: Image.Image = Image.open(file)
        for width in reversed(widths_for(*image.size)):
            image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
            for extension in ("webp", "jpg"):
                image.save(io.BytesIO(), **ENCODINGS[extension])  # type: ignore[arg-type]


def _cache(expected: int) -> None:
    from images.caching import cache_due

    cached = cache_due(workers=WORKERS).cached
    if cached != expected:
        raise SystemExit(f"Only {cached} of the benchmark's own {expected} pictures could be stored.")


def _timed(name: str, count: int, run: Callable[[], None]) -> Taken:
    start = time.process_time()

    def note(_: float) -> str:
        return f"   {1000 * (time.process_time() - start) / count:4.0f} ms of processor time each"

    seconds = timed(name, count, "pictures", run, note)
    return Taken(seconds, time.process_time() - start)


# --- What readers download --------------------------------------------------------------------------


def _weigh_page(files: list[Path]) -> None:
    """Each picture in the narrowest rendition that is wide enough, as browsers choose that know WebP."""
    from images.processing import process

    renditions = [_webp_sizes(process(file.read_bytes()).renditions) for file in files]
    before = sum(file.stat().st_size for file in files)
    _weight("a page's pictures at their sources", before)
    for reader, wanted in (("a phone", PHONE), ("a desktop", DESK)):
        after = sum(_chosen(made, width) for made, width in zip(renditions, wanted, strict=True))
        _weight(f"our renditions for {reader}", after, before)


def _webp_sizes(renditions: tuple[Rendition, ...]) -> dict[int, int]:
    return {made.width: len(made.data) for made in renditions if made.extension == "webp"}


def _chosen(sizes: dict[int, int], wanted: int) -> int:
    return sizes[min((width for width in sizes if width >= wanted), default=max(sizes))]


def _weight(name: str, size: int, before: int = 0) -> None:
    share = f"   {size / before:5.1%} of the sources'" if before else ""
    print(f"{name:36} {size / 1024:9,.0f} KiB{share}", flush=True)


if __name__ == "__main__":
    main()
