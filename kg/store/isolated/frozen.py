"""A store's folder that is only read: nothing is written to it, and it may be on a read-only disk."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from kg.errors import NotAStoreError, ReadOnlyError
from kg.store.interface import never
from kg.store.isolated.messages import RunRequest
from kg.store.isolated.snapshots import make_current
from kg.store.isolated.writer import Writing


class FrozenFolder(Writing):
    """Stands for the writer of a folder that no process changes; `snapshots` leads its readers to it.

    Raises NotAStoreError for a folder without a store.
    """

    def __init__(self, folder: Path) -> None:
        if not (folder / "CURRENT").exists():
            raise NotAStoreError(
                "the folder has no store",
                where=str(folder),
                mend="Name the data folder with --data, or start once without --read-only.",
            )
        self.snapshots = Path(tempfile.mkdtemp(prefix="diplograph-"))
        make_current(self.snapshots, str(folder.resolve()))

    def write(
        self, change: RunRequest, budget: float | None = None, stop: Callable[[], bool] = never
    ) -> None:
        """Raise ReadOnlyError."""
        raise _read_only()

    def settle(self) -> None:
        """Do nothing: nothing changes."""

    def check(self) -> None:
        """Do nothing: no change is wanted."""

    def backup(self, path: Path) -> None:
        """Raise ReadOnlyError."""
        raise _read_only()

    def close(self) -> None:
        """Remove the link to the folder."""
        shutil.rmtree(self.snapshots, ignore_errors=True)


def _read_only() -> ReadOnlyError:
    return ReadOnlyError(
        "this store is opened for reading only", mend="Open it without --read-only, where it may be written."
    )
