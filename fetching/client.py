"""The guarded client: every address vetted where the socket opens, on each hop, within size and time caps."""

from __future__ import annotations

import logging
import queue
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache, partial
from typing import Any, TypeVar

import httpcore2

from fetching.errors import FetchError
from fetching.policy import Policy, Target, is_public, parse_target

Resolver = Callable[[str, int], list[str]]
_Result = TypeVar("_Result")

MAX_ETAG_LENGTH = 200  # characters
MAX_DATE_LENGTH = 60  # characters
MAX_PAUSE = 24 * 60 * 60.0  # seconds: no host has us stay away for longer

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING_STATUSES = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
_OVERHEAD = 1024 * 1024  # bytes for all that is not body: headers, chunk framing, TLS
_PIECE = 64 * 1024  # bytes
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Caps of one fetch. `total_seconds` covers all of it: names, handshakes, redirects, the last byte."""

    max_bytes: int = 20 * 1024 * 1024  # of the decoded body
    max_redirects: int = 5
    connect_seconds: float = 5.0  # for each address tried
    read_seconds: float = 10.0  # of silence
    total_seconds: float = 30.0


@dataclass(frozen=True)
class Validators:
    """What a host calls a version of a file, to be asked by it whether there is a newer one."""

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, etag: str, last_modified: str) -> Validators:
        """Those fit to be stored and to be sent again; the others are as if the host had sent none."""
        return cls(_plain(etag.strip(), MAX_ETAG_LENGTH), _plain(last_modified.strip(), MAX_DATE_LENGTH))

    def __bool__(self) -> bool:
        return bool(self.etag or self.last_modified)

    def headers(self) -> dict[bytes | str, bytes | str]:
        named = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in named.items() if value}


@dataclass(frozen=True)
class Fetched:
    """What came back. `url` is the last hop's. Without a `body` the file is as it was, by the validators sent.

    The validators are those for the next time, or empty: those sent with a 304 that brings none.
    """

    url: str
    body: bytes | None
    etag: str
    last_modified: str


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


def fetch(
    url: str,
    *,
    policy: Policy,
    user_agent: str,
    limits: Limits = Limits(),
    resolver: Resolver = resolve,
    etag: str = "",
    last_modified: str = "",
) -> Fetched:
    """GET `url`, or raise FetchError. Sends no cookies, referrer or credentials and asks no proxy.

    Given an `etag` or `last_modified` of an earlier fetch, the host may answer that nothing has changed.
    """
    known = Validators.of(etag, last_modified)
    allowance = Allowance(limits)
    target = parse_target(url, policy)
    for _ in range(limits.max_redirects + 1):
        backend = _Backend(policy, limits, allowance, resolver)
        outcome = _hop(target, user_agent, known, backend, limits.max_bytes)
        if isinstance(outcome, Fetched):
            return outcome
        target = parse_target(outcome, policy, base=target.url)
    raise FetchError("too_many_redirects", f"The address redirects more than {limits.max_redirects} times.")


def _hop(target: Target, user_agent: str, known: Validators, backend: _Backend, max_bytes: int) -> Fetched | str:
    """One request: the response, or the address it redirects to."""
    headers: dict[bytes | str, bytes | str] = {
        "Host": target.netloc,
        "User-Agent": user_agent.encode("ascii", "replace"),
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **known.headers(),
    }
    url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    connection = httpcore2.HTTPConnection(
        url.origin, ssl_context=_tls_context() if target.scheme == "https" else None, network_backend=backend
    )
    with _faults_translated(), connection:
        response = connection.handle_request(httpcore2.Request("GET", url, headers=headers))
        return _read(target, response, known, max_bytes)


def _read(target: Target, response: httpcore2.Response, known: Validators, max_bytes: int) -> Fetched | str:
    headers = {name.lower(): value.decode("latin-1").strip() for name, value in response.headers}
    if response.status in _REDIRECTS and b"location" in headers:
        return _utf8(headers[b"location"])
    validators = Validators.of(headers.get(b"etag", ""), headers.get(b"last-modified", ""))
    if response.status == 304 and known:
        etag, last_modified = validators.etag or known.etag, validators.last_modified or known.last_modified
        return Fetched(target.url, None, etag, last_modified)
    if response.status != 200:
        raise _status_error(response.status, headers.get(b"retry-after", ""))
    body = _body(response.iter_stream(), headers, max_bytes)
    return Fetched(target.url, body, validators.etag, validators.last_modified)


def _status_error(status: int, retry_after: str) -> FetchError:
    passing = status in _PASSING_STATUSES
    pause = _pause(retry_after) if passing else None
    detail = f"The server answered with status {status}."
    return FetchError(f"http_{status}", detail, passing=passing, retry_after=pause)


def _pause(retry_after: str) -> float | None:
    """Seconds until the moment the host names, in one of the two ways there are; None for nonsense."""
    if len(retry_after) > MAX_DATE_LENGTH:
        return None
    if _NUMBER.fullmatch(retry_after):
        seconds = float(retry_after)
    else:
        try:
            moment = parsedate_to_datetime(retry_after)
        except (ValueError, OverflowError):
            return None
        seconds = moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() - time.time()
    return min(max(seconds, 0.0), MAX_PAUSE)


def _plain(value: str, max_length: int) -> str:
    """The value if it can stand in a header and in its column, else nothing."""
    return value if len(value) <= max_length and value.isascii() and value.isprintable() else ""


def _utf8(value: str) -> str:
    """Header bytes that are not ASCII are mostly UTF-8 in practice, whatever the standard says."""
    return value.encode("latin-1").decode("utf-8", "replace")


def _body(chunks: Iterable[bytes], headers: dict[bytes, str], max_bytes: int) -> bytes:
    claimed = headers.get(b"content-length", "")
    if claimed.isdecimal() and int(claimed) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    for chunk in _decoded(chunks, headers.get(b"content-encoding", ""), max_bytes):
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> FetchError:
    return FetchError("too_large", f"The file is larger than {max_bytes // 1024:,} KiB.")


def _decoded(chunks: Iterable[bytes], encoding: str, max_bytes: int) -> Iterator[bytes]:
    """We ask for no encoding; what some servers send none the less is unpacked in bounded pieces."""
    match encoding.lower():
        case "" | "identity":
            yield from chunks
        case "gzip" | "x-gzip" | "deflate":
            yield from _inflated(chunks, max_bytes)
        case other:
            raise FetchError("bad_encoding", f"The server sent an encoding nobody asked for: {other[:40]}.")


def _inflated(chunks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """At most one byte beyond the cap from any piece, so that a bomb is refused before it is unpacked."""
    decoder = zlib.decompressobj(wbits=_GZIP_OR_ZLIB)
    packed = 0
    try:
        for chunk in chunks:
            packed += len(chunk)
            if packed > max_bytes:  # packed nothing costs nothing to unpack, but it never ends
                raise _too_large(max_bytes)
            yield decoder.decompress(chunk, max_bytes + 1)
            if decoder.eof:  # what follows is no part of the file, and costly: zlib copies it with each piece
                return
    except zlib.error as error:
        raise FetchError("bad_encoding", "The compressed answer cannot be unpacked.") from error
    raise FetchError("bad_encoding", "The compressed answer breaks off.", passing=True)


@cache
def _tls_context() -> ssl.SSLContext:
    """Verifies chain and host name. Loading the authorities takes longer than a handshake: done once."""
    return httpcore2.default_ssl_context()


@contextmanager
def _faults_translated() -> Iterator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise FetchError("timeout", "The server took too long.", passing=True) from error
    except httpcore2.NetworkError as error:
        raise FetchError("connection_failed", f"The connection failed: {error}."[:200], passing=True) from error
    except ssl.SSLError as error:
        raise FetchError("tls_failed", "No trustworthy encrypted connection could be made.", passing=True) from error
    except httpcore2.ProtocolError as error:
        raise FetchError("bad_response", "The server's answer is not proper HTTP.", passing=True) from error


class _Backend(httpcore2.NetworkBackend):
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
