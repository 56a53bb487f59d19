"""Sockets for the guarded client: opened to vetted addresses only, and never waited on longer than a fetch may take."""

from __future__ import annotations

import logging
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import httpcore2

from fetching.errors import FetchError
from fetching.policy import Policy, is_public

Resolver = Callable[[str, int], list[str]]
_Result = TypeVar("_Result")

_OVERHEAD = 1024 * 1024  # bytes for all that is not body: headers, chunk framing, TLS
_PIECE = 64 * 1024  # bytes
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Caps of one fetch. `total_seconds` covers all of it: names, handshakes, redirects, the last byte."""

    max_bytes: int = 20 * 1024 * 1024  # of the decoded body
    max_redirects: int = 5
    connect_seconds: float = 5.0  # for each address tried
    read_seconds: float = 10.0  # of silence
    total_seconds: float = 30.0


DEFAULT_LIMITS = Limits()


class Allowance:
    """The seconds and bytes that one fetch may use, all its hops together."""

    def __init__(self, limits: Limits) -> None:
        self._end = time.monotonic() + limits.total_seconds
        self._bytes_left = limits.max_bytes + _OVERHEAD

    def seconds(self, at_most: float) -> float:
        """Seconds left, `at_most` so many; a timeout when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout("The total time is used up.")
        return min(left, at_most)

    def take(self, received: int) -> None:
        """Count bytes off the wire, whatever they are: headers, framing and handshakes can be endless too."""
        self._bytes_left -= received
        if self._bytes_left < 0:
            raise FetchError("too_large", "The answer, with headers and framing, is far larger than a picture may be.")


def resolve(host: str, port: int) -> list[str]:
    """Every address of the host, in the system's order of preference."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(answer[4][0]) for answer in answers))


@cache
def tls_context() -> ssl.SSLContext:
    """Verifies chain and host name. Loading the authorities takes longer than a handshake: done once."""
    return httpcore2.default_ssl_context()


class Backend(httpcore2.NetworkBackend):
    """Opens sockets for one hop: resolves, vets every answer, and connects to those very addresses."""

    def __init__(self, policy: Policy, limits: Limits, allowance: Allowance, resolver: Resolver) -> None:
        self._policy = policy
        self._limits = limits
        self._allowance = allowance
        self._resolver = resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        addresses = self._resolved(host, port)
        if not self._policy.allows(host, port):
            _refuse_inner(host, addresses)
        return _Stream(self._connected(addresses, port), self._limits.read_seconds, self._allowance)

    def _resolved(self, host: str, port: int) -> list[str]:
        seconds = self._allowance.seconds(self._limits.connect_seconds)
        try:
            addresses = _within(seconds, self._resolver, host, port)
        except (OSError, UnicodeError) as error:
            raise FetchError("dns_failure", f"No address was found for {host}.", passing=True) from error
        if not addresses:
            raise FetchError("dns_failure", f"No address was found for {host}.", passing=True)
        return addresses

    def _connected(self, addresses: list[str], port: int) -> httpcore2.NetworkStream:
        for address in addresses:
            try:
                timeout = self._allowance.seconds(self._limits.connect_seconds)
                return httpcore2.SyncBackend().connect_tcp(address, port, timeout, socket_options=[])
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = error
        raise fault


def _refuse_inner(host: str, addresses: list[str]) -> None:
    """One inner address among many is enough: which of them a later lookup gives is the host's choice.

    The address is for the log alone: whoever may type in a URL could otherwise map the inner network by it.
    """
    for address in addresses:
        if not is_public(address):
            _log.warning("Refused to fetch from %s: it leads to %s.", host, address)
            raise FetchError("forbidden_address", f"{host} leads to an address that is not public.")


def _within(seconds: float, resolver: Resolver, host: str, port: int) -> list[str]:
    """The system's resolver knows no timeout, so it is asked in a thread that may be left behind."""
    answers: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(resolver(host, port))
        except Exception as error:  # noqa: BLE001  (raised again by the waiting thread)
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
    except queue.Empty as error:
        raise httpcore2.ConnectTimeout("The name was not resolved in time.") from error
    if isinstance(answer, Exception):
        raise answer
    return answer


class _Stream(httpcore2.NetworkStream):
    """A stream whose every wait ends with the allowance, so that a slow drip cannot outlive it."""

    def __init__(self, stream: httpcore2.NetworkStream, read_seconds: float, allowance: Allowance) -> None:
        self._stream = stream
        self._read_seconds = read_seconds
        self._allowance = allowance

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        received = self._stream.read(max_bytes, self._allowance.seconds(self._read_seconds))
        self._allowance.take(len(received))
        return received

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._allowance.seconds(self._read_seconds))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        try:
            return _TlsStream(self, ssl_context, server_hostname)
        except BaseException:
            self.close()
            raise

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _TlsStream(httpcore2.NetworkStream):
    """TLS, fed by the piece from a guarded stream.

    On a socket, OpenSSL goes on for as long as it is sent what it need not answer (new session tickets, say), and no
    timeout ends that.
    """

    def __init__(self, stream: _Stream, context: ssl.SSLContext, host: str | None) -> None:
        self._stream = stream
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._carried_out(self._tls.do_handshake)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        try:
            return self._carried_out(partial(self._tls.read, max_bytes))
        except ssl.SSLEOFError:  # hung up without saying goodbye, as many servers do
            return b""

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        while buffer:
            buffer = buffer[self._carried_out(partial(self._tls.write, buffer)) :]

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return self._tls if info == "ssl_object" else self._stream.get_extra_info(info)

    def _carried_out(self, step: Callable[[], _Result]) -> _Result:
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                self._send()
                self._receive()
            else:
                self._send()
                return result

    def _send(self) -> None:
        if self._outgoing.pending:
            self._stream.write(self._outgoing.read())

    def _receive(self) -> None:
        if received := self._stream.read(_PIECE):
            self._incoming.write(received)
        else:
            self._incoming.write_eof()
