"""Applies an RML mapping to a table, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import Final, cast

import pyoxigraph
from pyoxigraph import NamedNode

from kg.errors import DataSyntaxError
from kg.rdf import ntriples as nt
from kg.rdf.literals import literal_fault
from kg.rdf.ntriples import TYPE
from kg.readers.cells.columns import MISSING, MISSING_MEND
from kg.readers.code_lookup import CodedThing, CodeLookup, remember
from kg.readers.periods import Period, open_period, period, period_record
from kg.readers.reading import ReadingJob
from kg.readers.record import CellError, Record
from kg.readers.rml.mapping import FIELD, LOOKUPS, Column, Mapping, Rule, TermMap
from kg.readers.sheets import rows_of
from kg.resolver import CodeSystem
from kg.terms import ID, ONTOLOGY, PREFIXES, distinct_slug, encoded, slugify

_NOT_IN_IRIS: Final = re.compile(r"[\x00-\x20\"<>\\^`{|}\x7f-\xa0]")
_UNKNOWN: Final = Period("unknown", "", "", "unknown", "unknown time")
# Spreadsheets and pandas write 771 as 771.0.
_FLOAT: Final = re.compile(r"(-?\d+)\.0+", re.ASCII)
_EXAMPLE: Final = 80
_INTEGERS: Final = frozenset(
    PREFIXES["xsd"] + name
    for name in ("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger")
)


def read_mapped(job: ReadingJob, mapping: Mapping) -> Iterator[Record]:
    """Yield a record for each subject of a row, equal records once.

    An empty cell yields no triple (R2RML section 11); only the words in `map:missing` count as empty. A
    triples map yields nothing for a row in which one of its columns is not found by a lookup or a table of
    values; each is noted. Raises DataSyntaxError if the table lacks a column of the mapping.
    """
    work, missing = _Work(job, mapping), mapping.missing | job.missing
    for name, rows in rows_of(job, lambda column: "" if column.strip() in mapping.needed else None):
        header = list(mapping.header) or None
        for line, row in rows:
            if not any(row):
                continue
            if header is None:
                header = [cell.strip() for cell in row]
                _check(mapping, header, f"{name}, line {line}" if line else name)
                continue
            job.rows.read += 1
            if len(row) != len(header):
                job.fault(line, "", f"the row has {len(row)} columns in place of {len(header)}")
            else:
                stripped = (cell.strip() for cell in row)
                cells = {
                    name: "" if one in missing else one for name, one in zip(header, stripped, strict=True)
                }
                if not MISSING.isdisjoint(cells.values()):
                    for name in sorted(mapping.needed):
                        if hint := _missing_hint(word := cells[name]):
                            text = f"{word} was read as it is in {name}{hint}"
                            job.notes.add("missing value", f"{word} {name}", text, line)
                yield from work.row(cells, line)


def _check(mapping: Mapping, header: list[str], where: str) -> None:
    if missing := sorted(mapping.needed - set(header)):
        raise DataSyntaxError(
            f"the table has no column {missing[0]}, which the mapping {mapping.name} needs",
            where=where,
            mend="Correct the mapping or the header.",
        )


class _Work:
    def __init__(self, job: ReadingJob, mapping: Mapping) -> None:
        self._job, self._mapping = job, mapping
        self._values = {column.name: dict(column.values) for column in mapping.columns}
        self._codes = CodeLookup(job, mapping.name)
        self._found: dict[tuple[str, str, str], CodedThing | str] = {}
        self._columns = {
            rule.name: {n for one in rule.terms for n in one.references} for rule in mapping.rules
        }

    def row(self, cells: dict[str, str], line: int) -> Iterator[Record]:
        """Yield the records of a row, or report the first invalid cell; a row without records is noted."""
        example = ", ".join(cells.values())[:_EXAMPLE]
        found: list[Record] = []
        missed: set[str] = set()
        own = False
        try:
            for column in self._mapping.columns:
                found += self._make(column, cells, line, missed)
            for rule in self._mapping.rules:
                left_out = not missed.isdisjoint(self._columns[rule.name])
                if not left_out and all(cells[name] in values for name, values in rule.only):
                    made = list(self._apply(rule, cells, line))
                    # The same things are made of every row.
                    own = own or (bool(made) and rule.subject.kind != "constant")
                    found += made
        except CellError as error:
            self._job.fault(line, error.column, error.reason + _missing_hint(cells.get(error.column, "")))
            return
        if not own:
            text = f"the mapping makes nothing of the row (such as: {example})"
            self._job.leave_out("no record", self._mapping.name, text, line)
            return
        self._job.rows.stored += 1
        for record in found:
            if self._job.once.first(f"{record.iri} {hash(record.ntriples)}"):
                yield record

    def _make(self, column: Column, cells: dict[str, str], line: int, missed: set[str]) -> Iterator[Record]:
        text = cells.get(column.reference, "")
        label = ""
        if any(cells[name] not in values for name, values in column.only):
            text = ""
        elif column.kind == "interval":
            yield from self._interval(column, cells, line)
            return
        elif column.kind == "slug":
            text = slugify(text) if text else ""
        elif column.kind == "mint":
            text = distinct_slug(text) if text else ""
        elif column.kind == "title":
            text = text.replace("-", " ").replace("_", " ").capitalize()
        elif text:
            found = self._find(column, text, cells)
            if isinstance(found, str):
                self._job.notes.add("lookup", f"{column.name} {text}", found, line)
                text, label = "", cells.get(column.label, "") or text
                if not column.optional:
                    missed.update((column.name, f"{column.name}_label"))
            else:
                self._job.notes.add_all(found.notes, line)
                if found.record is not None:
                    yield found.record
                text, label = found.iri, found.text
        cells[column.name], cells[f"{column.name}_label"] = text, label

    def _find(self, column: Column, text: str, cells: dict[str, str]) -> CodedThing | str:
        """Return what a text of a column stands for, or a message if that is not known."""
        day = ""
        if column.date:
            when = self._period(_date(column.date, cells))
            day = when.begin if isinstance(when, Period) else ""
        key = column.name, text, day
        if key not in self._found:
            remember(self._found, key, self._value(column, text, day))
        return self._found[key]

    def _value(self, column: Column, text: str, day: str) -> CodedThing | str:
        resolver = self._job.resolver
        outcome = "that value was left out" if column.optional else "what depends on it was left out"
        outcome += _missing_hint(text)
        if column.kind == "values":
            values = self._values[column.name]
            given = values.get(text, values.get(_whole(text), values.get("")))
            if given is not None:
                return CodedThing(given, text)
            return f"“{text}” is not among the values of {column.name} in the mapping; {outcome}"
        if column.system == "cameo-event":
            found = self._codes.type(text, "", 0)
            return found if isinstance(found, CodedThing) else f"{found}; {outcome}"
        if column.system == "cameo-actor":
            # A country or region, and types of three letters each.
            parts = [text[at : at + 3] for at in range(0, len(text), 3)]
            types = parts[
                resolver.country("cameo", parts[0]) is not None or bool(resolver.region(parts[0])) :
            ]
            actor = self._codes.actor((text, "", "", "", "", "", "", *(*types, "", "", "")[:3]), 0, day)
            return actor or f"“{text}” is not {LOOKUPS[column.system]}; {outcome}"
        if column.system == "actor":
            iri = resolver.actor_named(text, day)
        elif column.system == "name":
            iri = resolver.country_named(text, day)
        else:
            iri = resolver.country(cast(CodeSystem, column.system), text, day)
        if iri is not None:
            label = resolver.label(iri) or text
            value = iri if column.system == "actor" else iri.removeprefix(f"{ID}country/")
            system = "name" if column.system == "actor" else cast(CodeSystem, column.system)
            note = resolver.mistimed(system, text, day)
            return CodedThing(value, label, notes=(("country code", note, note),) if note else ())
        near = resolver.suggest(text) if column.system in ("name", "actor") else []
        hint = f" (did you mean {near[0][0]}?)" if near else ""
        return f"“{text}” is not {LOOKUPS[column.system]}{hint}; {outcome}"

    def _period(self, begin: str, end: str = "") -> Period | str:
        return period(begin, end, self._job.options.date_order)

    def _month(self, text: str) -> str:
        """Return the month of a date, and a text that is not a date as it is."""
        found = self._period(text) if text else ""
        return found.begin[:7] if isinstance(found, Period) and found.precision == "day" else text

    def _interval(self, column: Column, cells: dict[str, str], line: int) -> Iterator[Record]:
        begin, end = _date(column.reference, cells), _date(column.end, cells)
        if column.precision and cells[column.precision] in column.coarse:
            begin = self._month(begin)
        found: Period | str
        if end == column.open_end:
            end = ""
        if begin and end:
            found = self._period(begin, end)
        elif begin:
            found = self._period(begin)
            # Without a column for the end, the interval is that of the date.
            if isinstance(found, Period) and column.end:
                found = open_period(found.slug, found.begin)
        elif end:
            found = self._period(end)
            if isinstance(found, Period):
                found = Period(f"until--{found.slug}", "", found.end, "open", f"until {found.slug}")
        else:
            found = _UNKNOWN
        if isinstance(found, str):
            at_end = begin and not isinstance(self._period(begin), str)
            raise CellError(" and ".join(_fields(column.end if at_end else column.reference)), found)
        cells[column.name] = found.slug
        cells[f"{column.name}_label"] = found.label
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
        text = FIELD.sub(lambda found: encoded(cells[found[1]]) if term.iri else cells[found[1]], text)
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
    if term.datatype in _INTEGERS:
        text = _whole(text)
    literal = pyoxigraph.Literal(text, datatype=NamedNode(term.datatype))
    if fault := literal_fault(literal):
        raise CellError(column, fault)
    return nt.typed(text, term.datatype) if term.datatype.startswith(PREFIXES["xsd"]) else str(literal)


def _missing_hint(text: str) -> str:
    """Return how to say that a word stands for a missing value, empty for other texts."""
    return f"; if {text} means that it is missing, {MISSING_MEND.format(text)}" if text in MISSING else ""


def _whole(text: str) -> str:
    """Return a whole number that was written as a decimal fraction (771.0), and other text as it is."""
    found = _FLOAT.fullmatch(text)
    return found[1] if found else text


def _fields(text: str) -> list[str]:
    return FIELD.findall(text) or [text]


def _date(text: str, cells: dict[str, str]) -> str:
    """Return a date from a column, or from columns of year, month and day up to the first empty one."""
    names = FIELD.findall(text)
    if not names:
        return cells.get(text, "")
    given = takewhile(bool, (_whole(cells[name]) for name in names))
    return "-".join(part.zfill(2) if number else part for number, part in enumerate(given))
