"""How the benchmarks measure and print."""

import time
from collections.abc import Callable


def timed(
    name: str, count: int, unit: str, run: Callable[[], object], note: Callable[[float], str] = lambda _: ""
) -> float:
    """Run once, print the rate and what `note` says of the seconds, and return those."""
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(f"{name:36} {count / seconds:9,.1f} {unit}/s{note(seconds)}", flush=True)
    return seconds
