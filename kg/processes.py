"""Processes of our own, all started in one way.

They are forked, in some 5 ms each, from a server process that has imported the heavy libraries. Each ends
with the process that started it, however that one ends.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.connection import Connection
from multiprocessing.forkserver import ensure_running
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVarTuple, Unpack

from kg.errors import StoreFailedError

Arguments = TypeVarTuple("Arguments")
P = ParamSpec("P")

CONTEXT: Final = multiprocessing.get_context("forkserver")
# The exit status of a process that outlived the fork server, as far as the standard library can tell.
_UNKNOWN: Final = 255
# How often a start is tried again when the fork server ended meanwhile.
_ATTEMPTS: Final = 20
_PRELOADED: Final = ("kg.store.isolated.worker",)
# A start collects the exit statuses of all ended processes, and each status can be read once.
_starting_or_ending: Final = threading.Lock()
# An interpreter that exits joins its processes, and cannot join one that a thread closes meanwhile.
_exiting: Final = threading.Event()


def preload(*modules: str) -> None:
    """Start the fork server, which imports these modules too while the caller goes on.

    Call it before the first process is started; later calls have no effect.
    """
    CONTEXT.set_forkserver_preload([*_PRELOADED, *modules])
    ensure_running()


def start(
    target: Callable[[Unpack[Arguments]], None],
    *arguments: *Arguments,
    name: str,
    starts_others: bool = False,
) -> BaseProcess:
    """Start a process that calls a module-level function with picklable arguments.

    A process that starts processes itself (`starts_others`) must be ended by the caller; the others are also
    ended when the interpreter exits. Its environment is that of the first start, so settings are arguments.
    Raises StoreFailedError when the system has no room for it.
    """
    process = CONTEXT.Process(
        target=_run, args=(target, *arguments), name=f"dg-{name}", daemon=not starts_others
    )
    for attempt in range(_ATTEMPTS, -1, -1):
        try:
            with _starting_or_ending:
                process.start()
            break
        except (ConnectionError, EOFError) as error:
            # A fork server that was killed is replaced only once the system counts it as ended.
            if not attempt:
                raise _cannot_start(error) from None
            time.sleep(0.05)
        except OSError as error:
            raise _cannot_start(error) from None
    return process


def start_connected(
    target: Callable[Concatenate[Connection, P], None], *args: P.args, **kwargs: P.kwargs
) -> tuple[BaseProcess, Connection]:
    """Start a process that calls `target` with a connection first; return also the connection's other end.

    Either end reads EOFError once the other is closed or its process has ended. Raises StoreFailedError.
    """
    try:
        ours, theirs = CONTEXT.Pipe()
    except OSError as error:
        raise _cannot_start(error) from None
    with theirs:
        return start(target, theirs, *args, name=target.__name__.removeprefix("run_"), **kwargs), ours  # type: ignore[arg-type]


def interrupt(process: BaseProcess) -> None:
    """Kill a process at once, unless `end` was called for it; callable from any thread."""
    with _starting_or_ending, suppress(ValueError):
        process.kill()


def end(process: BaseProcess, grace: float = 0) -> int:
    """Kill a process if it still runs after `grace` seconds, and return its exit status; call it once."""
    pid = process.pid or 0
    if not connection.wait([process.sentinel], grace):
        process.kill()
        connection.wait([process.sentinel])
    with _starting_or_ending:
        process.join()
        status = process.exitcode or 0
        if not _exiting.is_set():
            process.close()
    if status == _UNKNOWN:
        # The fork server was killed, and with it what is known of its children.
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return status


def process_pool(
    workers: int, prepare: Callable[[Unpack[Arguments]], object], *arguments: *Arguments
) -> ProcessPoolExecutor:
    """Build a pool of processes that each call `prepare` first; a killed one raises BrokenProcessPool."""
    return ProcessPoolExecutor(workers, CONTEXT, _run, (prepare, *arguments))


def _close_no_more() -> None:
    with _starting_or_ending:
        _exiting.set()


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


def _cannot_start(error: Exception) -> StoreFailedError:
    return StoreFailedError(
        f"a process cannot be started: {error or type(error).__name__}",
        mend="Close other programs, or raise the limits on open files and processes (ulimit -n, -u).",
    )


CONTEXT.set_forkserver_preload(list(_PRELOADED))
# Handlers run in the reverse order of their registration: this one before that of multiprocessing.
atexit.register(_close_no_more)
