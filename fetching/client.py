"""The guarded client: every address vetted where the socket opens, on each hop, within size and time caps."""

from __future__ import annotations

import re
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpcore2

from fetching.errors import FetchError
from fetching.policy import Policy, Target, parse_target
from fetching.streams import DEFAULT_LIMITS, Allowance, Backend, Limits, Resolver, resolve, tls_context

MAX_ETAG_LENGTH = 200  # characters
MAX_DATE_LENGTH = 60  # characters
MAX_PAUSE = 24 * 60 * 60.0  # seconds: no host has us stay away for longer

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PASSING_STATUSES = frozenset({408, 421, 425, 429, 500, 502, 503, 504})
_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")


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

    def headers(self) -> dict[str, str]:
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


def fetch(
    url: str,
    *,
    policy: Policy,
    user_agent: str,
    limits: Limits = DEFAULT_LIMITS,
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
        backend = Backend(policy, limits, allowance, resolver)
        outcome = _hop(target, user_agent, known, backend, limits.max_bytes)
        if isinstance(outcome, Fetched):
            return outcome
        target = parse_target(outcome, policy, base=target.url)
    raise FetchError("too_many_redirects", f"The address redirects more than {limits.max_redirects} times.")


def send(
    url: str,
    body: bytes,
    *,
    policy: Policy,
    user_agent: str,
    headers: Mapping[str, str],
    limits: Limits = DEFAULT_LIMITS,
    resolver: Resolver = resolve,
) -> None:
    """POST `body` to `url`, with headers of one's own, or raise FetchError if the host does not take it. Follows no
    redirect."""
    backend = Backend(policy, limits, Allowance(limits), resolver)
    with _answered("POST", parse_target(url, policy), user_agent, headers, backend, body) as response:
        if not 200 <= response.status < 300:
            raise _status_error(response.status, "")


def _hop(target: Target, user_agent: str, known: Validators, backend: Backend, max_bytes: int) -> Fetched | str:
    """One request: the response, or the address it redirects to."""
    with _answered("GET", target, user_agent, known.headers(), backend) as response:
        return _read(target, response, known, max_bytes)


@contextmanager
def _answered(
    method: str, target: Target, user_agent: str, own: Mapping[str, str], backend: Backend, body: bytes | None = None
) -> Iterator[httpcore2.Response]:
    """One request, over a connection of its own: the response while that is open."""
    headers: dict[str, bytes | str] = {
        "Host": target.netloc,
        "User-Agent": user_agent.encode("ascii", "replace"),
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "close",
        **own,
    }
    if body is not None:
        headers["Content-Length"] = str(len(body))
    url = httpcore2.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
    connection = httpcore2.HTTPConnection(
        url.origin, ssl_context=tls_context() if target.scheme == "https" else None, network_backend=backend
    )
    with _faults_translated(), connection:
        yield connection.handle_request(httpcore2.Request(method, url, headers=list(headers.items()), content=body))


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
