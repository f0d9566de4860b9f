"""Loads in processes of their own, at low priority, so that requests do not wait for them."""

from __future__ import annotations

import logging
import os
from concurrent.futures.process import BrokenProcessPool
from typing import Final

from api.folder.data_folder import LOADS, followers, open_behind, open_index
from api.loading.load_jobs import Job, carry_out
from kg.errors import DiplographError, StoreFailedError
from kg.load import Loads
from kg.processes import process_pool
from kg.settings import Settings
from kg.store.isolated.writer_server import WriterAddress

_NICENESS: Final = 10

_log = logging.getLogger(__name__)


def load_apart(settings: Settings, address: WriterAddress | None, job: Job) -> None:
    """Carry out a job in a process of its own.

    Raises what `load_jobs.carry_out` raises, and StoreFailedError when the process ends early.
    """
    with process_pool(1, os.nice, _NICENESS) as pool:
        try:
            pool.submit(_carry_out, settings, address, job).result()
        except BrokenProcessPool:
            raise StoreFailedError(
                f"the process that worked on load {job.load} ended unexpectedly",
                mend="Its page shows whether it was stored; if not, load it again.",
            ) from None


def _carry_out(settings: Settings, address: WriterAddress | None, job: Job) -> None:
    try:
        store = open_behind(settings, address)
        try:
            index = open_index(settings, store)
            carry_out(store, Loads(settings.data / LOADS, followers(settings, index)), job)
        finally:
            store.close()
    except DiplographError:
        raise
    except Exception:
        _log.exception("load %s failed", job.load)
        raise StoreFailedError("it failed for an unexpected reason", mend="See the server's log.") from None
