"""The readers of tables, found by what is installed of them, and what they need while they read."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from kg.load.model import OnFault, TableReader
from kg.readers.record import Record
from kg.store import Store

_LISTED: Final = 20
_PACKED_LIMIT: Final = 4 * 1024**3
# Actors have a list of their own in the preview.
_KINDS: Final = (
    "place",
    "event type",
    "country code",
    "repaired code",
    "wire service",
    "repeated id",
    "repeated row",
)


def known_reader(path: Path, form: str | None, name: str) -> TableReader | None:
    """Find the reader of a table; None for RDF. Raises UnsupportedFormatError, DataSyntaxError."""
    find = _part("kg.readers.detect", "find_reader")
    found: TableReader | None = find(path, form, name) if find is not None else None
    return found


def rdf_bytes(path: Path, name: str) -> tuple[bytes, str]:
    """Read an RDF file whole, unpacked where it is packed; gives the name of what was in it, too."""
    unpack = _part("kg.readers.archives", "read_whole")
    if unpack is None or not name.lower().endswith((".gz", ".zip", ".zst")):
        return path.read_bytes(), name
    found: tuple[bytes, str] = unpack(path, name, limit=_PACKED_LIMIT)
    return found


def write_template(path: Path) -> bool:
    """Write an empty event table; tells whether this version has one."""
    write = _part("kg.readers.event_table", "write_template")
    if write is None:
        return False
    write(path)
    return True


class TableReading:
    """One reading of a table: its records, then the groups they fall in; afterwards what was noted.

    `work` is a folder for what does not fit in memory.
    """

    def __init__(
        self, store: Store, reader: TableReader, path: Path, name: str, on_fault: OnFault, work: Path
    ) -> None:
        self._stack = ExitStack()
        self._reader = reader
        resolver, notes = _part("kg.actors", "Resolver"), _part("kg.readers.reading", "Notes")
        grouping = _part("kg.readers.grouping", "Grouping") if reader.codes_records else None
        self._notes: Any = notes() if notes is not None else None
        self._grouping: Any = None
        if grouping is not None:
            self._grouping = self._stack.enter_context(closing(grouping(work)))
        self._rows = reader.read(
            path,
            resolver=resolver.of(store) if resolver is not None else None,
            on_fault=on_fault,
            name=name,
            notes=self._notes,
            grouping=self._grouping,
        )

    def __enter__(self) -> TableReading:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def groups(self) -> bool:
        """Tell whether records that seem to tell of one occurrence are grouped."""
        return self._grouping is not None

    def records(self) -> Iterator[Record]:
        """Give the records row by row, then the groups."""
        yield from self._rows
        if self._grouping is not None:
            group = _part("kg.readers.grouping", "group_records")
            if group is not None:
                yield from group(self._grouping)

    def notes(self) -> tuple[str, ...]:
        """Say what the reader met that people should know, 20 of each kind."""
        if self._notes is None:
            return ()
        found: list[str] = []
        for kind in _KINDS:
            of_kind = self._notes.of(kind)
            for note in of_kind[:_LISTED]:
                times = f", {note.count:,} times" if note.count > 1 else ""
                found.append(f"{note.said} (first on line {note.line}{times})")
            if len(of_kind) > _LISTED:
                found.append(f"… and {len(of_kind) - _LISTED:,} more of this kind: {kind}")
        return tuple(found)


def _part(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as error:
        # A reader that is there and lacks something of its own is a fault.
        if error.name != module:
            raise
        return None
