"""Locks on files, which end with the process that holds them, a queue for one, and folders on the disk."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_WAIT: Final = 0.1
# A process that only looks whether a file is locked holds a shared lock for an instant.
_TRIES: Final = 5
_INSTANT: Final = 0.01


@contextmanager
def locked(path: Path, *, waiting: Callable[[], None] | None = None) -> Iterator[bool]:
    """Lock a file and yield whether that succeeded; the lock ends with the process.

    With `waiting`, which is called meanwhile, it waits until the lock is free.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        got, tries = False, 0
        while not got:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                got = True
            except BlockingIOError:
                tries += 1
                if waiting is not None:
                    waiting()
                    time.sleep(_WAIT)
                elif tries == _TRIES:
                    break
                else:
                    time.sleep(_INSTANT)
        yield got
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Return whether a process has locked a file; False if there is no such file."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


@contextmanager
def in_turn(door: Path, waiting: Callable[[int], None]) -> Iterator[None]:
    """Hold the first place of a queue; `waiting` is called meanwhile with the number of places ahead.

    The order is that of arrival. A place is a locked file beside the file `door`, so that the place of a
    process that ends is free.
    """
    with locked(door, waiting=lambda: None):
        place = max(_places(door), default=0) + 1
        mine = _place(door, place)
        held = os.open(mine, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(held, fcntl.LOCK_EX)
    try:
        while ahead := [other for other in _places(door) if other < place]:
            taken = [other for other in ahead if is_locked(_place(door, other))]
            for other in set(ahead).difference(taken):
                _place(door, other).unlink(missing_ok=True)
            if taken:
                waiting(len(taken))
                time.sleep(_WAIT)
        yield
    finally:
        mine.unlink(missing_ok=True)
        os.close(held)


def _places(door: Path) -> list[int]:
    return [int(path.suffix[1:]) for path in door.parent.glob(f"{door.name}.*")]


def _place(door: Path, number: int) -> Path:
    return door.with_name(f"{door.name}.{number}")


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
