"""A process that carries out loads for a front, so that those who ask are not kept waiting by them.

Run as `python -m api.server.load_worker FD`: a socket to the front, which tells what to open, and then one
job after the other. It ends with the front.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
from contextlib import suppress
from typing import Any, Final, cast

from kg.store.isolated.channel import Channel, ChannelClosedError, end_with_other_side
from kg.store.isolated.processes import ModuleProcess

from api.server.data_folder import LOADS, followers, open_behind, open_index
from api.server.load_jobs import Job, carry_out
from kg.errors import DiplographError, StoreFailedError
from kg.load import Loads
from kg.settings import settings_from

_KEPT: Final = 60.0
_NICENESS: Final = 10

_log = logging.getLogger(__name__)


class LoadProcess(ModuleProcess):
    """One process as its front sees it; `told` is what the front was told itself."""

    def __init__(self, told: dict[str, Any]) -> None:
        keeper = told["keeper"]
        super().__init__(
            "api.server.load_worker", passed=[] if keeper is None else [int(keeper["descriptor"])]
        )
        with suppress(ChannelClosedError):  # Who sends a job is told.
            self.channel.send_message(told)

    def carry_out(self, job: Job) -> None:
        """Have a job done. Raises what `load_jobs.carry_out` raises, ChannelClosedError."""
        self.channel.send_message(cast(dict[str, Any], job))
        self.channel.receive_message()


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
            self._keep(self._at_hand())

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
            process.kill()

    def _take(self) -> LoadProcess:
        with self._lock:
            process = self._at_hand()
            self._at_work.add(process)
        return process

    def _at_hand(self) -> LoadProcess:
        """Take the one that is kept, or start one; `_lock` is held."""
        process, self._kept = self._kept, None
        self._uses += 1
        if process is not None and not process.lives:
            # Somebody ended it while it had nothing to do: no load is to pay for that.
            process.kill()
            process = None
        return process or LoadProcess(self._told)

    def _give_back(self, process: LoadProcess, *, fit: bool) -> None:
        with self._lock:
            self._at_work.discard(process)
            keep = fit and self._kept is None
            if keep:
                self._keep(process)
        if not keep:
            process.kill()

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
            process.kill()


def main(arguments: list[str]) -> None:
    """Carry out jobs until the front is gone."""
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
