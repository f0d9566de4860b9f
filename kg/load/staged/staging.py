"""From a file to a preview: the file is read once, sorted on disk and compared with the graph."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.errors import StoreFailedError, ValidationFailedError
from kg.load.conflicts import RecordWatch, find_conflicts, find_newcomers, find_twins, suggest
from kg.load.load_folder import LoadFolder
from kg.load.model import LoadRequest, Preview, Progress, TypeCount, silent, watching
from kg.load.staged.staging_mapped import check_mapped
from kg.load.staged.staging_rdf import RdfRead, stage_rdf
from kg.load.staged.staging_tables import Duplicates, Faults, FirstLoad, write_raw
from kg.load.staged.table_reading import TableReading
from kg.load.staged.tally import Tally
from kg.provenance import read_loads
from kg.rdf.compression import packed_name
from kg.rdf.sorted_lines import read_lines, side_by_side, sort_lines, with_graph
from kg.readers.detect import find_reader, has_rdf_media_type
from kg.readers.reading import RowCount
from kg.readers.record import Record
from kg.readers.rml.mapping import Mapping
from kg.store import Store
from kg.terms import compact
from kg.validation.rdf_rules import labels_of, plain_stem, target_graph

_CHUNK: Final = 1024 * 1024
_SUBJECT_TICK: Final = 5_000
_ORDER: Final = ("event", "claim", "record")


def stage(store: Store, folder: LoadFolder, request: LoadRequest, progress: Progress = silent) -> Preview:
    """Compute what loading a file would change, without changing the graph.

    Writes `added.nq`, `removed.nq` and, for an existing graph, `new.nt` into the folder. Raises
    UnsupportedFormatError, DataSyntaxError, ParameterError for a graph that diplograph maintains,
    ValidationFailedError with every violation, UnreadableRowsError if there are more than allowed,
    StoreFailedError, OSError if the disk is full.
    """
    progress("reading", 0)
    path, name = request.path, request.name
    sha256, length = _checksum(path)
    is_rdf = request.format is None and has_rdf_media_type(name, request.media_type)
    reader = None if is_rdf else find_reader(path, request.format, name, mapping=request.mapping)
    tally, duplicates, faults = Tally(), Duplicates(), Faults(name, request.max_errors)
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    rows = RowCount()
    version = store.version
    if reader is None:
        read = stage_rdf(store, folder.path, request, progress)
        graph, notes, unknown = read.graph, read.notes, tuple(read.checked.undescribed)
        read.accept(name)
        findings = read.others
        fingerprint = _Staging(store, folder, graph, tally, duplicates, progress).compare(read.path)
    else:
        graph = target_graph(None, request.source, name)
        with TableReading(store, reader, request, faults.take, folder.path) as table:
            duplicates.grouped = reader.codes_records
            staging = _Staging(store, folder, graph, tally, duplicates, table.counting(progress))
            if reader.mapping is not None:
                read = staging.sort_conforming(table, reader.mapping, faults)
                findings, unknown = read.others, tuple(read.checked.undescribed)
                fingerprint, duplicates = staging.compare(read.path), staging.duplicates
            elif is_empty(store, graph):
                staging.write_first(table)
                fingerprint = ""
            else:
                fingerprint = staging.compare(staging.sort_records(table.records()))
            notes, rows = (*table.notes(), *_other_file(store, graph, request)), table.rows
        faults.check()
        if not duplicates.records and not rows.stored:
            what = f"none of its {rows.read:,} rows gives anything" if rows.read else "it has no rows"
            what = "its only row gives nothing" if rows.read == 1 else what
            mend = "Correct the rows, the mapping or the format." if rows.read else "Check the file."
            raise ValidationFailedError(what, where=name, mend=mend, findings=(*faults.listed, *notes))
    find_conflicts(store, graph, tally, tally.events, tally.labels)
    newcomer_count, newcomers = find_newcomers(store, graph, tally)
    hints = suggest(store, unknown)
    return Preview(
        graph=graph.value,
        file_name=PurePath(name).name,
        sha256=sha256,
        byte_length=length,
        added=tally.added,
        removed=tally.removed,
        counts=_counts(store, tally),
        things=tuple(sorted(tally.things, key=lambda thing: _ORDER.index(thing.kind))),
        thing_count=tally.thing_count,
        conflicts=tuple(tally.conflicts),
        conflict_count=tally.conflict_count,
        unknown=unknown,
        newcomers=newcomers,
        newcomer_count=newcomer_count,
        duplicates=(*duplicates.lines(), *find_twins(store, graph, tally)),
        findings=findings,
        notes=(*notes, *(_hint(iri, near) for iri, near in hints.items())),
        faults=tuple(faults.listed),
        fault_count=faults.rows,
        records=duplicates.records,
        rows_read=rows.read,
        rows_stored=rows.stored,
        rows_left_out=rows.left_out,
        fingerprint=fingerprint,
        version=version,
    )


def is_empty(store: Store, graph: NamedNode) -> bool:
    """Return whether a graph is empty."""
    return not store.query(f"ASK {{ GRAPH {graph} {{ ?s ?p ?o }} }}").truth()


def export_sorted(store: Store, graph: NamedNode, target: Path, progress: Progress = silent) -> str:
    """Write the triples of a graph in byte order; return the file's SHA-256, empty for an empty graph."""
    unsorted = target.with_name(target.name + ".unsorted")
    store.export(graph, unsorted)
    watch = watching(progress, "sorting the graph")
    count, digest = sort_lines(read_lines(unsorted), target, watch=watch)
    unsorted.unlink()
    return digest if count else ""


