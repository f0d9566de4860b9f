"""A store's files copied while another process writes them, without a pause for the disk.

RocksDB may be killed at any moment and finds every commit again from three kinds of files: tables, which
never change; journals, which only grow until what they hold is in tables; and a manifest, which names the
tables and only grows. Taken at one moment these are what a crash would leave, so that a copy opens as the
store would after one: a record cut off at the end of the last journal is not read, as its commit was under
way; a table that is being written is in no manifest yet. The moment is kept by looking again: as long as the
manifest has not changed, nothing that it names has gone, and no journal was done with that it needs. The
engine writes over journals that are done with; each record tells which journal it is of, so that a reader
stops where an older one's begin.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Final

# Whoever opens a copy reads its journals anew, at some 15 ms a MiB; beyond this the engine's own checkpoint,
# which puts them into tables first, is worth the wait for the disk.
_JOURNALS: Final = 512 * 1024
_ATTEMPTS: Final = 3
_TABLE: Final = ".sst"
_JOURNAL: Final = ".log"


class LiveStore:
    """The folder of a store that another process writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._oldest: int | None = None

    def copy(self, target: Path) -> bool:
        """Fill a new folder with every commit so far; says no where a checkpoint is the better way.

        A commit that is under way is in it whole or not at all. Nothing is left when it says no.
        """
        for _ in range(_ATTEMPTS if self._oldest is not None else 0):
            try:
                journals = self._journals()
                if sum((self._folder / name).stat().st_size for name in journals) > _JOURNALS:
                    break
                if self._copy(target):
                    return True
            except OSError:
                # A file that went, or a disk that is full or another: the engine's own way works, or tells.
                pass
            shutil.rmtree(target, ignore_errors=True)
        return False

    def learn(self, checkpoint: Path) -> None:
        """See from a checkpoint of the engine's which journals are done with: those that it left out."""
        with contextlib.suppress(OSError):
            journals = [_number(name) for name in _names(checkpoint) if _is_journal(name)]
            self._oldest = min(journals, default=None)

    def _journals(self) -> list[str]:
        oldest = self._oldest or 0
        names = (name for name in _names(self._folder) if _is_journal(name))
        return sorted((name for name in names if _number(name) >= oldest), key=_number)

    def _copy(self, target: Path) -> bool:
        named = (self._folder / "CURRENT").read_bytes()
        manifest = self._folder / named.decode().strip()
        before = manifest.stat().st_size
        # Listed first and copied in their order, so that none is there without the whole of the one before.
        journals = self._journals()
        target.mkdir()
        for name in _names(self._folder):
            if name.endswith(_TABLE):
                _link(self._folder / name, target / name)
        for name in journals:
            shutil.copyfile(self._folder / name, target / name)
        content = manifest.read_bytes()
        (target / manifest.name).write_bytes(content)
        (target / "CURRENT").write_bytes(named)
        return len(content) == before and (self._folder / "CURRENT").read_bytes() == named


def _names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def _link(source: Path, target: Path) -> None:
    # One that went was in use no longer, or the manifest has changed, which is seen.
    with contextlib.suppress(FileNotFoundError):
        os.link(source, target)


def _is_journal(name: str) -> bool:
    return name.endswith(_JOURNAL) and name.removesuffix(_JOURNAL).isdecimal()


def _number(name: str) -> int:
    return int(name.removesuffix(_JOURNAL))
