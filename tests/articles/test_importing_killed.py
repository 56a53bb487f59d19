"""An import that is killed at any moment, and run again, ends where an undisturbed one does."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.bench_import import write_archive

ROOT = Path(__file__).resolve().parents[2]
FILES = 1200
MOMENTS = [0.2, 0.4, 0.6, 0.8]  # of the time that an undisturbed import took

# What an import writes, without keys and times of storing: those may differ.
CONTENT = {
    "articles": "SELECT stem, title, excerpt, status, heat, quality, secured, published_at FROM articles_article",
    "topics": """SELECT a.stem, t.key, i.position FROM articles_articletopic i
                 JOIN articles_article a ON a.id = i.content_object_id JOIN articles_topic t ON t.id = i.tag_id""",
    "pictures": """SELECT a.stem, r.source_url, p.position, p.width FROM articles_articleimage p
                   JOIN articles_article a ON a.id = p.article_id JOIN images_remoteimage r ON r.id = p.image_id""",
    "related": """SELECT a.stem, s.position, s.title, r.source_url FROM articles_relatedstory s
                  JOIN articles_article a ON a.id = s.article_id
                  LEFT JOIN articles_relatedimage i ON i.related_story_id = s.id
                  LEFT JOIN images_remoteimage r ON r.id = i.image_id""",
    "providers": "SELECT domain, name FROM providers_provider",
    "images": "SELECT source_url, state FROM images_remoteimage",
    "sources": "SELECT path, digest FROM articles_sourcefile",
}


def start(database: Path, *arguments: object) -> subprocess.Popen:
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": f"sqlite:///{database}",
    }
    return subprocess.Popen(
        [sys.executable, "manage.py", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen) -> str:
    output, _ = process.communicate()
    assert process.returncode == 0, output
    return output


def content(database: Path) -> dict[str, list]:
    with sqlite3.connect(database) as connection:
        found = {name: sorted(map(repr, connection.execute(query))) for name, query in CONTENT.items()}
    connection.close()
    return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    site = tmp_path_factory.mktemp("archive")
    write_archive(site, FILES)
    return site


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Path:
    database = tmp_path_factory.mktemp("empty") / "empty.sqlite3"
    finish(start(database, "migrate", "--verbosity", 0))
    return database


@pytest.fixture(scope="module")
def undisturbed(archive, empty, tmp_path_factory) -> tuple[dict[str, list], float]:
    """What an import leaves when nobody kills it, and how many seconds it took."""
    database = tmp_path_factory.mktemp("undisturbed") / "db.sqlite3"
    database.write_bytes(empty.read_bytes())
    begin = time.monotonic()
    finish(start(database, "import_frontmatter", archive))
    return content(database), time.monotonic() - begin


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_import_run_again_ends_where_it_should(archive, empty, undisturbed, tmp_path, moment):
    expected, seconds = undisturbed
    database = tmp_path / "db.sqlite3"
    database.write_bytes(empty.read_bytes())
    process = start(database, "import_frontmatter", archive)
    with contextlib.suppress(subprocess.TimeoutExpired):  # on a machine in a better mood it may be done already
        process.communicate(timeout=seconds * moment)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert "failed=0" in finish(start(database, "import_frontmatter", archive))
    assert content(database) == expected
