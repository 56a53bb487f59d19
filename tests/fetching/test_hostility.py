"""Hosts that mean harm, each played on loopback: none leads inside, and none takes more than its time and bytes."""

import gzip
import socket
import ssl
import time
import tracemalloc

import httpcore2
import pytest

from fetching import client
from tests.fetching.asking import PATIENCE, SHORT, SMALL, get, refused, resolving_to
from tests.fetching.hosts import (
    CERTIFICATE,
    answer,
    breaking_off,
    dripping,
    endless,
    playing,
    redirect,
)

MIB = 1024 * 1024
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n\r\n"
INNER_SPELLINGS = """
    127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.0.0.1 0177.0.0.1 017700000001 0 0.0.0.0 127.127.127.127
    [::1] [::] [0:0:0:0:0:0:0:1] [::127.0.0.1] [::ffff:127.0.0.1] [::ffff:7f00:1] [::ffff:0:7f00:1] [64:ff9b::7f00:1]
    [64:ff9b::127.0.0.1] [2002:7f00:1::] [2001:0:7f00:1::] 127。0。0。1 127．0．0．1 １２７.0.0.1 ①②⑦.0.0.1
    169.254.169.254 0xa9fea9fe [fd00:ec2::254] [::ffff:a9fe:a9fe]
"""
UNREADABLE_SPELLINGS = """
    127.0.0.1. 127.0.0.1.. [::1%25lo] [fe80::1%25lo] [fe80::1%lo] [::ffff:127.1] 127.0.0.1%00.example %31%32%37.0.0.1
    127.0.0.256 4294967296 [v1.127.0.0.1] 127.0.0.1%2f.example 127.0.0.1#.example:80 127.0.0.1\\.example
"""


def refused_by(play, limits=SMALL, **options):
    with playing(play, **options) as host:
        return refused(host.url(), allow=[host.name], limits=limits)


def body_from(play):
    with playing(play) as host:
        return get(host.url(), allow=[host.name], limits=SMALL).body


# --- Ways inside ------------------------------------------------------------------------------------


@pytest.fixture
def opened(monkeypatch):
    """The addresses that sockets were to be opened to."""
    addresses = []
    connect = socket.socket.connect

    def watched(self, address):
        addresses.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", watched)
    return addresses


@pytest.mark.parametrize("spelling", INNER_SPELLINGS.split())
def test_every_spelling_of_an_inner_address_is_refused_without_connecting(spelling, opened):
    error = refused(f"http://{spelling}/")
    assert (error.code, error.passing) == ("forbidden_address", False)
    assert opened == []


def read_as_number(host, port):
    """As the system's resolver does, but without asking anybody for a name."""
    answers = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    return [answer[4][0] for answer in answers]


@pytest.mark.parametrize("spelling", UNREADABLE_SPELLINGS.split())
def test_no_spelling_that_another_parser_might_read_leads_inside(spelling, opened):
    error = refused(f"http://{spelling}/", resolver=read_as_number)
    assert error.code in {"forbidden_address", "dns_failure", "bad_url", "bad_port"}
    assert opened == []


@pytest.mark.parametrize("spelling", (INNER_SPELLINGS + UNREADABLE_SPELLINGS).split())
def test_no_redirect_leads_inside_even_to_a_port_that_is_open(spelling):
    def elsewhere(connection, path):
        redirect(f"http://{spelling}:{host.port}/secret".encode().decode("latin-1"))(connection, path)

    with playing(elsewhere) as host:
        name = f"pictures.example:{host.port}"
        error = refused(f"http://{name}/", allow=[name], ports=[host.port], resolver=own_name_or_number)
    assert error.code in {"forbidden_address", "dns_failure", "bad_url", "bad_port"}
    assert len(host.requests) == 1


def own_name_or_number(host, port):
    return ["127.0.0.1"] if host == "pictures.example" else read_as_number(host, port)


@pytest.fixture
def internet(monkeypatch):
    """Public addresses all lead to loopback here; keeps those that were asked for."""
    asked = []
    connect = httpcore2.SyncBackend.connect_tcp

    def connect_tcp(self, host, port, *arguments, **options):
        asked.append(host)
        return connect(self, "127.0.0.1", port, *arguments, **options)

    monkeypatch.setattr(httpcore2.SyncBackend, "connect_tcp", connect_tcp)
    return asked


