"""Stale entailments: marked by every writer that does not update them, rebuilt by one process at a time.

The mark is a file in the data folder: every process sees it, and it survives a crash.
"""

from __future__ import annotations

import fcntl
import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from kg.errors import DiplographError
from kg.reasoning.entailments import Entailments
from kg.store import Store

_MARK: Final = "entailments.stale"
_LOCK: Final = "entailments.lock"
NAMES: Final = (_MARK, _LOCK)
"""The files that are kept in the data folder."""
# Triples that are reasoned over in a few seconds.
SMALL: Final = 300_000

_log = logging.getLogger(__name__)


class StaleEntailments:
    """Marks entailments as older than the data, and rebuilds them.

    `folder` is the data folder. Entailments of a graph of at most `small` triples are rebuilt in the
    background `quiet` seconds after the last change; those of a larger graph only on demand.
    """

    def __init__(self, folder: Path, *, quiet: float = 2.0, small: int = SMALL) -> None:
        self._mark = folder / _MARK
        self._lock = folder / _LOCK
        self._quiet = quiet
        self._small = small
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None

    def stale(self) -> bool:
        """Return whether the data are newer than the entailments."""
        return self._mark.exists()

    @contextmanager
    def writing(self, store: Store) -> Iterator[None]:
        """Mark a change that does not update the entailments, and rebuild them afterwards if it is cheap.

        The mark is set before the change, so that a crash leaves it, and again after it, so that a rebuild
        in the meantime does not remove it.
        """
        before, mine = self._read(), secrets.token_hex(8)
        self._write(mine)
        try:
            yield
        except BaseException:
            # Nothing was changed: the earlier mark holds, unless another writer has set its own since.
            if self._read() == mine:
                self._write(before)
            raise
        self._write(secrets.token_hex(8))
        self.start(store)

    def start(self, store: Store) -> None:
        """Schedule a rebuild of stale entailments after a quiet moment, if the graph is small."""
        if not self.stale():
            return
        with self._guard:
            if self._timer:
                self._timer.cancel()
            self._timer = threading.Timer(self._quiet, self._work, (store,))
            self._timer.daemon = True
            self._timer.start()

    def rebuild(self, store: Store) -> int:
        """Rebuild the entailments under the lock and return their number. Raises StoreFailedError."""
        with self.alone():
            mark = self._read()
            number = Entailments().rebuild(store)
            # The entailments may lack a change that was made during the rebuild.
            if self._read() == mark:
                self._write("")
            return number

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the entailments against all other processes and threads."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Cancel the scheduled rebuild."""
        with self._guard:
            if self._timer:
                self._timer.cancel()

    def _work(self, store: Store) -> None:
        try:
            if self.stale() and self.is_small(store):
                self.rebuild(store)
                # Another change may have been made during the rebuild.
                self.start(store)
        except (DiplographError, OSError) as error:
            _log.warning("the entailments stay older than the data: %s", error)

    def is_small(self, store: Store) -> bool:
        """Return whether a rebuild takes a few seconds at most."""
        rows = store.query(f"SELECT ?s {{ ?s ?p ?o }} OFFSET {self._small} LIMIT 1").rows()
        return next(iter(rows), None) is None

    def _read(self) -> str:
        try:
            return self._mark.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def _write(self, mark: str) -> None:
        if mark:
            self._mark.write_text(mark, encoding="ascii")
        else:
            self._mark.unlink(missing_ok=True)
