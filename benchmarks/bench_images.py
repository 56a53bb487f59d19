"""Making pictures ready: verified, in all renditions, on disk and on their rows; with one thread and with two.

Prints pictures a second, and how many times as fast as bare Pillow that is: the same decoding, scaling and encoding in
one thread of the same process, nothing verified and nothing kept. PICTURES=… sets how many (default 24).
"""

import io
import multiprocessing
import os
import random
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import django
from PIL import Image

from benchmarks.timing import timed

SIZE = (1920, 1080)


def main() -> None:
    """In a process of its own: settings can be read only once in one, and other benchmarks have theirs."""
    count = int(os.environ.get("PICTURES", "24"))
    process = multiprocessing.get_context("spawn").Process(target=measure, args=[count])
    process.start()
    process.join()
    if process.exitcode:
        raise SystemExit("The benchmark failed.")


def measure(count: int) -> None:
    with tempfile.TemporaryDirectory(prefix="copydesk-bench-") as folder:
        files = draw(Path(folder, "pictures"), count)
        media = Path(folder, "media")
        _use_site(Path(folder, "bench.sqlite3"), media)
        baseline = _timed("bare Pillow", count, lambda: _render_plainly(files))
        _timed("store, one thread", count, lambda: _store(files), baseline)
        shutil.rmtree(media)  # files that are there are not written again
        _timed("store_files, two threads", count, lambda: _store_files(files), baseline)


def draw(folder: Path, count: int) -> list[Path]:
    """JPEGs of clouds with some grain: about as large as photos of that size."""
    folder.mkdir()
    dice = random.Random(2026)  # noqa: S311  (repeatable, not secret)
    files = [folder / f"{number}.jpg" for number in range(count)]
    for file in files:
        clouds = _noise(dice, 24).resize(SIZE, Image.Resampling.BICUBIC)
        grain = _noise(dice, 960).resize(SIZE, Image.Resampling.BICUBIC)
        Image.blend(clouds, grain, 0.15).save(file, quality=90)
    return files


def _noise(dice: random.Random, width: int) -> Image.Image:
    size = (width, width * SIZE[1] // SIZE[0])
    return Image.frombytes("RGB", size, dice.randbytes(3 * size[0] * size[1]))


def _use_site(database: Path, media: Path) -> None:
    os.environ |= {"SECRET_KEY": "benchmark", "DATABASE_URL": f"sqlite:///{database}", "ENV_FILE": os.devnull}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "MEDIA_ROOT": str(media)}
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def _render_plainly(files: list[Path]) -> None:
    from images.processing import ENCODINGS, widths_for

    for file in files:
        image: Image.Image = Image.open(file)
        for width in reversed(widths_for(image.width)):
            image = image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)
            for extension in ("webp", "jpg"):
                image.save(io.BytesIO(), **ENCODINGS[extension])  # type: ignore[arg-type]


def _store(files: list[Path]) -> None:
    from images.caching import store
    from images.models import RemoteImage

    for file in files:
        store(RemoteImage.objects.create(source_url=f"https://pictures.example/{file.name}"), file.read_bytes())
    _check(len(files), RemoteImage.objects.filter(state=RemoteImage.State.CACHED).count())


def _store_files(files: list[Path]) -> None:
    from images.caching import store_files
    from images.models import RemoteImage

    rows = RemoteImage.objects.order_by("pk")
    _check(len(files), store_files(zip(rows, files, strict=True), workers=2).cached)


def _check(expected: int, cached: int) -> None:
    if cached != expected:
        raise SystemExit(f"Only {cached} of the benchmark's own {expected} pictures could be stored.")


def _timed(name: str, count: int, run: Callable[[], None], baseline: float = 0.0) -> float:
    def note(seconds: float) -> str:
        return f"   {baseline / seconds:5.2f} times as fast as bare Pillow" if baseline else ""

    return timed(name, count, "pictures", run, note)


if __name__ == "__main__":
    main()
