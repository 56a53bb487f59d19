"""An import that is killed at any moment, and run again, ends where an undisturbed one does; see killing.py."""

import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_an_import_killed_at_any_moment_and_run_again_ends_where_an_undisturbed_one_does(tmp_path):
    seed = os.environ.get("KILLING_SEED") or str(random.randrange(10**6))  # a failure names it, to be repeated
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "x" * 60,
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{tmp_path}/none.sqlite3",
    }
    program = subprocess.run(
        [sys.executable, "-m", "tests.articles.killing", tmp_path, seed],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.returncode == 0, program.stdout
