"""Loads that take longer than a request: they go on in a thread, and their folder tells how far they are."""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable
from typing import Final

from kg.errors import DiplographError

WAIT: Final = 3.0
"""Seconds that a request waits for its load before it answers that the load goes on."""

_log = logging.getLogger(__name__)


def run(work: Callable[[], object], *, wait: float = WAIT) -> bool:
    """Start some work and wait for it a while; tells whether it is done.

    Raises the error that ended it meanwhile; later ones are in the load's state.
    """
    failed: list[BaseException] = []
    waited = threading.Event()

    def carry_out() -> None:
        try:
            work()
        except BaseException as error:
            # What the frames hold of the engine belongs to this thread, and goes with it.
            traceback.clear_frames(error.__traceback__)
            failed.append(error)
            if waited.is_set() and not isinstance(error, DiplographError):
                _log.error("a load failed", exc_info=error)

    # A server that stops does not wait for it; the next opening of the folder settles what it left.
    thread = threading.Thread(target=carry_out, name="load", daemon=True)
    thread.start()
    thread.join(wait)
    done = not thread.is_alive()
    waited.set()
    if done and failed:
        raise failed.pop()
    return done
