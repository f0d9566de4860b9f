"""Snapshots that are opened before they are shown: who gets one, who waits for whom, and for how long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue

import pytest

from kg.errors import StoreFailedError
from kg.store.isolated.upcoming import Upcoming

PATIENCE = 30.0
FIRST, SECOND = Path("1"), Path("2")


def start(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def waiting(upcoming: Upcoming, number: int) -> None:
    """Wait until so many wait for a snapshot."""
    for _ in range(int(PATIENCE * 100)):
        if len(upcoming._waiting) == number:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{len(upcoming._waiting)} wait")


def test_all_who_wait_have_it_before_it_is_shown_and_go_on_when_it_is() -> None:
    upcoming = Upcoming()
    told: SimpleQueue[str] = SimpleQueue()
    taken: list[int] = []

    def open_it() -> None:
        path = upcoming.next(PATIENCE)
        assert path == FIRST
        told.put("opened")
        upcoming.opened(path)
        told.put("goes on")

    threads = [start(open_it) for _ in range(2)]
    waiting(upcoming, 2)
    upcoming.hand_out(FIRST, lambda: taken.append(1), PATIENCE)
    assert [told.get(timeout=PATIENCE) for _ in range(2)] == ["opened"] * 2
    assert len(taken) == 2
    assert told.empty()
    upcoming.shown(FIRST)
    for thread in threads:
        thread.join(PATIENCE)
    assert [told.get(timeout=PATIENCE) for _ in range(2)] == ["goes on"] * 2


def test_nobody_is_waited_for_who_does_not_wait() -> None:
    upcoming = Upcoming()
    taken: list[int] = []
    upcoming.hand_out(FIRST, lambda: taken.append(1), PATIENCE)
    upcoming.shown(FIRST)
    assert not taken
    assert upcoming.next(0) is None


def test_who_takes_too_long_is_not_waited_for_and_may_be_late() -> None:
    upcoming = Upcoming()
    got: SimpleQueue[Path | None] = SimpleQueue()
    start(lambda: got.put(upcoming.next(PATIENCE)))
    waiting(upcoming, 1)
    upcoming.hand_out(FIRST, lambda: None, 0.05)
    upcoming.shown(FIRST)
    assert got.get(timeout=PATIENCE) == FIRST
    # It is another's turn by now, and nothing is held up by the one that is late.
    upcoming.hand_out(SECOND, lambda: None, PATIENCE)
    upcoming.opened(FIRST)
    upcoming.shown(SECOND)


def test_closing_ends_all_waiting() -> None:
    upcoming = Upcoming()
    ended: SimpleQueue[str] = SimpleQueue()

    def wait() -> None:
        try:
            path = upcoming.next(PATIENCE)
        except StoreFailedError:
            ended.put("no snapshot")
        else:
            assert path is not None
            upcoming.opened(path)
            ended.put("not shown")

    start(wait)
    waiting(upcoming, 1)
    upcoming.hand_out(FIRST, lambda: None, 0.05)
    start(wait)
    waiting(upcoming, 1)
    upcoming.close()
    assert sorted(ended.get(timeout=PATIENCE) for _ in range(2)) == ["no snapshot", "not shown"]
    with pytest.raises(StoreFailedError):
        upcoming.next(0)
