"""Who gets which reader, and that nobody who asks opens one."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest

from kg.errors import StoreFailedError
from kg.store.isolated.idle import IdleReaders
from kg.store.isolated.processes import EngineProcess

PATIENCE = 30.0


@dataclass(eq=False)
class Reader:
    """As much of a reader as matters here."""

    version: int
    lives: bool = True

    @property
    def snapshot(self) -> Path | None:
        return None if self.version < 0 else Path(str(self.version))


def make(*versions: int) -> tuple[IdleReaders, list[EngineProcess]]:
    idle = IdleReaders()
    readers = [cast(EngineProcess, Reader(version)) for version in versions]
    for reader in readers:
        idle.put(reader)
    return idle, readers


def never(reader: EngineProcess | None) -> bool:
    raise AssertionError("an opening was started")


def test_one_that_sees_the_version_is_lent_at_once_the_last_used_first() -> None:
    idle, readers = make(3, 4, 4, -1)
    assert idle.get(4, 0, 0, never) is readers[2]
    assert idle.get(4, 0, 0, never) is readers[1]
    assert idle.fresh(4) is None
    assert idle.fresh(3) is readers[0]


def test_the_oldest_is_opened_by_another_thread_one_at_a_time_and_lent_then() -> None:
    idle, readers = make(2, 1)
    started: list[EngineProcess | None] = []

    def start(reader: EngineProcess | None) -> bool:
        started.append(reader)

        def open_it() -> None:
            time.sleep(0.05)
            cast(Reader, reader).version = 5
            idle.put(cast(EngineProcess, reader))
            idle.opened()

        threading.Thread(target=open_it).start()
        return True

    got: list[EngineProcess | None] = []

    def ask() -> None:
        reader = idle.get(5, PATIENCE, 0, start)
        got.append(reader)
        time.sleep(0.1)
        idle.put(cast(EngineProcess, reader))

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert started[0] is readers[1]
    assert got[0] is readers[1]
    assert len(got) == 2


def test_what_comes_back_soon_spares_an_opening() -> None:
    idle, (stale, fresh) = make(1, 5)
    assert idle.fresh(5) is fresh
    threading.Timer(0.05, idle.put, (fresh,)).start()
    assert idle.get(5, PATIENCE, PATIENCE, never) is fresh
    assert idle.take_oldest(0) is stale


def test_whoever_waited_is_told_why_none_could_be_opened_and_the_next_tries_again() -> None:
    idle, (stale,) = make(1)

    def fail(reader: EngineProcess | None) -> bool:
        def tell() -> None:
            assert reader is stale
            idle.put(reader)
            idle.opened(StoreFailedError("the disk is full"))

        threading.Thread(target=tell).start()
        return True

    for _ in range(2):
        with pytest.raises(StoreFailedError, match="full"):
            idle.get(2, PATIENCE, 0, fail)


def test_where_all_are_at_work_patience_ends() -> None:
    idle, _ = make()
    asked: list[EngineProcess | None] = []
    assert idle.get(1, 0.05, 0, lambda reader: bool(asked.append(reader))) is None
    assert set(asked) == {None}


def test_a_spare_one_is_taken_before_those_who_ask() -> None:
    idle, (reader,) = make(5)
    assert idle.take_oldest(1) is None
    assert idle.take_oldest(0) is reader
    threading.Timer(0.05, idle.put, (reader,)).start()
    taken: list[EngineProcess | None] = []
    waiting = threading.Thread(target=lambda: taken.append(idle.take_next(PATIENCE)))
    waiting.start()
    assert idle.get(5, 0.3, PATIENCE, never) is None
    waiting.join(PATIENCE)
    assert taken == [reader]
    assert idle.take_next(0.01) is None
    idle.put(reader)
    assert idle.fresh(5) is reader


def test_the_dead_are_taken_out() -> None:
    idle, (living, dead) = make(1, 1)
    cast(Reader, dead).lives = False
    assert idle.take_dead() == [dead]
    assert len(idle) == 1
    assert idle.fresh(1) is living
