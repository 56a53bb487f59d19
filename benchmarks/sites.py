"""A site to measure: an empty database, and an archive imported into it."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

_numbers = itertools.count(1)


def start_django(url: str, media: Path) -> None:
    import django

    os.environ |= {"SECRET_KEY": "benchmark", "DATABASE_URL": url, "ENV_FILE": os.devnull, "MEDIA_ROOT": str(media)}
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    django.setup()


def served_from(folder: str) -> dict[str, str]:
    """The environment of a server, all of whose data is in the folder."""
    return {
        "DATABASE_URL": f"sqlite:///{folder}/site.sqlite3",
        "MEDIA_ROOT": f"{folder}/media",
        "STATIC_ROOT": f"{folder}/static",
        "SECRET_KEY": "benchmark" * 6,
        "ENV_FILE": os.devnull,
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def import_tree(site: Path) -> None:
    from articles.importing import Options, import_paths

    report = import_paths([site], Options())
    if report.failed:
        raise SystemExit(f"The benchmark's own files failed: {report.failed[0]}")


@contextmanager
def database(folder: Path) -> Iterator[str]:
    """The address of an empty database that goes away afterwards."""
    beside = urlsplit(os.environ.get("DATABASE_URL", ""))
    if beside.scheme not in ("postgres", "postgresql"):
        yield f"sqlite:///{folder}/bench.sqlite3"
        return
    import psycopg

    name = f"bench_{os.getpid()}_{next(_numbers)}"
    with psycopg.connect(beside.geturl(), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(beside._replace(path=f"/{name}"))
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
