from contextlib import ExitStack
from pathlib import Path

import pytest

from images.caching import hosts
from tests.fetching.hosts import playing


@pytest.fixture(autouse=True)
def forgotten_hosts():
    """What hosts asked for in one test is not remembered in the next."""
    hosts.cache_clear()


@pytest.fixture
def stored(settings):
    """A function that lists what lies in the media folder, by name."""

    def names() -> list[str]:
        root = Path(settings.MEDIA_ROOT)
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())

    return names


@pytest.fixture
def hosting(settings):
    """A function that starts a loopback host, as `playing` does, and lets the site fetch from it."""
    with ExitStack() as stack:

        def start(play):
            host = stack.enter_context(playing(play))
            settings.FETCH_ALLOW_HOSTS = [host.name, *settings.FETCH_ALLOW_HOSTS]
            return host

        yield start
