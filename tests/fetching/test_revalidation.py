"""What a host says about the next time: validators for a picture that may be unchanged, pauses for one that is late."""

import pytest
import time_machine

from tests.fetching.asking import get, refused
from tests.fetching.hosts import answer, by_path, in_turn, playing, redirect

ETAG = 'W/"5f3"'
CHANGED = "Wed, 21 Oct 2015 07:28:00 GMT"
NOT_MODIFIED = answer("304 Not Modified", content_length=None)


def fetched_from(play, **options):
    with playing(play) as host:
        return get(host.url(), allow=[host.name], **options)


def sent_headers(request):
    return dict(line.split(": ", 1) for line in request.splitlines()[1:] if line)


def test_validators_of_the_host_come_back_with_the_body():
    fetched = fetched_from(answer(body=b"x", etag=ETAG, last_modified=CHANGED))
    assert (fetched.body, fetched.etag, fetched.last_modified) == (b"x", ETAG, CHANGED)


def test_host_without_validators_leaves_them_empty():
    fetched = fetched_from(answer(body=b"x"), etag=ETAG, last_modified=CHANGED)
    assert (fetched.etag, fetched.last_modified) == ("", "")


def test_validators_are_sent_on_every_hop():
    with playing(by_path(a=redirect("/b"), b=answer(body=b"x"))) as host:
        get(host.url("/a"), allow=[host.name], etag=ETAG, last_modified=CHANGED)
    assert len(host.requests) == 2
    for headers in map(sent_headers, host.requests):
        assert (headers["If-None-Match"], headers["If-Modified-Since"]) == (ETAG, CHANGED)


def test_unchanged_picture_comes_without_a_body_and_keeps_its_validators():
    fetched = fetched_from(NOT_MODIFIED, etag=ETAG, last_modified=CHANGED)
    assert (fetched.body, fetched.etag, fetched.last_modified) == (None, ETAG, CHANGED)


def test_one_validator_is_enough_to_ask():
    assert fetched_from(NOT_MODIFIED, last_modified=CHANGED).body is None


def test_newer_validator_of_an_unchanged_picture_is_taken():
    not_modified = answer("304 Not Modified", content_length=None, etag='"new"')
    fetched = fetched_from(not_modified, etag=ETAG, last_modified=CHANGED)
    assert (fetched.etag, fetched.last_modified) == ('"new"', CHANGED)


def test_not_modified_is_no_answer_to_an_unconditional_request():
    with playing(NOT_MODIFIED) as host:
        error = refused(host.url(), allow=[host.name])
    assert (error.code, error.passing) == ("http_304", False)


@pytest.mark.parametrize(
    "etag",
    ['"a"\r\nX-Injected: 1', '"tab\there"', '"ü"', '"\x7f"', '"' + "e" * 199 + '"'],
    ids=["line break", "tab", "not ASCII", "control character", "too long for its column"],
)
def test_unfit_validators_are_not_sent(etag):
    with playing(answer(body=b"x")) as host:
        get(host.url(), allow=[host.name], etag=etag, last_modified="x" * 61)
    assert not {"If-None-Match", "If-Modified-Since", "X-Injected"} & sent_headers(host.requests[0]).keys()


def test_unfit_validators_of_a_host_are_dropped():
    fetched = fetched_from(answer(body=b"x", etag="e" * 201, last_modified="a\tb"))
    assert (fetched.etag, fetched.last_modified) == ("", "")


def test_longest_validators_that_fit_are_kept():
    fetched = fetched_from(answer(body=b"x", etag="e" * 200, last_modified="d" * 60))
    assert (len(fetched.etag), len(fetched.last_modified)) == (200, 60)


# --- Retry-After ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("120", 120),
        ("1.5", 1.5),
        ("0", 0),
        ("-30", 0),
        ("86401", 86400),
        ("9" * 60, 86400),
        ("9" * 5000, None),
        ("Wed, 21 Oct 2015 07:30:00 GMT", 120),
        ("Wed, 21 Oct 2015 09:30:00 +0200", 120),
        ("Wed, 21 Oct 2015 07:30:00 -0000", 120),
        ("Wed, 21 Oct 2015 07:00:00 GMT", 0),
        ("Fri, 21 Oct 2095 07:30:00 GMT", 86400),
        ("soon", None),
        ("Wed, 99 Foo 99999 99:99:99 GMT", None),
        ("nan", None),
        ("inf", None),
        ("1e3", None),
        ("", None),
        (None, None),
    ],
)
@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_pause_that_a_host_asks_for_is_told_in_seconds(status, said, seconds):
    with time_machine.travel("2015-10-21T07:28:00Z", tick=False), playing(answer(status, retry_after=said)) as host:
        error = refused(host.url(), allow=[host.name])
    assert error.passing
    assert error.retry_after == seconds


def test_fault_that_does_not_pass_has_no_pause():
    with playing(answer("404 Not Found", retry_after="120")) as host:
        assert refused(host.url(), allow=[host.name]).retry_after is None


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_host_that_was_busy_is_asked_again_with_success(status):
    with playing(in_turn(answer(status, retry_after="1"), answer(body=b"x"))) as host:
        assert refused(host.url(), allow=[host.name]).retry_after == 1
        assert get(host.url(), allow=[host.name]).body == b"x"
