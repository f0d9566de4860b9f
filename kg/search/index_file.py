"""Opens, creates or replaces the file of the search index."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import Final

_LOG: Final = logging.getLogger(__name__)
_FORM: Final = "1"
# Seconds that another process may take to rebuild the index.
_PATIENCE: Final = 600.0
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
"""


def open_file(path: Path | None) -> tuple[sqlite3.Connection, sqlite3.Connection]:
    """Open the index for reading and for writing; in memory both are the same connection.

    A file that is damaged or of another version is replaced; one that cannot be written is not used.
    """
    if path is not None:
        for _ in range(2):
            try:
                return _connect(str(path)), _connect(str(path))
            except sqlite3.OperationalError as error:
                if "unable to open" in str(error) or "readonly" in str(error):
                    _LOG.warning("the search index is kept in memory: %s: %s", path, error)
                    break
                _forget(path)
            except sqlite3.DatabaseError:
                _forget(path)
    shared = _connect(":memory:")
    return shared, shared


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
