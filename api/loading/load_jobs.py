"""Steps of loads as plain values, carried out in this process or in another one, and in threads.

A step that takes longer than a request goes on in its thread; the folder of its load holds its progress.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

from kg import load as loading
from kg.errors import DiplographError, UnknownNameError
from kg.load import Action, LoadFolder, LoadRequest, Loads
from kg.store import Store
from kg.store.free_space import require_space

WAIT: Final = 3.0
"""Seconds that a request waits for its load; then it answers 202."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """One step of a load: preview it by `reading`, store it without the IRIs in `skip`, or undo it."""

    do: Action
    load: str
    reading: LoadRequest | None = None
    skip: Sequence[str] = ()
    started_by: str = ""


def carry_out(store: Store, loads: Loads, job: Job) -> None:
    """Carry out a job. Raises what `prepare`, `store_load` and `undo_load` of `kg.load` raise."""
    folder = loads.open(job.load)
    if job.reading is not None:
        loading.prepare(store, folder, job.reading)
    elif job.do == "store":
        loading.store_load(store, loads, folder, skip=job.skip)
    else:
        loading.undo_load(store, loads, folder, started_by=job.started_by)


def open_for_undo(store: Store, loads: Loads, load_id: str) -> LoadFolder:
    """Open the folder of a load that is stored, or is being stored.

    Raises UnknownNameError, also if only the record of the load is there.
    """
    try:
        folder = loads.open(load_id)
        if loading.settle(store, loads, folder).step in ("waiting", "storing"):
            return folder
    except UnknownNameError:
        folder = None
    load = loading.read_load(store, load_id)
    if folder is None:
        raise UnknownNameError(
            f"the files for undoing load {load.id} are not in this data folder",
            mend="Load an earlier version of the source: it replaces the graph.",
        ) from None
    return folder


class Request:
    """A step of a load as the server carries it out; others see from the beginning that it was requested.

    Raises ConflictError if the same was requested already, DiskFullError.
    """

    def __init__(self, store: Store, loads: Loads, folder: LoadFolder, do: Action) -> None:
        self._store = store
        self._loads = loads
        self._folder = folder
        self._do = do
        require_space(folder.path)
        self._held = ExitStack()
        self._held.enter_context(folder.requested(do))
        self._before = folder.read().step

    def close(self) -> None:
        """Withdraw the request, unless `begin` was called."""
        self._held.close()

    def begin(self, work: Callable[[], object]) -> bool:
        """Start the work and wait for it for a short time; return whether it is done. See `run`."""
        held = self._held.pop_all()

        def carry_out() -> None:
            with held:
                if self._do == "undo":
                    held.enter_context(self._folder.after("store"))
                try:
                    work()
                except BaseException as error:
                    if not self._is_done_all_the_same(error):
                        raise

        return run(carry_out)

    def _is_done_all_the_same(self, error: BaseException) -> bool:
        """Record the error in the state of the load, unless the work was finished when its process ended."""
        folder, wanted = self._folder, {"store": "stored", "undo": "undone"}.get(self._do)
        if wanted is None or self._before == wanted:
            return False
        loading.settle(self._store, self._loads, folder)
        state = folder.read()
        if state.step == wanted and state.followed:
            return True
        if state.ended and (self._do == "store" or state.step == "stored"):
            folder.note(state, error)
        return False


def run(work: Callable[[], object], *, wait: float = WAIT) -> bool:
    """Start some work, wait for it up to `wait` seconds and return whether it is done.

    Raises the error that ended it in this time; later ones are in the load's state.
    """
    failed: list[BaseException] = []
    waited = threading.Event()

    def work_on() -> None:
        try:
            work()
        except BaseException as error:
            # Objects of the engine in these frames must be freed by the thread that made them.
            traceback.clear_frames(error.__traceback__)
            failed.append(error)
            if waited.is_set() and not isinstance(error, DiplographError):
                _log.error("a load failed", exc_info=error)

    # A server that stops does not wait for it; recovery settles it when the folder is opened again.
    thread = threading.Thread(target=work_on, name="load", daemon=True)
    thread.start()
    thread.join(wait)
    done = not thread.is_alive()
    waited.set()
    if done and failed:
        raise failed.pop()
    return done
