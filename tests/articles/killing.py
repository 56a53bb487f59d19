"""Imports that are killed at random moments and run again: `python -m tests.articles.killing FOLDER SEED`.

A program of its own, with DATABASE_URL saying which kind of database: Django is started once, and each import is a fork
of that. It says what it does, and exits with 1 when a second run does not end where an undisturbed one does.
"""

from __future__ import annotations

import contextlib
import io
import multiprocessing
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit, urlunsplit

FILES = 300
BATCH = 40
PATIENCE = 30  # seconds until whoever is left of a killed import should have noticed
MARK = "COPYDESK_KILLING"  # in the environment of whatever an import starts

# What tells records apart; keys and times of storing may differ.
NAMES = {
    "Article": ["stem"],
    "Provider": ["domain"],
    "RelatedStory": ["article__stem", "position"],
    "RemoteImage": ["source_url"],
    "SourceFile": ["path"],
    "Topic": ["key"],
}
TIMES = {"at", "next_attempt_at", "created_at", "modified_at", "imported_at", "fetched_at"}
RUNS = {"ImportRun", "ImportedFile", "ImportUpload", "SiteVersion"}  # tell of the runs themselves


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # or forks would say it again


# --- In a fork ----------------------------------------------------------------------------------


class Result(NamedTuple):
    statements: int
    summary: str
    content: dict[str, list[str]]


