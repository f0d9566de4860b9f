"""The search index: SQLite with full text (FTS5), in a file shared by several processes, or in memory.

It contains only data from the graph, so it can be deleted and rebuilt at any time. Names are numbered by the
kind of their thing, most wanted kinds first: SQLite returns results in this order, so a search can stop early
even for frequent words.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from kg.changes import Change
from kg.errors import DiplographError
from kg.search.finding import find
from kg.search.folding import fold
from kg.search.index_file import CLASS, add, get, note, open_file, replace
from kg.search.indexed_names import (
    ALIAS,
    IDENTIFIER,
    LABEL,
    IndexedName,
    all_entries,
    entries_by,
    entries_of,
    marker,
    names_in,
)
from kg.search.naming import Hit
from kg.search.spelling import respelt
from kg.store import Store

_LOG: Final = logging.getLogger(__name__)
# Names examined for one search, and for one suggestion.
_SEARCHED: Final = 2_000
_SUGGESTED: Final = 300
# An index with up to this many names is rebuilt at once, a larger one in the background.
_SMALL: Final = 30_000
_PATIENCE: Final = 10.0
# Seconds between checks of a store without versions.
_RECHECK: Final = 30.0


class SearchIndex:
    """Names of things, found by words, beginnings and parts, regardless of case and accents.

    `path` is a file shared by processes; None keeps the index in memory. A file that is damaged or of another
    version is replaced; one that cannot be written is not used. Threads may share an index. While `followed`
    returns True, a load is updating the index, and it is not rebuilt.
    """

    def __init__(self, path: Path | None = None, *, followed: Callable[[], bool] = lambda: False) -> None:
        self._path = path
        self._followed = followed
        self._reading = threading.RLock()
        self._writing = threading.RLock()
        self._starting = threading.Lock()
        self._reader, self._writer = open_file(path)
        self._seen: str | None = None
        self._checked = 0.0
        self._building: threading.Thread | None = None
        self._rest_until = 0.0
        self._closed = False

    def search(self, text: str, limit: int, kinds: Sequence[str] = ()) -> list[Hit]:
        """Find things of the given kinds (all if empty): equal names first, then beginnings, words, parts.

        Every word of the text must begin a word of one name; if that finds too few, parts of words match. If
        nothing does, words that are in no name are read as those that are spelt most alike.
        """
        return self._find(text, limit, kinds, _SEARCHED, True)

    def suggest(self, text: str, limit: int, kinds: Sequence[str] = ()) -> list[Hit]:
        """Find things with a name or a word that begins with a text, fast enough for each keystroke.

        Misspelt words are read as in `search`.
        """
        return self._find(text, limit, kinds, _SUGGESTED, False)

    def exactly(self, text: str, identifiers: bool = False) -> str | None:
        """Return the thing with exactly this label, alias or identifier; the most likely of several."""
        roles = (IDENTIFIER,) if identifiers else (LABEL, ALIAS)
        rows = self._rows(
            f"SELECT role, id / {CLASS}, length(iri), iri FROM name WHERE folded = ? "  # noqa: S608
            f"AND role IN ({', '.join(map(str, roles))}) LIMIT 400",
            (fold(text),),
        )
        return min(rows)[-1] if rows and fold(text) else None

    def count(self) -> int:
        """Return the number of names."""
        return int(self._rows("SELECT count(*) FROM name", ())[0][0])

    def follow(self, store: Store, change: Change) -> None:
        """Apply a change that is already stored."""
        touched, mentions = set[str](), set[str]()
        for batch in change.removed():
            gone = names_in(batch)
            touched.update(entry.iri for entry in gone.entries)
            mentions |= gone.mentions
        version = store.version
        with self._write() as cursor:
            replace(cursor, "iri", touched, entries_of(store, touched))
            added: list[IndexedName] = []
            for batch in change.added():
                come = names_in(batch)
                added += come.entries
                mentions |= come.mentions
                if len(added) >= 10_000:
                    add(cursor, added)
                    added.clear()
            add(cursor, added)
            replace(cursor, "via", mentions, entries_by(store, mentions))
            if version and _is_next(get(cursor, "version"), version):
                self._note(cursor, store, version)
            elif not version:
                note(cursor, "marker", marker(store))

    def pass_over(self, store: Store, since: str) -> None:
        """Record that the changes since a version of the store did not affect names."""
        version = store.version
        with self._write() as cursor:
            if version and get(cursor, "version") == since:
                self._note(cursor, store, version, get(cursor, "marker"))

    def rebuild(self, store: Store) -> None:
        """Read all names of a store again; searches use the old ones meanwhile."""
        version = store.version
        with self._write() as cursor:
            cursor.execute("INSERT INTO word (word) VALUES ('delete-all')")
            cursor.execute("DELETE FROM name")
            rest = all_entries(store)
            while part := list(islice(rest, 10_000)):
                add(cursor, part)
            self._note(cursor, store, version)

    def freshen(self, store: Store) -> None:
        """Rebuild an index that does not match the store: a small one at once, a large one in the background.

        A change without notification (a SPARQL update) is recognised by the store's version, after a restart
        by counts. Rebuilding takes at most a tenth of the time; until then names are outdated.
        """
        if self._fits(store) or self._followed():
            return
        with self._starting:
            if self._fits(store) or (self._building and self._building.is_alive()):
                building = self._building
            elif time.monotonic() < self._rest_until:
                return
            else:
                building = self._building = threading.Thread(
                    target=self._build, args=(store,), name="search-index", daemon=True
                )
                building.start()
        if building and self.count() < _SMALL:
            # Wait some time for a small index, then search what is there.
            building.join(_PATIENCE)

    def start(self, store: Store) -> None:
        """Bring the index up to date in the background."""

        def freshen() -> None:
            try:
                self.freshen(store)
            except (DiplographError, sqlite3.Error) as error:
                _LOG.info("the search index is not ready: %s", error)

        threading.Thread(target=freshen, name="search-index-start", daemon=True).start()

    def __del__(self) -> None:
        for connection in (getattr(self, "_reader", None), getattr(self, "_writer", None)):
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._closed = True
        if self._building and self._building is not threading.current_thread():
            self._building.join(_PATIENCE)
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

    def _find(self, text: str, limit: int, kinds: Sequence[str], most: int, parts: bool) -> list[Hit]:
        hits = find(self._rows, text, limit, kinds, most, parts)
        if hits:
            return hits
        corrected = (
            find(self._rows, other, limit, kinds, most, False)
            for other in respelt(self._rows, text, everywhere=parts)
        )
        found = {hit.iri: hit for hits in corrected for hit in hits}
        return list(found.values())[:limit]

    def _fits(self, store: Store) -> bool:
        version = store.version
        if version and version == self._seen:
            return True
        if not version and time.monotonic() < self._checked + _RECHECK:
            return True
        rows = dict(self._rows("SELECT key, value FROM meta", ()))
        fits = bool(version) and rows.get("version") == version
        if not fits and (self._seen is None or not version):
            fits = rows.get("marker") == marker(store)
        if fits:
            self._checked = time.monotonic()
            self._seen = version
        return fits

    def _build(self, store: Store) -> None:
        started = time.monotonic()
        try:
            self.rebuild(store)
        except (DiplographError, sqlite3.Error) as error:
            if not self._closed:
                _LOG.warning("the search index could not be built: %s", error)
        spent = time.monotonic() - started
        self._rest_until = time.monotonic() + (9 * spent if spent > 1 else 0)

    def _rows(self, text: str, values: tuple[object, ...]) -> list[tuple]:  # type: ignore[type-arg]
        with self._reading:
            try:
                return self._reader.execute(text, values).fetchall()
            except sqlite3.ProgrammingError:
                if self._closed:
                    return []
                raise

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Cursor]:
        # In memory both connections are the same, so readers wait for the writer.
        shared = self._reading if self._reader is self._writer else threading.RLock()
        with self._writing, shared, self._writer:
            yield self._writer.execute("BEGIN IMMEDIATE")

    def _note(self, cursor: sqlite3.Cursor, store: Store, version: str, before: str = "") -> None:
        note(cursor, "marker", marker(store, before))
        note(cursor, "version", version)
        self._seen = version
        self._checked = time.monotonic()


def _is_next(known: str, version: str) -> bool:
    """Return whether two versions of a store are at most one commit apart."""
    epoch, _, count = known.rpartition("-")
    now, _, number = version.rpartition("-")
    return epoch == now and count.isdecimal() and number.isdecimal() and int(number) - int(count) in (0, 1)
