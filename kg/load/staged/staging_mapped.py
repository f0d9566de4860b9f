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
from kg.readers.record import Record, RowFault
from kg.readers.rml.mapping import Mapping
from kg.store import Store
from kg.terms import ONTOLOGY, PREFIXES, term
from kg.validation.findings import Finding, in_order
from kg.validation.known_terms import SUBCLASS
from kg.validation.piecewise import FileFindings, PiecewiseValidation
from kg.validation.shacl import read_shapes

_Given = tuple[str, Record]
_ROWS: Final = 10_000
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
    broken.sort(key=lambda one: (one.file, one.line))
    return RdfRead(new, graph, findings, checked, mend=_MEND), broken


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


def _given(table: TableReading, mapping: Mapping, nodes: set[str]) -> dict[str, list[_Given]]:
    """Return what rows say of some things, with the file; not what is the same for all rows."""
    found: dict[str, list[_Given]] = {}
    for file, record in table.every_record(mapping):
        if record.iri in nodes and record.line and len(found.setdefault(record.iri, [])) < _ROWS:
            found[record.iri].append((file, record))
    return found


def _faults(finding: Finding, given: list[_Given], mapping: Mapping) -> list[RowFault]:
    """Return the faults of the rows that a violation is about.

    These are the rows that give the property, or that say anything of the thing where none does. Where rows
    give a property several values that may have one, the first row is right.
    """
    path = _path(finding)
    giving = [(file, record, _values(record, path)) for file, record in given if _values(record, path)]
    if not giving:
        text = f"there is no value; {finding.text}" if finding.path else finding.text
        return [RowFault(file, one.line, _columns(path, one, mapping), text) for file, one in given]
    _, first, values = giving[0]
    others = [] if finding.value else [one for one in giving if one[2] != values]
    text = f"{finding.text} Line {first.line} has another value." if others else finding.text
    return [RowFault(file, one.line, _columns(path, one, mapping), text) for file, one, _ in others or giving]


def _path(finding: Finding) -> str:
    # An unknown property is the value of its finding.
    name = finding.path or finding.value or ""
    return term(name).value if name.partition(":")[0] in PREFIXES else name


def _values(record: Record, path: str) -> list[bytes]:
    return [line for line in record.ntriples.splitlines() if _predicate(line) == f"<{path}>".encode()]


def _columns(path: str, record: Record, mapping: Mapping) -> str:
    kind = record.kind if ":" in record.kind else ONTOLOGY + record.kind
    return " and ".join(mapping.columns_of(path, kind if record.kind else ""))


def _place(finding: Finding, given: list[_Given], name: str, mapping: Mapping) -> str:
    """Return file, line and column of a finding: of the first row that gives the property, if one does."""
    path = _path(finding)
    for file, record in given:
        if _values(record, path):
            return f"{file}, line {record.line}, column {_columns(path, record, mapping)}"
    return f"{given[0][0]}, line {given[0][1].line}" if given else name
