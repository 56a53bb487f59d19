"""A few readers at once, each asking for one page after the other over connections of their own."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import quantiles

READERS = 4
WORKERS = 2  # server processes


@dataclass(frozen=True)
class Load:
    rate: float  # answers a second
    times: Sequence[float]  # seconds an answer took

    @property
    def p99(self) -> float:
        return quantiles(self.times, n=100)[98]

    @property
    def p95(self) -> float:
        return quantiles(self.times, n=100)[94]


@contextmanager
def server(**environment: str) -> Iterator[int]:
    """gunicorn with the site, as docs/operations.md has it; gives its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = int(listener.getsockname()[1])
    command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}"]
    process = subprocess.Popen(  # noqa: S603  (our own words)
        [*command, "--workers", str(WORKERS), "--no-control-socket", "--log-level", "warning"],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "benchmarks.serving_settings", **environment},
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            ask(port, request("/healthz"))
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server does not answer.")


def request(address: str) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n".encode()


def ask(port: int, what: bytes) -> bytes:
    """The whole answer. Raises OSError for one that is not 200."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(what)
        parts = []
        while part := connection.recv(1 << 17):
            parts.append(part)
    answer = b"".join(parts)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise OSError(answer[:200])
    return answer


def load(port: int, addresses: Sequence[str], seconds: float) -> Load:
    """READERS ask for the addresses by turns, for so long."""
    asked = itertools.cycle([request(address) for address in addresses])
    times: list[float] = []
    end = time.perf_counter() + seconds

    def read() -> None:
        while (begin := time.perf_counter()) < end:
            ask(port, next(asked))
            times.append(time.perf_counter() - begin)

    readers = [threading.Thread(target=read) for _ in range(READERS)]
    begin = time.perf_counter()
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    return Load(len(times) / (time.perf_counter() - begin), times)
