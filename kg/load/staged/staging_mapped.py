"""Checking the records of a user's own mapping by the shapes, with the row and column of each finding."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.load.model import Progress, watching
from kg.load.staged.staging_rdf import RdfRead
from kg.load.staged.table_reading import TableReading
from kg.rdf.sorted_lines import read_lines, sort_lines
from kg.readers.record import Record
from kg.readers.rml.mapping import Mapping
from kg.store import Store
from kg.terms import PREFIXES, term
from kg.validation.findings import Finding, in_order
from kg.validation.known_terms import SUBCLASS
from kg.validation.piecewise import PiecewiseValidation
from kg.validation.shacl import read_shapes

_MEND: Final = "Correct these rows or the mapping; docs/mapping.md lists what each class needs."


def check_mapped(
    store: Store, new: Path, graph: NamedNode, table: TableReading, mapping: Mapping, progress: Progress
) -> RdfRead:
    """Check the sorted N-Triples that a mapping made of a table, in bounded memory.

    The table is read a second time for the rows of the findings, if there are any.
    """
    with tempfile.TemporaryDirectory(prefix=".mapped-", dir=new.parent) as folder:
        inverse = Path(folder) / "inverse.nt"
        backwards = {str(name).encode() for name in read_shapes().inverse_properties}
        sort_lines((_turned(line) for line in read_lines(new) if _leads(line, backwards)), inverse)
        hierarchy = b"".join(line for line in read_lines(new) if _predicate(line) == str(SUBCLASS).encode())
        subclasses = [quad.triple for quad in pyoxigraph.parse(hierarchy, format=RdfFormat.N_TRIPLES)]
        validation = PiecewiseValidation(store, new, inverse, graph, subclasses)
        checked = validation.check(watch=watching(progress, "checking"))
    rows = _rows(table, {one.node for one in checked.findings}) if checked.findings else {}
    findings = tuple(
        (one.severity, f"{_place(one, rows.get(one.node, []), table.name, mapping)}: {one.text}")
        for one in in_order(checked.findings)
    )
    return RdfRead(new, graph, findings, checked, mend=_MEND)


def _predicate(line: bytes) -> bytes:
    return line.split(b" ", 2)[1]


def _leads(line: bytes, predicates: set[bytes]) -> bool:
    _, predicate, rest = line.split(b" ", 2)
    return predicate in predicates and rest.startswith(b"<")


def _turned(line: bytes) -> bytes:
    subject, predicate, rest = line.split(b" ", 2)
    return b"%s %s %s .\n" % (rest.removesuffix(b" .\n"), predicate, subject)


def _rows(table: TableReading, nodes: set[str]) -> dict[str, list[Record]]:
    """Return the records of some things, in the order of the table."""
    found: dict[str, list[Record]] = {}
    for record in table.read_again():
        if record.iri in nodes:
            found.setdefault(record.iri, []).append(record)
    return found


def _place(finding: Finding, records: list[Record], file: str, mapping: Mapping) -> str:
    """Return file, line and column of a finding: of the first row that gives the property, if one does."""
    # An unknown property is the value of its finding.
    name = finding.path or finding.value or ""
    path = term(name).value if name.partition(":")[0] in PREFIXES else name
    giving = [one for one in records if f"<{path}>".encode() in one.ntriples]
    lines = [one.line for one in giving or records]
    columns = mapping.columns_of(path) if giving else ()
    where = file + (f", line {lines[0]}" if lines else "")
    return where + (f", column {' and '.join(columns)}" if columns else "")
