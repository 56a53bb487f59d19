"""A loopback host that plays whatever part a test gives it."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

Play = Callable[[socket.socket, str], None]

CERTIFICATE = Path(__file__).parent / "data" / "pictures.example.pem"


class Host:
    """Answers every request by calling `play(connection, path)`; keeps the requests it was sent.

    With `speaks_first` it waits for no request; `tickets` is how many sessions it offers after a TLS handshake.
    """

    def __init__(self, play: Play, tls: bool = False, speaks_first: bool = False, tickets: int = 2) -> None:
        self.requests: list[str] = []
        self.stopped = threading.Event()
        self._play = play
        self._tls = tls
        self._speaks_first = speaks_first
        self._tickets = tickets
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.name = f"127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve)

    def url(self, path: str = "/picture.jpg") -> str:
        return f"http://{self.name}{path}"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self.stopped.set()
        with suppress(OSError):  # wakes the accept that waits
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        answering = []
        while True:
            connection, _ = self._listener.accept()
            if self.stopped.is_set():
                connection.close()
                break
            answering.append(threading.Thread(target=self._answer, args=[connection]))
            answering[-1].start()
        for thread in answering:
            thread.join()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if self._tls:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(CERTIFICATE)
                context.num_tickets = self._tickets
                connection = context.wrap_socket(connection, server_side=True)
            with connection:
                if self._speaks_first:
                    self._play(connection, "")
                elif request := self._received(connection):
                    self.requests.append(request)
                    self._play(connection, request.split()[1])

    def _received(self, connection: socket.socket) -> str:
        """The whole request, or nothing when the client leaves before its end."""
        request = b""
        while not _is_whole(request):
            received = connection.recv(65536)
            if not received:
                return ""
            request += received
        return request.decode("latin-1")


def _is_whole(request: bytes) -> bool:
    head, end, body = request.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return bool(end) and len(body) >= int(length[1] if length else 0)


@contextmanager
def playing(play: Play, tls: bool = False, speaks_first: bool = False, tickets: int = 2) -> Iterator[Host]:
    host = Host(play, tls, speaks_first, tickets)
    host.start()
    try:
        yield host
    finally:
        host.stop()


def answer(status: str = "200 OK", body: bytes = b"", **headers: object) -> Play:
    """A well-behaved answer. Headers by keyword (`content_type="image/png"`); None leaves one out."""
    sent = {"content_length": len(body), "connection": "close", **headers}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in sent.items() if value is not None]
    head = "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode()
    return lambda connection, path: connection.sendall(head + body)


def redirect(location: str, status: str = "302 Found") -> Play:
    return answer(status, location=location)


def by_path(**plays: Play) -> Play:
    """Another part for each path: `by_path(start=redirect("/end"), end=answer(body=b"x"))`."""
    return lambda connection, path: plays[path.strip("/")](connection, path)


def in_turn(*plays: Play) -> Play:
    """Another part for each request: the first for the first, the last for all that follow."""
    left = list(plays)
    return lambda connection, path: (left.pop(0) if len(left) > 1 else left[0])(connection, path)


def endless(before: bytes, part: bytes) -> Play:
    """Sends as fast as it can, for ever."""

    def play(connection: socket.socket, path: str) -> None:
        connection.sendall(before)
        many = part * max(1, 65536 // len(part))
        while True:
            connection.sendall(many)

    return play


def breaking_off(before: bytes) -> Play:
    """Sends this much, and then resets the connection."""

    def play(connection: socket.socket, path: str) -> None:
        connection.sendall(before)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()

    return play


def dripping(before: bytes, drop: bytes) -> Play:
    """Sends a little every 20 ms for ever: no single wait is long."""

    def play(connection: socket.socket, path: str) -> None:
        connection.sendall(before)
        connection.settimeout(0.02)
        while True:
            with suppress(TimeoutError):
                if not connection.recv(1):
                    return
            connection.sendall(drop)

    return play
