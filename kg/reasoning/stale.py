"""Entailments that are older than the data: said by who writes past them, mended by one process at a time.

The word is a file in the data folder, so that every process sees it and a crash does not lose it.
"""

from __future__ import annotations

import fcntl
import logging
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from kg.errors import DiplographError
from kg.reasoning.entailments import Entailments
from kg.store import Store

_MARK: Final = "entailments.stale"
_LOCK: Final = "entailments.lock"
NAMES: Final = (_MARK, _LOCK)
"""The files that this keeps in a folder."""
# So many triples are reasoned over in a few seconds.
SMALL: Final = 300_000

_log = logging.getLogger(__name__)


class Pending:
    """Tells whether the entailments beside a store are older than its data, and brings them in step.

    `folder` is the data folder. `quiet` are the seconds without a further change before the entailments of a
    graph of at most `small` triples are built anew in the background; of a larger one a person decides.
    """

    def __init__(self, folder: Path, *, quiet: float = 2.0, small: int = SMALL) -> None:
        self._mark = folder / _MARK
        self._lock = folder / _LOCK
        self._quiet = quiet
        self._small = small
        self._guard = threading.Lock()
        self._timer: threading.Timer | None = None

    def stale(self) -> bool:
        """Tell whether the data were changed past the entailments."""
        return self._mark.exists()

    @contextmanager
    def writing(self, store: Store) -> Iterator[None]:
        """Hold a change that the entailments do not follow.

        It is marked before, so that no crash hides it, and again after: who builds meanwhile can miss it.
        """
        before, mine = self._read(), secrets.token_hex(8)
        self._say(mine)
        try:
            yield
        except BaseException:
            # Nothing was changed: what was said before holds, unless another writer has spoken since.
            if self._read() == mine:
                self._say(before)
            raise
        self._say(secrets.token_hex(8))
        self.start(store)

    def start(self, store: Store) -> None:
        """Have a small graph's entailments brought in step after a quiet moment, if they are stale."""
        if not self.stale():
            return
        with self._guard:
            if self._timer:
                self._timer.cancel()
            self._timer = threading.Timer(self._quiet, self._work, (store,))
            self._timer.daemon = True
            self._timer.start()

    def rebuild(self, store: Store) -> int:
        """Build the entailments anew, alone, and give their number. Raises StoreFailedError."""
        with self.alone():
            said = self._read()
            number = Entailments().rebuild(store)
            # A change that came meanwhile may not be in them.
            if self._read() == said:
                self._say("")
            return number

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep every other process and thread from changing the entailments."""
        with self._lock.open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        """Start nothing more."""
        with self._guard:
            if self._timer:
                self._timer.cancel()

    def _work(self, store: Store) -> None:
        try:
            if self.stale() and self.is_small(store):
                self.rebuild(store)
        except (DiplographError, OSError) as error:
            _log.warning("the entailments stay older than the data: %s", error)
        else:
            # Another change came while they were built.
            if self.stale() and self.is_small(store):
                self.start(store)

    def is_small(self, store: Store) -> bool:
        """Tell whether a graph is reasoned over in a few seconds."""
        rows = store.query(f"SELECT ?s {{ ?s ?p ?o }} OFFSET {self._small} LIMIT 1").rows()
        return next(iter(rows), None) is None

    def _read(self) -> str:
        try:
            return self._mark.read_text(encoding="ascii")
        except FileNotFoundError:
            return ""

    def _say(self, what: str) -> None:
        if what:
            self._mark.write_text(what, encoding="ascii")
        else:
            with suppress(FileNotFoundError):
                self._mark.unlink()
