"""The folder in which the fronts share their figures of operation, while the server runs."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from api.folder.data_folder import FIGURES
from kg.load import locked

# Writing to a mapped file on a disk can wait a second for the disk.
_IN_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the names below are checked for their owner
_LOCK: Final = "lock"


def figures_folder(data: Path) -> Path:
    """Return the folder for a data folder: in memory where the system has a place for it."""
    digest = hashlib.sha256(os.fsencode(data.absolute())).hexdigest()[:16]
    folder = _IN_MEMORY / f"{_ours()}{digest}"
    usable = os.access(_IN_MEMORY, os.W_OK) and (not os.path.lexists(folder) or _is_own(folder))
    return folder if usable else data / FIGURES


@contextmanager
def emptied(folder: Path) -> Iterator[None]:
    """Yield with the folder empty; it is removed afterwards."""
    _sweep()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        with locked(folder / _LOCK):
            yield
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep() -> None:
    """Remove the folders of servers that were killed: their locks are free."""
    for left in _IN_MEMORY.glob(f"{_ours()}*"):
        with suppress(OSError):
            # A folder without a lock is being made.
            if _is_own(left) and (left / _LOCK).exists():
                with locked(left / _LOCK) as got:
                    if got:
                        shutil.rmtree(left, ignore_errors=True)


def _ours() -> str:
    return f"diplograph-{os.getuid()}-"


def _is_own(folder: Path) -> bool:
    return not folder.is_symlink() and folder.stat().st_uid == os.getuid()