def answering_in_turn(*answers):
    left = list(answers)
    return lambda host, port: [left.pop(0)]


def test_name_that_turns_inward_after_it_was_vetted_is_not_looked_up_again(internet):
    resolver = answering_in_turn("93.184.216.34", "127.0.0.1")
    with playing(answer(body=b"x")) as host:
        fetched = get(f"http://rebinding.example:{host.port}/", ports=[host.port], resolver=resolver)
    assert fetched.body == b"x"
    assert internet == ["93.184.216.34"]


def test_name_that_turns_inward_between_two_hops_is_refused_at_the_second(internet):
    resolver = answering_in_turn("93.184.216.34", "127.0.0.1")
    with playing(redirect("/again")) as host:
        error = refused(f"http://rebinding.example:{host.port}/", ports=[host.port], resolver=resolver)
    assert error.code == "forbidden_address"
    assert internet == ["93.184.216.34"]
    assert len(host.requests) == 1


# --- Answers without end ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("play", "code"),
    [
        (endless(OK + b"\r\n", b"x"), "too_large"),
        (endless(CHUNKED, b"1\r\nx\r\n"), "too_large"),
        (endless(CHUNKED, b"1;" + b"e" * 50_000 + b"\r\nx\r\n"), "too_large"),
        (endless(CHUNKED + b"1;", b"e"), "bad_response"),
        (endless(CHUNKED + b"0\r\n", b"trailer: 1\r\n"), "bad_response"),
        (endless(CHUNKED, b"0"), "bad_response"),
        (endless(OK, b"header: 1\r\n"), "bad_response"),
        (endless(OK, b" folded\r\n"), "bad_response"),
        (endless(OK + b"header: ", b"x"), "bad_response"),
        (endless(b"HTTP/1.1 200 ", b"x"), "bad_response"),
        (endless(b"", b"HTTP/1.1 100 Continue\r\nlink: " + b"x" * 500 + b"\r\n\r\n"), "too_large"),
        (endless(b"", b"HTTP/1.1 103 Early Hints\r\nlink: " + b"x" * 50_000 + b"\r\n\r\n"), "too_large"),
        (endless(b"", b"\0"), "bad_response"),
    ],
    ids=[
        "body",
        "tiny chunks",
        "chunk extensions",
        "one chunk extension",
        "trailers",
        "chunk length",
        "headers",
        "folded header",
        "header line",
        "status line",
        "informational answers",
        "fat informational answers",
        "noise",
    ],
)
def test_answer_without_end_is_cut_off_before_it_fills_memory(play, code):
    tracemalloc.start()
    try:
        error = refused_by(play)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert error.code == code
    assert peak < 2 * MIB


def test_all_hops_share_one_allowance_of_bytes():
    """Each redirect alone is within what headers may take; together they are not."""
    hints = b"HTTP/1.1 103 Early Hints\r\nlink: " + b"x" * 50_000 + b"\r\n\r\n"

    def fat(connection, path):
        connection.sendall(hints * 8)
        redirect("/on")(connection, path)

    assert refused_by(fat).code == "too_large"


def test_noise_after_a_compressed_body_is_not_read():
    """zlib copies all that follows the end with each new piece: tiny chunks of it would cost minutes."""
    packed = gzip.compress(b"picture", mtime=0)
    head = OK + b"transfer-encoding: chunked\r\ncontent-encoding: gzip\r\n\r\n"
    assert body_from(endless(head + b"%x\r\n%s\r\n" % (len(packed), packed), b"1\r\nx\r\n")) == b"picture"


# --- Answers without truth --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        b"content-length: -5\r\n",
        b"content-length: +5\r\n",
        b"content-length: 0x5\r\n",
        b"content-length: 5, 6\r\n",
        b"content-length: 5\r\ncontent-length: 6\r\n",
        b"content-length: " + b"9" * 5000 + b"\r\n",
        b"transfer-encoding: gzip, chunked\r\n",
        b"transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n",
    ],
)
def test_length_that_cannot_be_true_is_refused(headers):
    error = refused_by(lambda connection, path: connection.sendall(OK + headers + b"\r\nhello"))
    assert (error.code, error.passing) == ("bad_response", True)


