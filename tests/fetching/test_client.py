import gzip
import socket
import ssl
import threading
import time
import zlib
from contextlib import suppress

import pytest

from fetching import client, streams
from tests.fetching.asking import PATIENCE, SHORT, SMALL, get, refused, resolving_to
from tests.fetching.hosts import CERTIFICATE, answer, by_path, dripping, playing, redirect

OTHER_NAME = "inner.example"


def refused_by(play, limits=SMALL):
    with playing(play) as host:
        return refused(host.url(), allow=[host.name], limits=limits)


def test_body_and_last_address_come_back():
    with playing(by_path(a=redirect("/b"), b=answer(body=b"picture"))) as host:
        fetched = get(host.url("/a"), allow=[host.name])
    assert fetched.url == host.url("/b")
    assert fetched.body == b"picture"


def test_request_says_who_asks_and_nothing_more(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:9")
    with playing(by_path(a=answer("302 Found", location="/b", set_cookie="id=1"), b=answer(body=b"x"))) as host:
        get(host.url("/a"), allow=[host.name])
    for request in host.requests:
        names = {line.split(":")[0].lower() for line in request.splitlines()[1:] if line}
        assert names == {"host", "user-agent", "accept", "accept-encoding", "connection"}
        assert "Tests (+http://t)" in request


# --- Where it may go --------------------------------------------------------------------------------


def test_other_ports_of_a_host_are_refused_when_one_is_allowed():
    with playing(answer(body=b"secret")) as host:
        error = refused(host.url(), allow=["127.0.0.1:1", "localhost"])
        assert error.code == "bad_port"
        assert host.requests == []


@pytest.mark.parametrize("addresses", [["169.254.169.254"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"]])
def test_name_that_leads_to_an_inner_address_is_refused_without_connecting(addresses):
    error = refused("http://pictures.example/a.jpg", resolver=resolving_to(*addresses))
    assert error.code == "forbidden_address"


def test_inner_address_is_told_to_the_log_and_not_to_the_asker(caplog):
    error = refused("http://db.example/a.jpg", resolver=resolving_to("10.1.2.3"))
    assert error.detail == "db.example leads to an address that is not public."
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", "Refused to fetch from db.example: it leads to 10.1.2.3.")
    ]


def test_connects_to_the_vetted_address_and_asks_the_resolver_once():
    """A name whose second answer differs (DNS rebinding) has no second chance."""
    asked = []

    def changing(host, port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with playing(answer(body=b"x")) as host:
        url = f"http://pictures.example:{host.port}/"
        fetched = get(url, allow=[f"pictures.example:{host.port}"], resolver=changing)
    assert fetched.body == b"x"
    assert asked == ["pictures.example"]
    assert f"pictures.example:{host.port}" in host.requests[0]


def test_next_address_is_tried_when_the_first_does_not_answer():
    with playing(answer(body=b"x")) as host:
        url = f"http://pictures.example:{host.port}/"
        resolver = resolving_to("127.0.0.2", "127.0.0.1")
        assert get(url, allow=["pictures.example"], resolver=resolver).body == b"x"


@pytest.mark.parametrize(
    ("location", "code"),
    [
        ("http://inner.example/latest/meta-data", "forbidden_address"),
        ("http://127.0.0.1/", "forbidden_address"),
        ("http://[::1]/", "forbidden_address"),
        ("//169.254.169.254/", "forbidden_address"),
        ("http://127.0.0.1:22/", "bad_port"),
        ("file:///etc/passwd", "bad_scheme"),
        ("http://user:pass@127.0.0.1/", "credentials"),
        ("http://[oops/", "bad_url"),
    ],
)
def test_each_redirect_is_vetted_from_scratch(location, code):
    def resolver(host, port):
        return ["10.0.0.1"] if host == OTHER_NAME else streams.resolve(host, port)

    with playing(redirect(location)) as host:
        error = refused(host.url(), allow=[host.name], resolver=resolver)
    assert error.code == code


def test_redirects_are_followed_five_times_and_no_more():
    hops = {f"p{n}": redirect(f"/p{n + 1}") for n in range(6)}
    with playing(by_path(**hops, p6=answer(body=b"end"))) as host:
        assert get(host.url("/p1"), allow=[host.name]).body == b"end"
        assert refused(host.url("/p0"), allow=[host.name]).code == "too_many_redirects"


def test_redirect_loop_ends():
    assert refused_by(redirect("/again")).code == "too_many_redirects"


# --- How much and how long --------------------------------------------------------------------------


def test_claimed_length_beyond_the_cap_is_refused_before_reading():
    assert refused_by(answer(body=b"x", content_length=5000)).code == "too_large"


def test_body_beyond_the_cap_is_refused_when_no_length_is_given():
    assert refused_by(answer(body=b"x" * 5000, content_length=None)).code == "too_large"


def test_body_of_exactly_the_cap_is_taken():
    with playing(answer(body=b"x" * 1000)) as host:
        assert len(get(host.url(), allow=[host.name], limits=SMALL).body) == 1000


def test_body_shorter_than_claimed_is_no_body():
    error = refused_by(answer(body=b"half", content_length=8))
    assert (error.code, error.passing) == ("bad_response", True)


def test_endless_chunks_are_refused():
    def endless(connection, path):
        connection.sendall(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            connection.sendall(b"100\r\n" + b"x" * 256 + b"\r\n")

    assert refused_by(endless).code == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compression_bomb_is_refused_without_unpacking_it(encoding, monkeypatch):
    unpacked = []

    class Watched:
        def __init__(self, **options):
            self._decoder = zlib.decompressobj(**options)

        def decompress(self, data, max_length):
            unpacked.append(self._decoder.decompress(data, max_length))
            return unpacked[-1]

    class FakeZlib:
        decompressobj, error = Watched, zlib.error

    monkeypatch.setattr(client, "zlib", FakeZlib)
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    bomb = pack(bytes(500_000))
    error = refused_by(answer(body=bomb, content_encoding=encoding))
    assert len(bomb) < SMALL.max_bytes
    assert error.code == "too_large"
    assert sum(map(len, unpacked)) == SMALL.max_bytes + 1


def test_unrequested_gzip_is_unpacked():
    with playing(answer(body=gzip.compress(b"picture", mtime=0), content_encoding="gzip")) as host:
        assert get(host.url(), allow=[host.name]).body == b"picture"


@pytest.mark.parametrize(
    ("encoding", "body", "passing"),
    [("br", b"x", False), ("gzip", b"not gzip", False), ("gzip", gzip.compress(b"picture", mtime=0)[:-6], True)],
)
def test_what_cannot_be_unpacked_is_refused(encoding, body, passing):
    error = refused_by(answer(body=body, content_encoding=encoding))
    assert (error.code, error.passing) == ("bad_encoding", passing)


@pytest.mark.parametrize(
    "play",
    [
        dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b"x"),
        dripping(b"HTTP/1.1 200 OK\r\n", b"x-header: 1\r\n"),
        dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        dripping(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n", b""),
        dripping(b"", b""),
    ],
    ids=["body", "headers", "informational answers", "silent body", "silence"],
)
def test_slow_answer_ends_with_the_deadline(play):
    started = time.monotonic()
    error = refused_by(play, SHORT)
    assert (error.code, error.passing) == ("timeout", True)
    assert time.monotonic() - started < PATIENCE


def test_slow_redirects_share_one_deadline():
    def slow(connection, path):
        with suppress(TimeoutError):
            connection.settimeout(0.12)
            connection.recv(1)
        redirect("/on")(connection, path)

    assert refused_by(slow, SHORT).code == "timeout"


def test_slow_resolver_ends_with_the_deadline():
    given_up = threading.Event()

    def stuck(host, port):
        given_up.wait(2 * PATIENCE)
        return ["127.0.0.1"]

    started = time.monotonic()
    assert refused("http://pictures.example/", limits=SHORT, resolver=stuck).code == "timeout"
    assert time.monotonic() - started < PATIENCE
    given_up.set()


def test_silent_tls_handshake_ends_with_the_deadline():
    with playing(dripping(b"", b"")) as host:
        error = refused(f"https://{host.name}/", allow=[host.name], limits=SHORT)
    assert error.code == "timeout"


# --- What goes wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "passing"),
    [
        ("204 No Content", False),
        ("304 Not Modified", False),
        ("403 Forbidden", False),
        ("404 Not Found", False),
        ("410 Gone", False),
        ("429 Too Many Requests", True),
        ("500 Internal Server Error", True),
        ("503 Service Unavailable", True),
    ],
)
def test_other_statuses_are_named_and_the_passing_ones_known(status, passing):
    content_length = None if status[:3] in {"204", "304"} else 0
    error = refused_by(answer(status, content_length=content_length))
    assert (error.code, error.passing) == (f"http_{status[:3]}", passing)


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (lambda connection, path: None, "bad_response"),
        (lambda connection, path: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"), "bad_response"),
    ],
    ids=["hangs up", "speaks no HTTP"],
)
def test_improper_answers_are_refused(play, code):
    error = refused_by(play)
    assert (error.code, error.passing) == (code, True)


def test_closed_port_is_a_passing_fault():
    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}"
    error = refused(f"http://{name}/", allow=[name])
    assert (error.code, error.passing) == ("connection_failed", True)
    assert error.__cause__ is not None


def test_unknown_name_is_a_passing_fault():
    def unknown(host, port):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    error = refused("http://pictures.example/", resolver=unknown)
    assert (error.code, error.passing) == ("dns_failure", True)
    assert refused("http://pictures.example/", resolver=resolving_to()).code == "dns_failure"


# --- TLS --------------------------------------------------------------------------------------------


@pytest.fixture
def trusted_certificate(monkeypatch):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    monkeypatch.setattr(client, "tls_context", lambda: context)


@pytest.mark.usefixtures("trusted_certificate")
def test_certificate_must_be_for_the_name_in_the_address():
    resolver = resolving_to("127.0.0.1")
    with playing(answer(body=b"x"), tls=True) as host:
        good, other = (f"{name}:{host.port}" for name in ("pictures.example", "other.example"))
        assert get(f"https://{good}/", allow=[good], resolver=resolver).body == b"x"
        error = refused(f"https://{other}/", allow=[other], resolver=resolver)
    assert error.code == "tls_failed"
    assert len(host.requests) == 1


def test_certificate_of_an_unknown_authority_is_refused():
    with playing(answer(body=b"x"), tls=True) as host:
        name = f"pictures.example:{host.port}"
        error = refused(f"https://{name}/", allow=[name], resolver=resolving_to("127.0.0.1"))
    assert error.code == "tls_failed"
