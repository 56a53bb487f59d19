import math
import threading

import pytest

from fetching.politeness import Hosts

A, A_TOO, B = "https://a.example/1.jpg", "https://A.Example:443/2.jpg", "https://b.example/1.jpg"
UNREADABLE = ["", "http://[oops/", "ftp://a.example/", "/assets/logo.png", "http://user@a.example/"]


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hosts(clock):
    return Hosts(clock=clock)


def test_unknown_host_may_be_asked_at_once(hosts):
    assert hosts.wait(A) == 0


def test_next_fetch_from_a_host_keeps_its_distance(hosts, clock):
    hosts.begin(A)
    assert hosts.wait(A_TOO) == 0.5
    clock.now += 0.3
    assert hosts.wait(A_TOO) == pytest.approx(0.2)
    clock.now += 0.3
    assert hosts.wait(A_TOO) == 0


def test_distance_is_kept_from_the_last_begin_though_that_fetch_is_over(hosts):
    hosts.begin(A)
    hosts.end(A)
    assert hosts.wait(A) == 0.5


def test_another_host_and_another_port_need_not_wait(hosts):
    hosts.begin(A)
    assert hosts.wait(B) == 0
    assert hosts.wait("http://a.example/1.jpg") == 0


def test_two_at_once_are_enough_for_a_host(hosts, clock):
    hosts.begin(A)
    clock.now += 1
    assert hosts.wait(A) == 0
    hosts.begin(A)
    clock.now += 1
    assert hosts.wait(A) == math.inf
    hosts.end(A)
    assert hosts.wait(A) == 0


def test_pause_holds_for_the_whole_host(hosts, clock):
    hosts.begin(A)
    hosts.end(A, retry_after=60)
    assert hosts.wait(A_TOO) == 60
    assert hosts.wait(B) == 0
    clock.now += 60
    assert hosts.wait(A_TOO) == 0


def test_shorter_pause_does_not_end_a_longer_one(hosts, clock):
    hosts.begin(A)
    hosts.begin(A)
    hosts.end(A, retry_after=60)
    hosts.end(A, retry_after=1)
    assert hosts.wait(A) == 60


def test_fetch_begun_in_a_pause_does_not_end_it(hosts):
    hosts.begin(A)
    hosts.end(A, retry_after=60)
    hosts.begin(A)
    assert hosts.wait(A) == 60


@pytest.mark.parametrize("exempt", ["a.example", "a.example:443"])
def test_own_hosts_need_no_distance_but_have_their_limit_and_their_pauses(exempt, clock):
    hosts = Hosts(exempt=frozenset({exempt}), clock=clock)
    hosts.begin(A)
    assert hosts.wait(A) == 0
    hosts.begin(A)
    assert hosts.wait(A) == math.inf
    hosts.end(A, retry_after=5)
    assert hosts.wait(A) == 5


@pytest.mark.parametrize("url", UNREADABLE)
def test_what_cannot_be_fetched_never_waits(hosts, url):
    hosts.begin(url)
    hosts.begin(url)
    assert hosts.wait(url) == 0
    hosts.end(url, retry_after=60)
    assert hosts.wait(url) == 0


def test_ports_that_only_a_policy_allows_are_spaced_too(hosts):
    hosts.begin("http://intranet:8080/a.png")
    assert hosts.wait("http://intranet:8080/b.png") == 0.5


def test_idle_hosts_are_forgotten(hosts, clock):
    for number in range(1000):
        url = f"https://h{number}.example/"
        hosts.begin(url)
        hosts.end(url)
        clock.now += 0.1
    assert len(hosts) <= 6


def test_busy_and_paused_hosts_are_not_forgotten(hosts, clock):
    hosts.begin(A)
    hosts.begin(A)
    hosts.begin(B)
    hosts.end(B, retry_after=3600)
    clock.now += 600
    hosts.begin("https://c.example/")
    assert hosts.wait(A) == math.inf
    assert hosts.wait(B) == 3000


def test_many_threads_lose_no_count():
    hosts = Hosts(at_once=1, spacing_seconds=0)

    def begin_and_end():
        for _ in range(500):
            hosts.begin(A)
            hosts.end(A)

    threads = [threading.Thread(target=begin_and_end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert hosts.wait(A) == 0
    hosts.begin(A)
    assert hosts.wait(A) == math.inf
