"""Loads that take longer than a request: they go on in a thread, and their folder holds their progress."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Final

from kg.errors import DiplographError

WAIT: Final = 3.0
"""Seconds that a request waits for its load; then it answers 202."""

_log = logging.getLogger(__name__)


def run(work: Callable[[], object], *, wait: float = WAIT) -> bool:
    """Start some work, wait for it up to `wait` seconds and return whether it is done.

    Raises the error that ended it in this time; later ones are in the load's state.
    """
    failed: list[BaseException] = []
    waited = threading.Event()

    def carry_out() -> None:
        try:
            work()
        except BaseException as error:
            # Objects of the engine in these frames must be freed by the thread that made them.
            traceback.clear_frames(error.__traceback__)
            failed.append(error)
            if waited.is_set() and not isinstance(error, DiplographError):
                _log.error("a load failed", exc_info=error)

    # A server that stops does not wait for it; recovery settles it when the folder is opened again.
    thread = threading.Thread(target=carry_out, name="load", daemon=True)
    thread.start()
    thread.join(wait)
    done = not thread.is_alive()
    waited.set()
    if done and failed:
        raise failed.pop()
    return done
