"""The space that stays free on a disk, so that what is stored can always be opened and read."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from kg.errors import DiskFullError

RESERVE: Final = 32 * 1024**2
"""Bytes: the engine needs some to open its files again, and a snapshot to be made."""


def require_space(folder: Path) -> None:
    """Raise DiskFullError if the disk of a folder has less than the reserve left."""
    free = shutil.disk_usage(folder).free
    if free < RESERVE:
        raise DiskFullError(
            f"the disk has {free / 2**20:.0f} MiB left; the last {RESERVE >> 20} MiB are kept for reading",
            where=str(folder),
            mend="Free space on it; the server needs no restart.",
        )
