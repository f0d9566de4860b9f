"""Reading a table for a load: its records, its groups, and notes for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, get_args

from kg.load.conflicts import RecordWatch
from kg.load.model import LoadRequest, OnFault, Progress
from kg.load.staged.staging_tables import FirstLoad
from kg.readers.archives import parts
from kg.readers.detect import TableReader, choose_parts
from kg.readers.gdelt.blocks import Identifiers, RowOptions
from kg.readers.gdelt.event_rows import GdeltRows, about, read_blocks
from kg.readers.gdelt.parallel_rows import read_in_parallel, worker_count
from kg.readers.grouping import Grouping
from kg.readers.reading import CellOptions, ReadingJob, RowCount
from kg.readers.record import Note, NoteKind, Record, RowFault
from kg.readers.rml.mapped_rows import RowRecord, read_each_row
from kg.readers.rml.mapping import Mapping
from kg.resolver import Resolver
from kg.store import Store

_LISTED: Final = 500
_FIRST: Final = 3


class TableReading:
    """One reading of a table: the records, then their groups, then the notes.

    `work` is a folder for temporary files.
    """

    def __init__(
        self, store: Store, reader: TableReader, request: LoadRequest, on_fault: OnFault, work: Path
    ) -> None:
        self._reader = reader
        self._path = request.path
        self._grouping = Grouping(work) if reader.codes_records else None
        self.name = request.name
        self._options = CellOptions(frozenset(request.missing), request.date_order)
        self._parts, self._left = choose_parts(reader, list(parts(request.path, request.name)))
        self._resolver = Resolver.of(store, points=reader.name == "events")
        self._job = self._new_job(on_fault)

    def __enter__(self) -> TableReading:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._grouping is not None:
            self._grouping.close()

    def counting(self, progress: Progress) -> Progress:
        """Return a progress function that counts the rows read, with an estimate of all where possible."""

        def report(phase: str, done: int, total: int | None = None) -> None:
            parts, rows = self._job.parts, self._job.rows.read
            if phase == "reading rows" and rows:
                share = parts[0].share() if len(parts) == 1 else 0
                done, total = rows, round(rows / share) if share else None
            progress(phase, done, total)

        return report

    def records(self) -> Iterator[Record]:
        """Yield the records row by row, then the groups."""
        yield from self._reader.rows(self._job)
        yield from self._groups()

    def each_row(self, mapping: Mapping) -> Iterator[RowRecord]:
        """Yield what each row says by a mapping, also rows that repeat others."""
        return read_each_row(self._new_job(_ignore, self._job.skipped), mapping)

    def leave_out(self, rows: Iterable[tuple[str, int]]) -> None:
        """Begin a new reading without some rows, given by file and line, that reports no fault again."""
        self._job = self._new_job(_ignore, self._job.skipped.union(rows))

    def _new_job(self, on_fault: OnFault, skipped: frozenset[tuple[str, int]] = frozenset()) -> ReadingJob:
        job = ReadingJob(
            self._parts,
            self.name,
            self._resolver,
            on_fault,
            grouping=self._grouping,
            options=self._options,
            skipped=skipped,
        )
        for file, reason in self._left:
            job.notes.add("file", file, f"{file} was left out: {reason}", 0)
        return job

    def write(self, first: FirstLoad, watch: RecordWatch) -> None:
        """Write the records and groups of a source that is not in the graph yet."""
        layout = self._reader.layout
        if layout is None:
            for record in self.records():
                first.take(record)
            return
        job = self._job
        options = RowOptions(first.ending, watch.needed, self._grouping is not None)
        identifiers = Identifiers()
        first.take(about(layout))
        workers = worker_count(self._path)
        several = partial(
            read_in_parallel,
            workers=workers,
            layout=layout,
            options=options,
            resolver=job.resolver,
            cells=job.options,
        )
        read = several if workers else None
        for found in read_blocks(job, GdeltRows(job, layout, options), identifiers, read):
            first.take_block(found)
            if watch.needed:
                watch.take_rows(found.rows)
        first.forgot = first.forgot or identifiers.forgot
        for record in self._groups():
            first.take(record)

    def _groups(self) -> Iterator[Record]:
        if self._grouping is not None:
            yield from self._grouping.groups()

    @property
    def rows(self) -> RowCount:
        """How many rows were read, stored and left out."""
        return self._job.rows

    def notes(self) -> tuple[str, ...]:
        """Return what people should know about the table, at most 500 notes of each kind.

        The three most frequent of each kind come first.
        """
        first: list[str] = []
        more: list[str] = []
        for kind in get_args(NoteKind):
            found: list[str] = []
            # Several places may share a code; its note is given once.
            texts: dict[str, list[Note]] = {}
            for note in self._job.notes.of(kind):
                texts.setdefault(note.text, []).append(note)
            for text, notes in islice(texts.items(), _LISTED):
                one = min(notes, key=lambda note: (note.file, note.line))
                count = sum(note.count for note in notes)
                rows = f"{count:,} rows, first on line" if count > 1 else "line"
                file = one.file.removeprefix(f"{self.name}/")
                where = f"{rows} {one.line}" + (f" of {file}" if file not in ("", self.name) else "")
                found.append(f"{text} ({where})" if one.line else text)
            if len(texts) > _LISTED:
                found.append(f"… and {len(texts) - _LISTED:,} more notes of this kind ({kind})")
            first += found[:_FIRST]
            more += found[_FIRST:]
        return (*first, *more)


def _ignore(fault: RowFault) -> None:
    """Report no fault: it was reported when the table was read first."""
