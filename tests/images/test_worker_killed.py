"""Pictures are all there in the end, once, however often their workers are killed; see killing.py."""

import os
import random
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_workers_killed_in_the_middle_of_200_pictures_leave_all_of_them_cached_once(tmp_path):
    seed = os.environ.get("KILLING_SEED") or str(random.randrange(10**6))  # a failure names it, to be repeated
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "ENV_FILE": os.devnull,
        "SECRET_KEY": "x" * 60,
        "MEDIA_ROOT": str(tmp_path / "media"),
        "DATABASE_URL": os.environ.get("TEST_DATABASE_URL") or f"sqlite:///{tmp_path}/none.sqlite3",
    }
    program = subprocess.run(
        [sys.executable, "-m", "tests.images.killing", tmp_path, seed],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert program.returncode == 0, program.stdout