def test_more_than_the_claimed_length_is_not_read():
    assert body_from(answer(body=b"picture and more", content_length=7)) == b"picture"


def test_chunks_count_where_a_length_is_claimed_too():
    head = OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    assert body_from(lambda connection, path: connection.sendall(head + b"7\r\npicture\r\n0\r\n\r\n")) == b"picture"


def test_chunks_are_no_way_round_the_cap_by_a_small_claimed_length():
    head = OK + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    assert refused_by(endless(head, b"100\r\n" + b"x" * 256 + b"\r\n")).code == "too_large"


def test_claimed_type_counts_for_nothing():
    """Whoever takes the bytes looks at the bytes."""
    assert body_from(answer(body=b"<html>", content_type="image/png")) == b"<html>"
    assert body_from(answer(body=b"picture", content_type="text/html")) == b"picture"


@pytest.mark.parametrize(
    "before",
    [b"", b"HTTP/1.1 20", OK + b"content-type: im", OK + b"content-length: 9\r\n\r\npic", CHUNKED + b"9\r\npic"],
    ids=["before the answer", "in the status line", "in the headers", "in the body", "in a chunk"],
)
def test_reset_is_a_passing_fault_wherever_it_comes(before):
    error = refused_by(breaking_off(before))
    assert error.code in {"connection_failed", "bad_response"}
    assert error.passing


# --- TLS --------------------------------------------------------------------------------------------


@pytest.fixture
def trusted_certificate(monkeypatch):
    context = ssl.create_default_context(cafile=CERTIFICATE)
    monkeypatch.setattr(client, "tls_context", lambda: context)


def get_encrypted(host, **options):
    name = f"pictures.example:{host.port}"
    return get(f"https://{name}/a.jpg", allow=[name], resolver=resolving_to("127.0.0.1"), **options)


def refused_encrypted(host, **options):
    name = f"pictures.example:{host.port}"
    return refused(f"https://{name}/a.jpg", allow=[name], resolver=resolving_to("127.0.0.1"), **options)


@pytest.mark.usefixtures("trusted_certificate")
def test_large_picture_comes_whole_over_tls():
    picture = bytes(range(256)) * 8192
    with playing(answer(body=picture), tls=True) as host:
        assert get_encrypted(host).body == picture


@pytest.mark.usefixtures("trusted_certificate")
def test_encrypted_body_that_ends_without_goodbye_is_taken():
    with playing(answer(body=b"picture", content_length=None), tls=True) as host:
        assert get_encrypted(host).body == b"picture"


@pytest.mark.usefixtures("trusted_certificate")
def test_encrypted_body_shorter_than_claimed_is_no_body():
    with playing(answer(body=b"half", content_length=8), tls=True) as host:
        assert refused_encrypted(host).code == "bad_response"


@pytest.mark.usefixtures("trusted_certificate")
def test_session_tickets_without_end_are_refused():
    """OpenSSL would take them for as long as they come, whatever the timeout: they need no answer."""
    with playing(answer(body=b"x"), tls=True, tickets=50_000) as host:
        assert refused_encrypted(host, limits=SMALL).code == "too_large"


@pytest.mark.usefixtures("trusted_certificate")
@pytest.mark.parametrize("drop", [b"x", b""], ids=["drip", "silence"])
def test_slow_encrypted_body_ends_with_the_deadline(drop):
    started = time.monotonic()
    with playing(dripping(OK + b"content-length: 900\r\n\r\n", drop), tls=True) as host:
        assert refused_encrypted(host, limits=SHORT).code == "timeout"
    assert time.monotonic() - started < PATIENCE


def test_handshake_that_drips_ends_with_the_deadline():
    started = time.monotonic()
    with playing(dripping(b"\x16\x03\x03\x3f\xff", b"\x02"), speaks_first=True) as host:
        assert refused_encrypted(host, limits=SHORT).code == "timeout"
    assert time.monotonic() - started < PATIENCE


def test_host_that_speaks_no_tls_is_refused():
    with playing(answer(body=b"x"), speaks_first=True) as host:
        assert refused_encrypted(host).code == "tls_failed"
