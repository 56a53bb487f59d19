"""What every test can count on: no network but loopback, and a media folder of its own."""

import ipaddress
import os
import socket
from pathlib import Path

import pytest

_connect = socket.socket.connect


def _is_local(address: object) -> bool:
    if not isinstance(address, tuple):
        return True  # a Unix socket
    host = str(address[0])
    return host == "localhost" or ipaddress.ip_address(host.split("%")[0]).is_loopback


def _loopback_only(self: socket.socket, address: object) -> None:
    if not _is_local(address):
        raise AssertionError(f"A test tried to reach {address}. Tests talk to loopback only.")
    return _connect(self, address)


@pytest.fixture(autouse=True, scope="session")
def no_network():
    socket.socket.connect = _loopback_only
    yield
    socket.socket.connect = _connect


@pytest.fixture(autouse=True)
def own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder with `seeds` and `corpus`; tests that need it are skipped where it is not."""
    folder = os.environ.get("COPYDESK_CORPUS", "")
    if not folder:
        pytest.skip("COPYDESK_CORPUS is not set")
    return Path(folder)