@dataclass
class Job:
    """An import; `fatal`: the statement that it is killed before, or else after."""

    site: Path
    database: str
    media: Path
    workers: int = 1
    fatal: int = 0
    before: bool = False
    statements: int = field(default=0, init=False)

    def run(self, results: Connection) -> None:
        from django.core.management import call_command
        from django.db import connection, connections

        use(self.database, self.media)
        out, err = io.StringIO(), io.StringIO()
        with connection.execute_wrapper(self.count):
            call_command("import_frontmatter", self.site, workers=self.workers, stdout=out, stderr=err)
        result = Result(self.statements, out.getvalue().strip(), content(self.media))
        connections.close_all()
        results.send(result)

    def count(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        self.statements += 1
        self.die(before=True)
        result = execute(*arguments)
        self.die(before=False)
        return result

    def die(self, *, before: bool) -> None:
        if self.statements == self.fatal and before == self.before:
            os.kill(os.getpid(), signal.SIGKILL)


def use(database: str, media: Path) -> None:
    """Small batches, so that there are many of them."""
    from django.conf import settings
    from django.db import connection

    from articles import importing
    from articles.reading import workers

    connection.settings_dict["NAME"] = database
    settings.MEDIA_ROOT = media
    importing.BATCH_FILES, workers.WORTH_IT, workers.CHUNK = BATCH, BATCH // 2, BATCH // 4


def content(media: Path) -> dict[str, list[str]]:
    """All that is in the database, and the pictures' files."""
    from django.apps import apps

    from images.files import PARTS

    files = (file.relative_to(media) for file in media.rglob("*") if file.is_file())
    found = {"files": sorted(str(file) for file in files if file.parts[0] != PARTS)}  # parts are never shown, and swept
    for app in ("articles", "providers", "images"):
        for model in apps.get_app_config(app).get_models():
            if model.__name__ not in RUNS:
                rows = model._default_manager.order_by().values_list(*columns(model))
                found[model.__name__] = sorted(map(repr, rows))
    return found


def columns(model: Any) -> Iterator[str]:
    for each in model._meta.concrete_fields:
        if each.is_relation:
            names = NAMES.get(each.related_model.__name__, ["pk"])  # the last for users: there are none
            yield from (f"{each.name}__{name}" for name in names)
        elif not each.primary_key and each.name not in TIMES:
            yield each.name


def migrate(database: str, media: Path, results: Connection) -> None:
    from django.core.management import call_command
    from django.db import connections

    use(database, media)
    call_command("migrate", verbosity=0)
    connections.close_all()
    results.send(None)


def edit_as_editors(database: str, media: Path, results: Connection) -> None:
    """Of the stories that the source edits too, and of others."""
    from django.db import connections

    from articles.models import Article

    use(database, media)
    Article.objects.filter(stem__endswith="5").update(title="An editor's title")
    Article.objects.filter(stem__endswith="0").update(excerpt="An editor's excerpt")
    connections.close_all()
    results.send(None)


# --- Around the forks ---------------------------------------------------------------------------

_FORKS = multiprocessing.get_context("fork")


def in_fork(run: Callable[..., None], *arguments: Any, seconds: float | None = None) -> Any:
    """What `run` sent; None when it was killed, by itself or after `seconds`."""
    ours, theirs = _FORKS.Pipe(duplex=False)
    process = _FORKS.Process(target=run, args=[*arguments, theirs])
    process.start()
    theirs.close()
    if seconds is not None and not ours.poll(seconds):
        process.kill()
    with contextlib.suppress(EOFError, OSError):  # the latter when it was killed while it was sending
        result = ours.recv()
        process.join()
        return result
    process.join()
    if process.exitcode != -signal.SIGKILL:
        raise SystemExit("An import failed; see above.")
    return None


class Databases:
    """Copies of one another."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder, self.made = urlsplit(url), folder, 0
        self.on_server = self.url.scheme.startswith("postgres")

    def new(self, template: str = "") -> str:
        self.made += 1
        if self.on_server:
            name = f"killing_{os.getpid()}_{self.made}"
            self._ask(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
            return name
        file = self.folder / f"{self.made}.sqlite3"
        if template:
            shutil.copy(template, file)
        return str(file)

    def drop_all(self) -> None:
        for number in range(1, self.made + 1) if self.on_server else []:
            self._ask(f"DROP DATABASE IF EXISTS killing_{os.getpid()}_{number} WITH (FORCE)")

    def _ask(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(urlunsplit(self.url), autocommit=True) as connection:
            connection.execute(statement)


class Moment(NamedTuple):
    """When to kill: at a share of the statements, before or after that one, or at a share of the time."""

    share: float
    by: str  # "before", "after" or "time"
    workers: int

    def __str__(self) -> str:
        return f"{self.share:.3f} {self.by}, {self.workers} worker{'s' * (self.workers > 1)}"


@dataclass
class Phase:
    """An import that is to be killed, from one state of database and site."""

    name: str
    site: Path
    folder: Path
    databases: Databases
    template: str

    def begin(self) -> str:
        """Import undisturbed. Returns the database that comes of it."""
        job = self._job("undisturbed")
        began = time.monotonic()
        self.expected: Result = in_fork(job.run)
        self.seconds = time.monotonic() - began
        say(f"{self.name}: {self.expected.statements} statements, {self.seconds:.1f} s, {self.expected.summary}")
        return job.database

    def fails(self, number: int, moment: Moment) -> bool:
        """Kill an import at that moment and run it again. Whether something is wrong then; it is printed."""
        job = self._job(str(number), moment.workers)
        if moment.by != "time":
            job.fatal = 1 + int(moment.share * self.expected.statements)
            job.before = moment.by == "before"
        seconds = moment.share * self.seconds * moment.workers if moment.by == "time" else None
        killed = in_fork(job.run, seconds=seconds) is None
        left = left_over()
        again: Result = in_fork(Job(self.site, job.database, job.media).run)
        wrong = [name for name, rows in self.expected.content.items() if again.content[name] != rows]
        wrong += ["processes are left"] * left + ["it was not killed"] * (not killed and moment.by != "time")
        wrong += ["files failed"] * ("failed=0" not in again.summary)
        say(f"{number:2} {self.name}, {moment}: {'killed' if killed else 'done before'}, {wrong or 'as it should be'}")
        for name in wrong:
            rows, found = {*self.expected.content.get(name, [])}, {*again.content.get(name, [])}
            for row in [*(f"missing: {row}" for row in rows - found), *(f"too many: {row}" for row in found - rows)][
                :3
            ]:
                say(f"   {name}: {row[:300]}")
        return bool(wrong)

    def _job(self, name: str, workers: int = 1) -> Job:
        return Job(self.site, self.databases.new(self.template), self.folder / f"{self.name}-{name}", workers)


def left_over() -> bool:
    """Whether processes that an import started are still there after a while."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if not any(map(is_marked, Path("/proc").glob("[0-9]*/environ"))):
            return False
        time.sleep(0.02)
    return True


def is_marked(environment: Path) -> bool:
    try:
        return f"{MARK}={os.environ[MARK]}".encode() in environment.read_bytes()
    except OSError:
        return False


def moments(dice: random.Random) -> list[Moment]:
    """For a first import and for a later one."""
    kinds = [
        ("before", 1),
        ("after", 1),
        ("time", 1),
        ("before", 1),
        ("after", 1),
        ("time", 1),
        ("after", 2),
        ("time", 2),
    ]
    return [Moment(dice.random(), by, workers) for by, workers in [*kinds, *kinds[-4:], *kinds]]


def main(folder: Path, seed: int) -> int:
    import django

    from benchmarks.archives import edit_titles, seal_anew, write_archive

    say(f"KILLING_SEED={seed}")
    os.environ[MARK] = f"{os.getpid()}-{seed}"
    site, empty = folder / "site", folder / "media"
    write_archive(site, FILES)
    django.setup()
    databases = Databases(os.environ["DATABASE_URL"], folder)
    try:
        template = databases.new()
        in_fork(migrate, template, empty)
        all_moments = list(enumerate(moments(random.Random(seed)), 1))
        first = Phase("first", site, folder, databases, template)
        imported = first.begin()
        failures = sum(first.fails(*moment) for moment in all_moments[:12])
        in_fork(edit_as_editors, imported, empty)
        edit_titles(site, 0.2)
        seal_anew(site, 0.3)
        later = Phase("later", site, folder, databases, imported)
        later.begin()
        failures += sum(later.fails(*moment) for moment in all_moments[12:])
    finally:
        databases.drop_all()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
