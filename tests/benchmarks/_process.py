"""Functions run in a process of their own, which has imported nothing that others left behind."""

import importlib
import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import ParamSpec, TypeVar

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
