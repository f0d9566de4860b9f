"""Work in a thread: what ended it is told, and nothing of the thread's own is handed on with it."""

from __future__ import annotations

import gc
import threading
import weakref

import pytest

from api.loading import load_jobs as jobs
from kg.errors import ConflictError


class Held:
    """Stands for a result of the engine, which only its own thread may let go."""


def test_the_error_that_ended_it_is_raised_without_what_its_frames_held() -> None:
    held: list[weakref.ref[Held]] = []

    def work() -> None:
        result = Held()
        held.append(weakref.ref(result))
        raise ConflictError("somebody was faster")

    gc.disable()
    try:
        with pytest.raises(ConflictError, match="faster"):
            jobs.run(work, wait=60)
        assert held[0]() is None
    finally:
        gc.enable()


def test_work_that_takes_longer_goes_on() -> None:
    go, done = threading.Event(), threading.Event()

    def work() -> None:
        go.wait(60)
        done.set()

    assert not jobs.run(work, wait=0.01)
    go.set()
    assert done.wait(60)
