"""Processes of our own, all started in one way.

They are forked, in some 5 ms each, from a server process that has imported the heavy libraries. Each ends
with the process that started it, however that one ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final, TypeVarTuple, Unpack

Arguments = TypeVarTuple("Arguments")

CONTEXT: Final = multiprocessing.get_context("forkserver")
_preloaded: list[str] = ["kg.store.isolated.worker"]


def preload(*modules: str) -> None:
    """Name further modules that the fork server imports; without effect once a process was started."""
    _preloaded.extend(modules)
    CONTEXT.set_forkserver_preload(_preloaded)


def start(
    target: Callable[[Unpack[Arguments]], None],
    *arguments: *Arguments,
    name: str,
    starts_others: bool = False,
) -> BaseProcess:
    """Start a process that calls a module-level function with picklable arguments.

    A process that starts processes itself (`starts_others`) must be ended by the caller; the others are also
    ended when the interpreter exits. Its environment is that of the first start, so settings are arguments.
    """
    process = CONTEXT.Process(
        target=_run, args=(target, *arguments), name=f"dg-{name}", daemon=not starts_others
    )
    process.start()
    return process


def process_pool(
    workers: int, prepare: Callable[[Unpack[Arguments]], object], *arguments: *Arguments
) -> ProcessPoolExecutor:
    """Build a pool of processes that each call `prepare` first; a killed one raises BrokenProcessPool."""
    return ProcessPoolExecutor(workers, CONTEXT, _run, (prepare, *arguments))


def _run(target: Callable[..., object], *arguments: object) -> None:
    # Shown by ps and top; only Linux has this file.
    with suppress(OSError):
        Path("/proc/self/comm").write_text(multiprocessing.current_process().name, encoding="utf-8")
    _end_with_parent()
    target(*arguments)


def _end_with_parent() -> None:
    # Ctrl+C reaches every process of a terminal; only the one that was started by hand decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_await_end, args=(parent.sentinel,), name="parent", daemon=True).start()


def _await_end(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


CONTEXT.set_forkserver_preload(_preloaded)
