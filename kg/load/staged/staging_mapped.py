"""Checking what a mapping makes of a table by the shapes, with the row and column of each finding."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.load.model import Progress, watching
from kg.load.staged.staging_rdf import RdfRead
from kg.load.staged.table_reading import TableReading
from kg.rdf.sorted_lines import read_lines, sort_lines
from kg.readers.record import RowFault
from kg.readers.rml.mapped_rows import RowRecord
from kg.readers.rml.mapping import Mapping
from kg.store import Store
from kg.terms import ONTOLOGY, PREFIXES, term
from kg.validation.findings import Finding, in_order
from kg.validation.known_terms import SUBCLASS
from kg.validation.piecewise import FileFindings, PiecewiseValidation
from kg.validation.shacl import read_shapes

_ROWS: Final = 10_000
_EMPTY: Final = "the cell is empty, and the row needs it"
_MEND: Final = "Correct the mapping; docs/mapping.md lists what each class needs."


def check_mapped(
    store: Store, new: Path, graph: NamedNode, table: TableReading, mapping: Mapping, progress: Progress
) -> tuple[RdfRead, list[RowFault]]:
    """Check the sorted N-Triples that a mapping made of a table, in bounded memory.

    Returns what was checked, and the faults of the rows that violate the shapes. If a violation is of what is
    the same for all rows, there are no such faults, and the violations are among the findings. The table is
    read a second time for the rows of the findings, if there are any.
    """
    hierarchy: list[bytes] = []
    with tempfile.TemporaryDirectory(prefix=".mapped-", dir=new.parent) as folder:
        inverse = Path(folder) / "inverse.nt"
        sort_lines(_turned(read_lines(new), hierarchy), inverse)
        subclasses = [t.triple for t in pyoxigraph.parse(b"".join(hierarchy), format=RdfFormat.N_TRIPLES)]
        validation = PiecewiseValidation(store, new, inverse, graph, subclasses)
        checked = validation.check(watch=watching(progress, "checking"))
    found = in_order(checked.findings)
    given = _given(table, mapping, {one.node for one in found}) if found else {}
    violations = [one for one in found if one.severity == "violation"]
    broken = [fault for one in violations for fault in _faults(one, given.get(one.node, []), mapping)]
    if all(one.node in given for one in violations):
        found = [one for one in found if one.severity != "violation"]
        checked = FileFindings(found, 0, checked.others, checked.undescribed)
    else:
        broken = []
    findings = tuple(
        (one.severity, _place(one, given.get(one.node, []), table.name, mapping) + f": {one.text}")
        for one in found
    )
    faults = sorted(dict.fromkeys(broken), key=lambda one: (one.file, one.line))
    return RdfRead(new, graph, findings, checked, mend=_MEND), faults


def _predicate(line: bytes) -> bytes:
    return line.split(b" ", 2)[1]


def _turned(lines: Iterable[bytes], hierarchy: list[bytes]) -> Iterator[bytes]:
    """Yield the statements that shapes follow backwards, turned; collect those of classes of classes."""
    backwards = {str(name).encode() for name in read_shapes().inverse_properties}
    above = str(SUBCLASS).encode()
    for line in lines:
        subject, predicate, rest = line.split(b" ", 2)
        if predicate in backwards and rest.startswith(b"<"):
            yield b"%s %s %s .\n" % (rest.removesuffix(b" .\n"), predicate, subject)
        elif predicate == above:
            hierarchy.append(line)


def _given(table: TableReading, mapping: Mapping, nodes: set[str]) -> dict[str, list[RowRecord]]:
    """Return what rows say of some things, without what is the same for all rows."""
    found: dict[str, list[RowRecord]] = {}
    for one in table.each_row(mapping):
        iri = one.record.iri
        if iri in nodes and one.record.line and len(found.setdefault(iri, [])) < _ROWS:
            found[iri].append(one)
    return found


def _faults(finding: Finding, given: list[RowRecord], mapping: Mapping) -> list[RowFault]:
    """Return the faults of the rows that a violation is about.

    These are the rows that give the property, or that say anything of the thing where none does. Where rows
    give a property several values that may have one, the first row is right.
    """
    path, text = _path(finding), finding.text
    blamed = [one for one in given if _values(one, path)]
    if not blamed:
        blamed = given
    elif not finding.value:
        first = blamed[0]
        if others := [one for one in blamed if _values(one, path) != _values(first, path)]:
            blamed, text = others, f"{text} Line {first.record.line} has another value."
    return [
        RowFault(one.file, one.record.line, column, _EMPTY if empty else text)
        for one in blamed
        for column, empty in [_columns(path, one, mapping)]
    ]


def _path(finding: Finding) -> str:
    # An unknown property is the value of its finding.
    name = finding.path or finding.value or ""
    return term(name).value if name.partition(":")[0] in PREFIXES else name


def _values(one: RowRecord, path: str) -> list[bytes]:
    return [line for line in one.record.ntriples.splitlines() if _predicate(line) == f"<{path}>".encode()]


def _columns(path: str, one: RowRecord, mapping: Mapping) -> tuple[str, bool]:
    """Return the columns that give a property in a row, or the empty ones if it gives none; and which."""
    kind = one.record.kind if ":" in one.record.kind else ONTOLOGY + one.record.kind
    columns = mapping.columns_of(path, kind if one.record.kind else "", one.cells)
    empty = [] if _values(one, path) else [name for name in columns if not one.cells[name]]
    return " and ".join(empty or columns), bool(empty)


def _place(finding: Finding, given: list[RowRecord], name: str, mapping: Mapping) -> str:
    """Return file, line and column of a finding: of the first row that gives the property, if one does."""
    path = _path(finding)
    for one in given:
        if _values(one, path):
            return f"{one.file}, line {one.record.line}, column {_columns(path, one, mapping)[0]}"
    return f"{given[0].file}, line {given[0].record.line}" if given else name
