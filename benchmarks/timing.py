"""How the benchmarks measure and print."""

from __future__ import annotations

import multiprocessing
import resource
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple


def timed(
    name: str, count: int, unit: str, run: Callable[[], object], note: Callable[[float], str] = lambda _: ""
) -> float:
    """Run once, print the rate and what `note` says of the seconds, and return those."""
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(f"{name:36} {count / seconds:9,.1f} {unit}/s{note(seconds)}", flush=True)
    return seconds


class Measured(NamedTuple):
    """One run in a process of its own. `start`: how long that took to be ready, which is not part of `seconds`."""

    start: float
    seconds: float
    own_peak: int  # bytes of memory
    workers_peak: int  # the same of the largest process that it started; 0 when it started none


def measured(prepare: Callable[[], object], run: Callable[[], object]) -> Measured:
    """Run both in a new process, so that the peak of memory is that of this run; only `run` is timed."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("spawn").Process(target=_measure, args=[prepare, run, theirs, time.time()])
    process.start()
    theirs.close()
    try:
        found: Measured = ours.recv()
    except EOFError:
        raise SystemExit("The benchmark failed.") from None
    finally:
        process.join()
    return found


def _measure(prepare: Callable[[], object], run: Callable[[], object], results: Connection, began: float) -> None:
    prepare()
    ready = time.time()
    start = time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    peaks = [resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    results.send(Measured(ready - began, seconds, *peaks))
