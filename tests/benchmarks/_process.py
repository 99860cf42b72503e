"""Functions run in a process of their own, which has imported nothing that others left behind."""

import importlib
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

import attrs

from tests.benchmarks._measure import Row
from tests.benchmarks._server import Server

P = ParamSpec("P")
T = TypeVar("T")


def run_fresh(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a function of a module in a fresh process and give what it returns."""
    # Not a fork, and from a small parent: a process' peak memory begins with its parent's.
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def measure(name: str, server: Server) -> list[Row]:
    """Measure what the module of that name measures."""
    rows: list[Row] = importlib.import_module(f"tests.benchmarks.{name}").measure(server)
    return rows


@attrs.frozen
class Used:
    """What a call took: seconds by the clock on the wall and of CPU time, and the process' growth in MB."""

    seconds: float
    cpu: float
    megabytes: float


def used(call: Callable[[], object]) -> Used:
    """Measure one call in this process."""
    before, started, cpu = peak(), time.perf_counter(), time.process_time()
    call()
    return Used(time.perf_counter() - started, time.process_time() - cpu, peak() - before)


def peak() -> float:
    """Give the largest size of this process so far, in MB."""
    in_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return in_bytes / 1e6
