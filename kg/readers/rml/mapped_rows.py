"""Applies an RML mapping to a table, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, cast
from urllib.parse import quote

import pyoxigraph
from pyoxigraph import NamedNode

from kg.errors import DataSyntaxError
from kg.rdf import ntriples as nt
from kg.rdf.literals import literal_fault
from kg.rdf.ntriples import LABEL, TYPE, dg
from kg.readers.periods import Period, open_period, period, period_record
from kg.readers.reading import ReadingJob
from kg.readers.record import CellError, Record
from kg.readers.rml.mapping import FIELD, Column, Mapping, Rule, TermMap
from kg.readers.sheets import rows_of
from kg.resolver import CodeSystem
from kg.terms import ID, ONTOLOGY, PREFIXES, slugify

# Characters that are not unreserved in an IRI (RFC 3987) are percent-encoded (R2RML 7.3).
_NOT_IN_IRIS: Final = re.compile(r"[\x00-\x20\"<>\\^`{|}\x7f-\xa0]")
_UNRESERVED: Final = re.compile(r"[^\w.~-]")
_UNKNOWN: Final = Period("unknown", "", "", "unknown", "unknown time")


def read_mapped(job: ReadingJob, mapping: Mapping) -> Iterator[Record]:
    """Yield a record for each subject of a row, equal records once.

    An empty cell yields no triple (R2RML section 11); no word is taken for an empty cell. Raises
    DataSyntaxError if the table lacks a column of the mapping.
    """
    work = _Work(job, mapping)
    for name, rows in rows_of(job):
        header: list[str] | None = None
        for line, row in rows:
            if not any(row):
                continue
            if header is None:
                header = [cell.strip() for cell in row]
                _check(mapping, header, name)
            elif len(row) != len(header):
                job.fault(line, "", f"the row has {len(row)} columns in place of {len(header)}")
            else:
                yield from work.row(dict(zip(header, (cell.strip() for cell in row), strict=True)), line)


def _check(mapping: Mapping, header: list[str], name: str) -> None:
    if missing := sorted(mapping.needed - set(header)):
        raise DataSyntaxError(
            f"the table has no column {missing[0]}, which the mapping {mapping.name} needs",
            where=f"{name}, line 1",
            mend="Correct the mapping or the header.",
        )


class _Work:
    def __init__(self, job: ReadingJob, mapping: Mapping) -> None:
        self._job, self._mapping = job, mapping
        self._labels: dict[str, str] = {}

    def row(self, cells: dict[str, str], line: int) -> Iterator[Record]:
        """Yield the records of a row, or report the first invalid cell."""
        found: list[Record] = []
        try:
            for column in self._mapping.columns:
                found += self._make(column, cells, line)
            for rule in self._mapping.rules:
                if all(cells[name] in values for name, values in rule.only):
                    found += self._apply(rule, cells, line)
        except CellError as error:
            self._job.fault(line, error.column, error.reason)
            return
        for record in found:
            if self._job.once.first(f"{record.iri} {hash(record.ntriples)}"):
                yield record

    def _make(self, column: Column, cells: dict[str, str], line: int) -> Iterator[Record]:
        text = cells.get(column.reference, "")
        if any(cells[name] not in values for name, values in column.only):
            cells[column.name] = cells[f"{column.name}_label"] = ""
            return
        if column.kind == "slug":
            cells[column.name] = slugify(text) if text else ""
        elif column.kind == "title":
            cells[column.name] = text.replace("-", " ").replace("_", " ").capitalize()
        elif column.kind == "lookup":
            yield from self._look_up(column, text, cells, line)
        else:
            yield from self._interval(column, text, cells, line)

    def _look_up(self, column: Column, text: str, cells: dict[str, str], line: int) -> Iterator[Record]:
        if not text:
            cells[column.name] = cells[f"{column.name}_label"] = ""
            return
        resolver = self._job.resolver
        if column.system == "name":
            iri = resolver.country_named(text)
        else:
            iri = resolver.country(cast(CodeSystem, column.system), text)
        if iri is not None:
            cells[column.name] = iri.removeprefix(f"{ID}country/")
            cells[f"{column.name}_label"] = resolver.label(iri) or cells.get(column.label, text)
            return
        slug, label = f"{self._mapping.name}-{slugify(text)}", cells.get(column.label) or text
        if label.islower():
            label = label.replace("-", " ").title()
        # A state that is renamed within the table keeps its first name.
        label = self._labels.setdefault(slug, label)
        cells[column.name], cells[f"{column.name}_label"] = slug, label
        note = f"{label} was added as a country of the table"
        self._job.notes.add("country code", text, note, line)
        named = ((LABEL, nt.english(label)), (dg("sourceCode"), nt.plain(text)))
        lines = nt.statements(nt.thing("country", slug), (TYPE, dg("Country")), *named)
        yield Record(f"{ID}country/{slug}", "Country", lines.encode(), line)

    def _interval(self, column: Column, begin: str, cells: dict[str, str], line: int) -> Iterator[Record]:
        end = cells.get(column.end, "") if column.end else ""
        found: Period | str
        if end == column.open_end:
            end = ""
        if begin and end:
            found = period(begin, end)
        elif begin:
            found = period(begin)
            if isinstance(found, Period):
                found = open_period(begin, found.begin)
        elif end:
            found = period(end)
            if isinstance(found, Period):
                found = Period(f"until--{end}", "", found.end, "open", f"until {end}")
        else:
            found = _UNKNOWN
        if isinstance(found, str):
            at_end = begin and not isinstance(period(begin), str)
            raise CellError(column.end if at_end else column.reference, found)
        cells[column.name] = found.slug
        yield period_record(found, line)

    def _apply(self, rule: Rule, cells: dict[str, str], line: int) -> Iterator[Record]:
        subject = _write(rule.subject, cells)
        if subject is None:
            return
        lines = [f"{subject} {TYPE} <{name}> .\n" for name in rule.classes]
        for predicate, term in rule.pairs:
            value = _write(term, cells)
            if value is not None:
                lines.append(f"{subject} <{predicate}> {value} .\n")
        if lines:
            kind = rule.classes[0].removeprefix(ONTOLOGY) if rule.classes else ""
            yield Record(subject[1:-1], kind, "".join(dict.fromkeys(lines)).encode(), line)


def _write(term: TermMap, cells: dict[str, str]) -> str | None:
    """Return a term as N-Triples, None if one of its cells is empty."""
    if any(not cells[name] for name in term.references):
        return None
    text = cells[term.value] if term.kind == "reference" else term.value
    if term.kind == "template":
        text = FIELD.sub(lambda found: _encoded(cells[found[1]], term.iri), text)
        text = text.replace("\\{", "{").replace("\\}", "}")
    column = term.references[0] if term.references else ""
    if term.iri:
        try:
            if _NOT_IN_IRIS.search(text):
                raise ValueError
            return str(NamedNode(text))
        except ValueError:
            raise CellError(column, f'"{text}" is not an absolute IRI') from None
    if not term.datatype:
        return nt.plain(text) + (f"@{term.language.lower()}" if term.language else "")
    literal = pyoxigraph.Literal(text, datatype=NamedNode(term.datatype))
    if fault := literal_fault(literal):
        raise CellError(column, fault)
    return nt.typed(text, term.datatype) if term.datatype.startswith(PREFIXES["xsd"]) else str(literal)


def _encoded(text: str, iri: bool) -> str:
    return _UNRESERVED.sub(lambda found: quote(found[0], safe=""), text) if iri else text
