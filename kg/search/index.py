"""The index of names: SQLite with full text (FTS5), in a file that several processes share, or in memory.

It holds nothing that the graph does not hold, so that it may be deleted and built again at any time. Names
are numbered by the kind of what they name, first what people look for most: results come in that order from
the engine, and a search stops early however common its words are.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from kg.changes import Change
from kg.errors import DiplographError
from kg.search.file import open_file
from kg.search.folding import fold, words_of
from kg.search.names import Hit, kind_of, spoken
from kg.search.reading import (
    ALIAS,
    IDENTIFIER,
    LABEL,
    Entry,
    all_entries,
    entries_by,
    entries_of,
    marker,
    names_in,
)
from kg.store import Store

_LOG: Final = logging.getLogger(__name__)
_FIRST: Final = (
    "country",
    "government",
    "administration",
    "agency",
    "organization",
    "person",
    "group",
    "place",
    "event",
)
_SECOND: Final = (
    "policy",
    "post",
    "mission",
    "source",
    "unnamed-source",
    "claim",
    "topic",
    "quantity",
    "event-type",
)
_CLASS, _KIND = 1 << 56, 1 << 40
_WORDS: Final = 8
# Names that are looked at for one search, and for one suggestion.
_LOOKED_AT: Final = 2_000
_GLANCED_AT: Final = 300
_PARTS_FOUND: Final = 400
_TEXT: Final = 300
# A store of so many names is read anew at once, a larger one in the background.
_SMALL: Final = 30_000
_PATIENCE: Final = 10.0
# Where the store cannot tell its version, it is looked at this often.
_RECHECK: Final = 30.0


class SearchIndex:
    """Names of things, found by whole words, beginnings and parts, whatever their case and accents.

    `path` is the file, shared by processes; None keeps the index in memory. A file that is damaged, or of
    another form, is replaced; one that cannot be written is not used. Threads may share one index. While
    `followed` says that somebody brings it in step with the store, nobody else does.
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
        """Find things of the given kinds (all, when empty): equal first, then beginnings, words, parts.

        Every word of the text must begin a word of one name; where that finds too few, parts of words do.
        """
        return self._find(text, limit, kinds, _LOOKED_AT, True)

    def suggest(self, text: str, limit: int, kinds: Sequence[str] = ()) -> list[Hit]:
        """Find things whose names begin so or have words that do; for answers at each key."""
        return self._find(text, limit, kinds, _GLANCED_AT, False)

    def exactly(self, text: str, identifiers: bool = False) -> str | None:
        """Give the thing with this very label or alias, or with this identifier; the likeliest of several."""
        roles = (IDENTIFIER,) if identifiers else (LABEL, ALIAS)
        rows = self._rows(
            f"SELECT role, id / {_CLASS}, length(iri), iri FROM name WHERE folded = ? "  # noqa: S608
            f"AND role IN ({', '.join(map(str, roles))}) LIMIT 400",
            (fold(text),),
        )
        return min(rows)[-1] if rows and fold(text) else None

    def beginning(self, start: str, limit: int) -> list[str]:
        """Give folded names that begin so, each once, in alphabetical order."""
        rows = self._rows(
            "SELECT DISTINCT folded FROM name WHERE folded >= ? AND folded < ? AND role < 2 "
            "ORDER BY folded LIMIT ?",
            (start, start + "\U0010ffff", limit),
        )
        return [row[0] for row in rows] if start else []

    def count(self) -> int:
        """Count the names."""
        return int(self._rows("SELECT count(*) FROM name", ())[0][0])

    def follow(self, store: Store, change: Change) -> None:
        """Take over what a commit or an undo changed; the data must be stored already."""
        touched, mentions = set[str](), set[str]()
        for batch in change.statements(gone=True):
            gone = names_in(batch)
            touched.update(entry.iri for entry in gone.entries)
            mentions |= gone.mentions
        version = store.version
        with self._write() as cursor:
            self._replace(cursor, "iri", touched, entries_of(store, touched))
            added: list[Entry] = []
            for batch in change.statements(gone=False):
                come = names_in(batch)
                added += come.entries
                mentions |= come.mentions
                if len(added) >= 10_000:
                    self._add(cursor, added)
                    added.clear()
            self._add(cursor, added)
            self._replace(cursor, "via", mentions, entries_by(store, mentions))
            if version and _is_next(self._get(cursor, "version"), version):
                self._note(cursor, store, version)
            elif not version:
                self._set(cursor, "marker", marker(store))

    def pass_over(self, store: Store, since: str) -> None:
        """Take note that what changed since a version of the store gave and took no names."""
        version = store.version
        with self._write() as cursor:
            if version and self._get(cursor, "version") == since:
                self._note(cursor, store, version, self._get(cursor, "marker"))

    def rebuild(self, store: Store) -> None:
        """Read all the names of a store anew; those who search meanwhile see the old ones."""
        version = store.version
        with self._write() as cursor:
            cursor.execute("INSERT INTO word (word) VALUES ('delete-all')")
            cursor.execute("DELETE FROM name")
            rest = all_entries(store)
            while part := list(islice(rest, 10_000)):
                self._add(cursor, part)
            self._note(cursor, store, version)

    def freshen(self, store: Store) -> None:
        """See that the index fits the store: at once when it is small, else in the background.

        A store that changed in ways that nobody told of (SPARQL updates) is noticed by its version, after a
        restart by counts. Rebuilding never takes more than a tenth of the time; until then names are old.
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
        size = self.count()
        if building and size < _SMALL:
            # An empty index is worth some patience; beyond it, the search answers with what there is.
            building.join(_PATIENCE)

    def start(self, store: Store) -> None:
        """See to it in the background that the index fits the store."""
        threading.Thread(target=self._start, args=(store,), name="search-index-start", daemon=True).start()

    def _start(self, store: Store) -> None:
        try:
            self.freshen(store)
        except (DiplographError, sqlite3.Error) as error:
            _LOG.info("the index of names is not ready: %s", error)

    def __del__(self) -> None:
        for connection in (getattr(self, "_reader", None), getattr(self, "_writer", None)):
            if connection is not None:
                connection.close()

    def close(self) -> None:
        """Let go of the file; safe to call twice."""
        self._closed = True
        if self._building and self._building is not threading.current_thread():
            self._building.join(_PATIENCE)
        with self._writing, self._reading:
            self._reader.close()
            self._writer.close()

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
                _LOG.warning("the index of names could not be built: %s", error)
        spent = time.monotonic() - started
        self._rest_until = time.monotonic() + (9 * spent if spent > 1 else 0)

    def _find(self, text: str, limit: int, kinds: Sequence[str], most: int, parts: bool) -> list[Hit]:
        needle = fold(text)
        words = words_of(needle)[:_WORDS]
        if not needle or limit < 1:
            return []
        columns = f"iri, role, text, folded, id / {_CLASS}"
        found = self._rows(f"SELECT {columns} FROM name WHERE folded = ? LIMIT 400", (needle,))  # noqa: S608
        if kinds:
            found = [row for row in found if kind_of(row[0]) in kinds]
        match = " AND ".join(f'"{word}"*' for word in words)
        for low, high in self._ranges(kinds) if words else ():
            found += self._rows(
                f"SELECT {columns} FROM name WHERE id IN (SELECT rowid FROM word WHERE word MATCH ? "  # noqa: S608
                "AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?)",
                (match, low, high, most),
            )
        if parts and len({row[0] for row in found}) < limit:
            every = " AND ".join("instr(folded, ?)" for _ in words or [needle])
            for low, high in self._ranges(kinds):
                found += self._rows(
                    f"SELECT {columns} FROM name WHERE id BETWEEN ? AND ? AND role != 2 AND {every} "  # noqa: S608
                    "ORDER BY id LIMIT ?",
                    (low, high, *(words or [needle]), _PARTS_FOUND),
                )
        best: dict[str, tuple[int, int, int, str, str]] = {}
        for iri, role, name, folded, order in found:
            key = (3 * _rank(folded, needle) + order, role, len(folded), folded, name)
            if iri not in best or key < best[iri]:
                best[iri] = key
        chosen = sorted(best, key=lambda iri: (best[iri], iri))[:limit]
        labels = self._labels(chosen)
        hits = []
        for iri in chosen:
            label, language = labels.get(iri, (spoken(iri), None))
            matched = best[iri][-1]
            other = "" if fold(matched) == fold(label) else matched[:_TEXT]
            hits.append(Hit(iri, label[:_TEXT], kind_of(iri), "", other, language))
        return hits

    def _labels(self, iris: Sequence[str]) -> dict[str, tuple[str, str | None]]:
        labels: dict[str, tuple[tuple[int, str], str, str | None]] = {}
        marks = ", ".join("?" * len(iris))
        rows = self._rows(
            f"SELECT iri, text, language FROM name WHERE iri IN ({marks}) AND role = 0",  # noqa: S608
            tuple(iris),
        )
        for iri, text, language in rows:
            key = (0 if language.startswith("en") else 1 if not language else 2, text)
            if iri not in labels or key < labels[iri][0]:
                labels[iri] = (key, text, language or None)
        return {iri: (text, language) for iri, (_, text, language) in labels.items()}

    def _ranges(self, kinds: Sequence[str]) -> list[tuple[int, int]]:
        if not kinds:
            return [(0, 3 * _CLASS)]
        marks = ", ".join("?" * len(kinds))
        rows = self._rows(f"SELECT base FROM kind WHERE kind IN ({marks}) ORDER BY base", tuple(kinds))  # noqa: S608
        return [(base, base + _KIND - 1) for (base,) in rows]

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
        # In memory both connections are one, so that readers wait for the writer.
        shared = self._reading if self._reader is self._writer else threading.RLock()
        with self._writing, shared:
            cursor = self._writer.cursor()
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            cursor.execute("COMMIT")

    def _note(self, cursor: sqlite3.Cursor, store: Store, version: str, before: str = "") -> None:
        self._set(cursor, "marker", marker(store, before))
        self._set(cursor, "version", version)
        self._seen = version
        self._checked = time.monotonic()

    def _add(self, cursor: sqlite3.Cursor, entries: Iterable[Entry]) -> None:
        rows: dict[str, list[tuple[str, int, str, str, str, str]]] = {}
        for entry in entries:
            if folded := fold(entry.text):
                rows.setdefault(kind_of(entry.iri), []).append(
                    (entry.iri, entry.role, _clean(entry.text), entry.language, entry.via, folded)
                )
        for kind, some in rows.items():
            first = self._number(cursor, kind)
            numbered = ((first + number, *row) for number, row in enumerate(some))
            # A name that is there already keeps its number, and its words are there, too.
            cursor.executemany("INSERT OR IGNORE INTO name VALUES (?, ?, ?, ?, ?, ?, ?)", numbered)
            cursor.execute(
                "INSERT INTO word (rowid, folded) SELECT id, folded FROM name "
                "WHERE id BETWEEN ? AND ? AND role != ?",
                (first, first + len(some), IDENTIFIER),
            )

    def _replace(
        self, cursor: sqlite3.Cursor, column: str, keys: Collection[str], entries: Iterable[Entry]
    ) -> None:
        if keys:
            cursor.execute("CREATE TEMP TABLE IF NOT EXISTS gone (key TEXT PRIMARY KEY) WITHOUT ROWID")
            cursor.execute("DELETE FROM gone")
            cursor.executemany("INSERT INTO gone VALUES (?)", ((key,) for key in keys))
            where = {
                "iri": "WHERE iri IN (SELECT key FROM gone) AND via = ''",
                "via": "WHERE via IN (SELECT key FROM gone)",
            }[column]
            cursor.execute(
                f"INSERT INTO word (word, rowid, folded) SELECT 'delete', id, folded FROM name {where} "  # noqa: S608
                "AND role != ?",
                (IDENTIFIER,),
            )
            cursor.execute(f"DELETE FROM name {where}")  # noqa: S608
        self._add(cursor, entries)

    def _number(self, cursor: sqlite3.Cursor, kind: str) -> int:
        row = cursor.execute("SELECT base FROM kind WHERE kind = ?", (kind,)).fetchone()
        if row is None:
            group = 0 if kind in _FIRST else 1 if kind in _SECOND else 2
            (others,) = cursor.execute("SELECT count(*) FROM kind").fetchone()
            row = (group * _CLASS + (others + 1) * _KIND,)
            cursor.execute("INSERT INTO kind VALUES (?, ?)", (kind, row[0]))
        base: int = row[0]
        (last,) = cursor.execute(
            "SELECT max(id) FROM name WHERE id BETWEEN ? AND ?", (base, base + _KIND - 1)
        ).fetchone()
        return base if last is None else int(last) + 1

    @staticmethod
    def _get(cursor: sqlite3.Cursor, key: str) -> str:
        row = cursor.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        return row[0] if row else ""

    @staticmethod
    def _set(cursor: sqlite3.Cursor, key: str, value: str) -> None:
        cursor.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _rank(folded: str, needle: str) -> int:
    """Rank 0 equal, 1 beginning, 2 at the start of a word, 3 anywhere, 4 the words apart."""
    if folded == needle:
        return 0
    if folded.startswith(needle):
        return 1
    if f" {needle}" in folded:
        return 2
    return 3 if needle in folded else 4


def _clean(text: str) -> str:
    return text[:_TEXT].encode("utf-8", "ignore").decode()


def _is_next(known: str, version: str) -> bool:
    """Tell whether nothing but one commit lies between two versions of a store."""
    epoch, _, count = known.rpartition("-")
    now, _, number = version.rpartition("-")
    return epoch == now and count.isdecimal() and number.isdecimal() and int(number) - int(count) in (0, 1)
