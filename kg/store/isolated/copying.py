"""A store's files copied to another folder: a snapshot for a backup, a backup for a store."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

# RocksDB never changes these; the rest it does, so that a link would tie two stores together.
_UNCHANGING = ".sst"


def copy_store(source: Path, target: Path) -> None:
    """Copy the files of a store that nobody writes, through to the disk; `target` must not exist.

    Files that never change become hard links on the same disk. Raises OSError; nothing is left then.
    """
    unfinished = target.with_name(target.name + ".part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        for path in source.iterdir():
            if path.name in ("LOCK", "LOG") or path.name.startswith("LOG.old"):
                continue
            _copy(path, unfinished / path.name)
        unfinished.rename(target)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _copy(path: Path, target: Path) -> None:
    if path.suffix == _UNCHANGING:
        try:
            target.hardlink_to(path)
            return
        except OSError:
            pass
    shutil.copyfile(path, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())
