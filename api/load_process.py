"""A process that carries out loads for a front, so that those who ask are not kept waiting by them.

Run as `python -m api.load_process FD`: a socket to the front, which tells what to open, and then one job
after the other. It ends with the front.
"""

from __future__ import annotations

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, cast

from api.data_folder import LOADS, followers, open_behind, open_index
from api.load_jobs import Job, carry_out
from kg.errors import DiplographError, StoreFailedError
from kg.load import Loads
from kg.settings import settings_from
from kg.store.channel import Channel, ChannelClosedError, end_with_other_side

_KEPT: Final = 60.0
_NICENESS: Final = 10

_log = logging.getLogger(__name__)


class LoadProcess:
    """One process as its front sees it; `told` is what the front was told itself."""

    def __init__(self, told: dict[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        keeper = told["keeper"]
        shared = [] if keeper is None else [int(keeper["descriptor"])]
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "api.load_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno(), *shared],
                stdin=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],
            )
        self._channel = Channel(ours)
        with suppress(ChannelClosedError):  # Who sends a job is told.
            self._channel.send_message(told)

    def carry_out(self, job: Job) -> None:
        """Have a job done. Raises what `load_jobs.carry_out` raises, ChannelClosedError."""
        self._channel.send_message(cast(dict[str, Any], job))
        self._channel.receive_message()

    def end(self) -> None:
        """End it."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


class LoadProcesses:
    """A process for each load that is under way. One is kept for the next, a minute long."""

    def __init__(self, told: dict[str, Any]) -> None:
        self._told = told
        self._lock = threading.Lock()
        self._at_work: set[LoadProcess] = set()
        self._kept: LoadProcess | None = None
        self._uses = 0

    def expect(self) -> None:
        """Start a process for a job that is about to come, unless one is at hand."""
        with self._lock:
            if self._kept is None:
                self._keep(LoadProcess(self._told))

    def carry_out(self, job: Job) -> None:
        """Have a job done; see `load_jobs.carry_out`."""
        process = self._take()
        fit = False
        try:
            process.carry_out(job)
            fit = True
        except ChannelClosedError:
            raise StoreFailedError(
                f"the process that worked on load {job['load']} ended unexpectedly",
                mend="Look at its page to see what became of it.",
            ) from None
        except DiplographError:
            fit = True
            raise
        finally:
            self._give_back(process, fit=fit)

    def close(self) -> None:
        """End them, also those at work: what they leave is settled when the folder is opened again."""
        with self._lock:
            ending, self._kept = [*self._at_work, *([self._kept] if self._kept else [])], None
        for process in ending:
            process.end()

    def _take(self) -> LoadProcess:
        with self._lock:
            process, self._kept = self._kept or LoadProcess(self._told), None
            self._at_work.add(process)
            self._uses += 1
        return process

    def _give_back(self, process: LoadProcess, *, fit: bool) -> None:
        with self._lock:
            self._at_work.discard(process)
            keep = fit and self._kept is None
            if keep:
                self._keep(process)
        if not keep:
            process.end()

    def _keep(self, process: LoadProcess) -> None:
        """Have a process at hand for a while; `_lock` is held."""
        self._kept = process
        timer = threading.Timer(_KEPT, self._drop, (self._uses,))
        timer.daemon = True
        timer.start()

    def _drop(self, uses: int) -> None:
        """End the one that is kept, unless one was in use meanwhile."""
        with self._lock:
            if self._uses != uses:
                return
            process, self._kept = self._kept, None
        if process is not None:
            process.end()


def main(arguments: list[str]) -> None:
    """Carry out jobs until the front is gone."""
    # Ctrl-C reaches every process of a terminal; only the one that was started by hand decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Those who ask the graph meanwhile come first.
    os.nice(_NICENESS)
    sock = socket.socket(fileno=int(arguments[0]))
    threading.Thread(target=end_with_other_side, args=(sock,), daemon=True).start()
    channel = Channel(sock)
    try:
        told = channel.receive_message()
        settings = settings_from(told["settings"])
        store = open_behind(settings, told["keeper"], f"load {os.getpid()}")
        known = followers(settings, open_index(settings, store))
        while True:
            job = cast(Job, channel.receive_message())
            try:
                carry_out(store, Loads(settings.data / LOADS), known, job)
            except DiplographError as error:
                channel.send_error(error)
            except Exception:
                _log.exception("load %s broke off", job["load"])
                channel.send_error(
                    StoreFailedError("it met an unforeseen fault", mend="See the server's log.")
                )
            else:
                channel.send_message({})
    except ChannelClosedError:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])