@dataclass
class _Staging:
    """Writes the changes that a file makes to a graph into the folder of its load, and counts them."""

    store: Store
    folder: LoadFolder
    graph: NamedNode
    tally: Tally
    duplicates: Duplicates
    progress: Progress

    def write_first(self, table: TableReading) -> None:
        """Write the records of a table for an empty graph."""
        tally, folder = self.tally, self.folder
        watch = RecordWatch(self.store, self.graph, tally)
        packed = packed_name(folder.added)
        with packed.open("wb") as out:
            ending = f" {self.graph} .\n".encode()
            first = FirstLoad(out, ending, tally, self.duplicates, watch.take, self.progress)
            table.write(first, watch)
            first.flush()
        watch.finish()
        folder.removed.touch()
        # A row with a repeated id may repeat statements.
        if first.forgot or self.duplicates.bounded or self.duplicates.repeated:
            lines = read_lines(packed)
            tally.added, _ = sort_lines(
                lines, folder.path / "added.nq", watch=watching(self.progress, "sorting")
            )
            packed.unlink()

    def sort_records(self, records: Iterator[Record]) -> Path:
        """Write the records of a table as sorted N-Triples; return the file."""
        raw, plain, new = (self.folder.path / name for name in ("raw.nt", "plain.nt", "new.nt"))
        write_raw(records, raw, self.progress, self.duplicates)
        try:
            triples = pyoxigraph.parse(path=str(raw), format=RdfFormat.N_TRIPLES)
            pyoxigraph.serialize(triples, str(plain), format=RdfFormat.N_TRIPLES)
        except SyntaxError as error:
            raise StoreFailedError(f"the reader wrote malformed N-Triples: {error}") from None
        raw.unlink()
        sort_lines(read_lines(plain), new, watch=watching(self.progress, "sorting"))
        plain.unlink()
        return new

    def sort_conforming(self, table: TableReading, mapping: Mapping, faults: Faults) -> RdfRead:
        """Write what a mapping makes of a table as sorted N-Triples that conform to the shapes.

        Rows with violations are reported, and left out if so many may be. Raises ValidationFailedError for
        violations of what is the same for all rows.
        """
        while True:
            new = self.sort_records(table.records())
            read, broken = check_mapped(self.store, new, self.graph, table, mapping, self.progress)
            read.accept(table.name)
            for fault in broken:
                faults.take(fault, broken=True)
            faults.check()
            if not broken:
                return read
            table.leave_out((fault.file, fault.line) for fault in broken)
            self.duplicates = Duplicates()

    def compare(self, new: Path) -> str:
        """Compare sorted N-Triples with the graph; return the checksum of the graph."""
        folder, old, name = self.folder, self.folder.path / "old.nt", str(self.graph).encode()
        fingerprint = export_sorted(self.store, self.graph, old, self.progress)
        with folder.added.open("wb", buffering=_CHUNK) as added, folder.removed.open("wb") as removed:
            walk = side_by_side(read_lines(old), read_lines(new))
            for number, (subject, before, after) in enumerate(walk):
                self.tally.compare(subject, before, after)
                if before != after:
                    was, will = set(before), set(after)
                    removed.writelines(with_graph(line, name) for line in before if line not in will)
                    added.writelines(with_graph(line, name) for line in after if line not in was)
                if number % _SUBJECT_TICK == 0:
                    self.progress("comparing", number)
        old.unlink()
        return fingerprint


def _other_file(store: Store, graph: NamedNode, request: LoadRequest) -> Iterator[str]:
    """Yield a note if the graph named after a file holds another file: A-1.csv and A 1.csv share a graph."""
    name = plain_stem(request.name)
    for load in read_loads(store):
        if load.graph == graph.value and load.undone is None:
            if not request.source and plain_stem(load.file_name) != name:
                held = f"{compact(graph.value)} holds {load.file_name}"
                yield f"{held}, which this file replaces; name a source to keep both"
            return


def _counts(store: Store, tally: Tally) -> tuple[TypeCount, ...]:
    labels = labels_of(store, [NamedNode(name) for name in tally.counts if name])
    fates = ("new", "changed", "unchanged", "gone")
    counts = (
        TypeCount(name, labels.get(name, compact(name)) or "without a class", *map(count.__getitem__, fates))
        for name, count in tally.counts.items()
    )
    return tuple(sorted(counts, key=lambda count: (count.label.lower(), count.type)))


def _hint(iri: str, near: tuple[str, ...]) -> str:
    return f"{compact(iri)} has no description; did you mean {' or '.join(map(compact, near))}?"


def _checksum(path: Path) -> tuple[str, int]:
    """Return SHA-256 and length of a file, or of the files of a folder in the order of their names."""
    digest, length = hashlib.sha256(), 0
    for part in sorted(path.rglob("*")) if path.is_dir() else (path,):
        if part.is_file():
            length += part.stat().st_size
            with part.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
    return digest.hexdigest(), length
