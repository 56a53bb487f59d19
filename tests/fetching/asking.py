"""Short ways to ask a host that plays a part."""

import pytest

from fetching.client import fetch
from fetching.errors import FetchError
from fetching.policy import Policy
from fetching.streams import Limits

NORMAL = Limits()
SHORT = Limits(total_seconds=0.3)
PATIENCE = 5  # seconds: far beyond the deadline, far below a single read's own limit
SMALL = Limits(max_bytes=1000)


def get(url, *, allow=(), ports=(80, 443), limits=NORMAL, **options):
    policy = Policy(frozenset(allow), frozenset(ports))
    return fetch(url, policy=policy, user_agent="Tests (+http://t)", limits=limits, **options)


def refused(url, **options):
    with pytest.raises(FetchError) as caught:
        get(url, **options)
    return caught.value


def resolving_to(*addresses):
    return lambda host, port: list(addresses)
