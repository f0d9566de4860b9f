"""The file of the search index: its tables, and names numbered by the kind of their thing."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from kg.search.folding import fold
from kg.search.indexed_names import IDENTIFIER, IndexedName
from kg.search.naming import kind_of

CLASS: Final = 1 << 56
KIND: Final = 1 << 40
"""Size of the number range of one kind; `CLASS` is that of kinds with the same priority."""
TEXT: Final = 300
"""Number of characters stored of a name."""

_FIRST: Final = (
    *("country", "government", "administration", "agency", "organization"),
    *("person", "group", "place", "event"),
)
_SECOND: Final = (
    *("policy", "post", "mission", "source", "unnamed-source"),
    *("claim", "topic", "quantity", "event-type"),
)

_LOG: Final = logging.getLogger(__name__)
_FORM: Final = "2"
# Seconds that another process may take to rebuild the index.
_PATIENCE: Final = 600.0
_PAUSE: Final = 0.05
_TRIES: Final = 200
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS kind (kind TEXT PRIMARY KEY, base INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS name (id INTEGER PRIMARY KEY, iri TEXT NOT NULL, role INTEGER NOT NULL,
  text TEXT NOT NULL, language TEXT NOT NULL, via TEXT NOT NULL, folded TEXT NOT NULL);
CREATE UNIQUE INDEX IF NOT EXISTS name_iri ON name (iri, role, text, language, via);
CREATE INDEX IF NOT EXISTS name_folded ON name (folded);
CREATE INDEX IF NOT EXISTS name_via ON name (via) WHERE via != '';
CREATE VIRTUAL TABLE IF NOT EXISTS word USING fts5 (folded, content='name', content_rowid='id',
  tokenize='ascii', prefix='1 2 3', detail='none', columnsize=0);
CREATE VIRTUAL TABLE IF NOT EXISTS vocabulary USING fts5vocab(word, 'row');
"""


def open_file(path: Path | None) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open the index for reading and for writing; in memory both are the same connection.

    A file that is damaged or of another version is replaced; one that cannot be written is not used.
    """
    if path is not None:
        for _ in range(_TRIES):
            try:
                return _connect(str(path)), _connect(str(path))
            except sqlite3.OperationalError as error:
                if "locked" in str(error):
                    # Another process is making the file; SQLite does not wait while it changes the journal.
                    time.sleep(_PAUSE)
                    continue
                if any(word in str(error) for word in ("unable to open", "readonly", "full", "disk I/O")):
                    _LOG.warning("the search index is kept in memory: %s: %s", path, error)
                    break
                _forget(path)
            except sqlite3.DatabaseError:
                _forget(path)
    shared = _connect(":memory:")
    return shared, shared


def add(cursor: sqlite3.Cursor, entries: Iterable[IndexedName]) -> None:
    """Add names; existing ones are kept."""
    rows: dict[str, list[tuple[str, int, str, str, str, str]]] = {}
    for entry in entries:
        if folded := fold(entry.text):
            text = entry.text[:TEXT].encode("utf-8", "ignore").decode()
            row = (entry.iri, entry.role, text, entry.language, entry.via, folded)
            rows.setdefault(kind_of(entry.iri), []).append(row)
    for kind, some in rows.items():
        first = _number(cursor, kind)
        numbered = ((first + number, *row) for number, row in enumerate(some))
        # An existing name keeps its number and its words.
        cursor.executemany("INSERT OR IGNORE INTO name VALUES (?, ?, ?, ?, ?, ?, ?)", numbered)
        cursor.execute(
            "INSERT INTO word (rowid, folded) SELECT id, folded FROM name "
            "WHERE id BETWEEN ? AND ? AND role != ?",
            (first, first + len(some), IDENTIFIER),
        )


def replace(
    cursor: sqlite3.Cursor, column: str, keys: Collection[str], entries: Iterable[IndexedName]
) -> None:
    """Replace all names of some things (`iri`), or those from some mentions (`via`)."""
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
    add(cursor, entries)


def get(cursor: sqlite3.Cursor, key: str) -> str:
    """Return the value of a key, empty if there is none."""
    row = cursor.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
    return row[0] if row else ""


def note(cursor: sqlite3.Cursor, key: str, value: str) -> None:
    """Store a value under a key."""
    cursor.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))


def _connect(path: str) -> sqlite3.Connection:
    found = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
    try:
        found.execute("PRAGMA journal_mode = WAL")
        found.execute("PRAGMA synchronous = NORMAL")
        found.executescript(_SCHEMA)
        form = found.execute("SELECT value FROM meta WHERE key = 'form'").fetchone()
        if form and form[0] != _FORM:
            raise sqlite3.DatabaseError("the file has another version")
        found.execute("INSERT OR IGNORE INTO meta VALUES ('form', ?)", (_FORM,))
    except sqlite3.Error:
        found.close()
        raise
    return found


def _forget(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        with suppress(OSError):
            path.with_name(path.name + ending).unlink()


def _number(cursor: sqlite3.Cursor, kind: str) -> int:
    row = cursor.execute("SELECT base FROM kind WHERE kind = ?", (kind,)).fetchone()
    if row is None:
        group = 0 if kind in _FIRST else 1 if kind in _SECOND else 2
        (others,) = cursor.execute("SELECT count(*) FROM kind").fetchone()
        row = (group * CLASS + (others + 1) * KIND,)
        cursor.execute("INSERT INTO kind VALUES (?, ?)", (kind, row[0]))
    base: int = row[0]
    (last,) = cursor.execute(
        "SELECT max(id) FROM name WHERE id BETWEEN ? AND ?", (base, base + KIND - 1)
    ).fetchone()
    return base if last is None else int(last) + 1
