"""Applies an RML mapping to a table, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Final, cast

from kg.errors import DataSyntaxError
from kg.rdf.ntriples import TYPE
from kg.readers.cells.columns import MISSING, MISSING_MEND, listed, repeated_column, width_fault
from kg.readers.code_lookup import CodedThing, CodeLookup, remember
from kg.readers.periods import Period, open_period, period, period_record
from kg.readers.reading import ReadingJob
from kg.readers.record import CellError, Record
from kg.readers.rml.mapping import FIELD, LOOKUPS, Column, Mapping, Rule, applies
from kg.readers.rml.term_writers import Cells, whole_number, writer
from kg.readers.sheets import rows_of
from kg.resolver import CodeSystem
from kg.terms import ID, ONTOLOGY, compact, distinct_slug, slugify

_UNKNOWN: Final = Period("unknown", "", "", "unknown", "unknown time")
_EXAMPLE: Final = 80
_SUBJECTS: Final = 500_000


def read_mapped(job: ReadingJob, mapping: Mapping) -> Iterator[Record]:
    """Yield a record for each subject of a row, equal records once.

    An empty cell yields no triple (R2RML section 11); only the words in `map:missing` count as empty. A
    triples map yields nothing for a row in which one of its columns is not found by a lookup or a table of
    values; each is noted. A row for which no main map yields anything is left out, and so is a row that
    yields the same as an earlier one. Raises DataSyntaxError if the table lacks a column of the mapping.
    """
    work = _Work(job, mapping)
    for file, line, cells in _rows(job, mapping):
        for record in work.row(cells, file, line):
            if job.once.first(f"{record.iri} {hash(record.ntriples)}"):
                yield record


@dataclass(frozen=True, slots=True)
class RowRecord:
    """What a row says of one thing, with its file and cells."""

    file: str
    record: Record
    cells: Cells


def read_each_row(job: ReadingJob, mapping: Mapping) -> Iterator[RowRecord]:
    """Yield what each row says, also rows that repeat others; what is the same for all rows has line 0."""
    work = _Work(job, mapping, repeated=True)
    for file, line, cells in _rows(job, mapping):
        for record in work.row(cells, file, line):
            yield RowRecord(file, record, cells)


def _rows(job: ReadingJob, mapping: Mapping) -> Iterator[tuple[str, int, Cells]]:
    """Yield file, line and cells of the rows that are not skipped; rows of another width are reported."""
    missing = mapping.missing | job.missing
    for name, rows in rows_of(job, lambda column: "" if column.strip() in mapping.needed else None):
        header = list(mapping.header) or None
        count = 0
        if header is not None:
            _note_unread(job, mapping, header)
        for line, row in rows:
            if not any(row):
                continue
            if header is None:
                header = [cell.strip() for cell in row]
                where = f"{name}, line {line}" if line else name
                _check(mapping, header, where)
                _note_unread(job, mapping, header)
                continue
            job.rows.read += 1
            count += 1
            if (name, line) in job.skipped:
                job.rows.left_out += 1
            elif wrong := width_fault(row, len(header), count):
                job.fault(line, "", wrong)
            else:
                given = (cell.strip() for cell in row[: len(header)])
                cells = dict(zip(header, ("" if cell in missing else cell for cell in given), strict=True))
                if not MISSING.isdisjoint(cells.values()):
                    for column in sorted(mapping.needed):
                        if hint := _missing_hint(word := cells[column]):
                            text = f"“{word}” was read as it is in {column}{hint}"
                            job.notes.add("missing value", f"{word} {column}", text, line)
                # A column without a name, such as the numbers of rows, is not what an unset option names.
                cells.pop("", None)
                for column in mapping.whole:
                    cells[column] = whole_number(cells[column])
                yield name, line, cells


def _check(mapping: Mapping, header: list[str], where: str) -> None:
    if missing := sorted(mapping.needed - set(header)):
        raise DataSyntaxError(
            f"the table has no column {missing[0]}, which the mapping {mapping.name} needs",
            where=where,
            mend="Correct the mapping or the header.",
        )
    for at, cell in enumerate(header):
        if cell in mapping.needed and cell in header[:at]:
            raise repeated_column(cell, header.index(cell), at, where)


def _note_unread(job: ReadingJob, mapping: Mapping, header: list[str]) -> None:
    names = [cell for cell in header if cell and cell not in mapping.needed]
    if names:
        text = f"not read, since the mapping {mapping.name} does not use them: {listed(names)}"
        job.notes.add("column", text, text, 0)


class _Maker:
    """One triples map, ready to be applied to rows."""

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.subject = writer(rule.subject)
        self._pairs = [(f"<{name}>", writer(term), term.parent) for name, term in rule.pairs]
        self._types = [f"{TYPE} <{name}>" for name in rule.classes]
        self._kind = rule.classes[0].removeprefix(ONTOLOGY) if rule.classes else ""

    def record(self, subject: str, cells: Cells, active: set[str], line: int) -> Record | None:
        """Return what the map says of its subject; references to maps that make nothing are left out."""
        lines = [f"{subject} {name} .\n" for name in self._types]
        for predicate, write, parent in self._pairs:
            value = write(cells) if not parent or parent in active else None
            if value is not None:
                lines.append(f"{subject} {predicate} {value} .\n")
        if not lines:
            return None
        return Record(subject[1:-1], self._kind, "".join(dict.fromkeys(lines)).encode(), line)


class _Work:
    def __init__(self, job: ReadingJob, mapping: Mapping, *, repeated: bool = False) -> None:
        self._job, self._mapping, self._repeated = job, mapping, repeated
        self._values = {column.name: dict(column.values) for column in mapping.columns}
        self._codes = CodeLookup(job, mapping.name)
        self._found: dict[tuple[str, str, str], CodedThing | str] = {}
        self._makers = [_Maker(rule) for rule in mapping.rules]
        computed = {column.name for column in mapping.columns}
        # Columns of the table that together identify a thing, of which a row may lack some.
        self._together = {
            rule.name: names
            for rule in mapping.rules
            if not rule.main and len(names := [n for n in rule.subject.references if n not in computed]) > 1
        }
        self._with_main = any(rule.main for rule in mapping.rules)
        self._needed = {name for rule in mapping.rules if rule.main for name in rule.references}
        # By the subject of a main map: a checksum of what its first row makes, file and line of that row.
        self._subjects: dict[int, tuple[int, str, int]] = {}
        self._constants: set[str] = set()

    def row(self, cells: Cells, file: str, line: int) -> Iterator[Record]:
        """Yield the records of a row; one that has an invalid cell is reported, one without records noted."""
        example = ", ".join(cells.values())[:_EXAMPLE]
        found: list[Record] = []
        missed: set[str] = set()
        try:
            for column in self._mapping.columns:
                found += self._make(column, cells, line, missed)
            makers = [m for m in self._makers if m.rule.applies(cells)]
            known = [m for m in makers if missed.isdisjoint(m.rule.references)]
            for m in known:
                if m.rule.name in self._together:
                    self._note_incomplete(m.rule, cells, line)
            active = [(m, subject) for m in known if (subject := m.subject(cells)) is not None]
            if self._with_main and not any(m.rule.main for m, _ in active):
                self._without_main([m.rule for m in makers if m.rule.main], missed, cells, example, line)
                return
            names = {m.rule.name for m, _ in active}
            made = [
                record
                for m, subject in active
                if m.rule.references and (record := m.record(subject, cells, names, line)) is not None
            ]
            mains = [(m.rule, subject) for m, subject in active if m.rule.main]
            if not self._repeated and self._is_repeated(mains, made, file, line):
                text = f"the row repeats an earlier one, which was kept once (such as: {example})"
                self._job.leave_out("repeated row", self._mapping.name, text, line)
                return
        except CellError as error:
            self._job.fault(line, error.column, error.reason + _missing_hint(cells.get(error.column, "")))
            return
        if not made:
            self._nothing(example, line)
            return
        self._job.rows.stored += 1
        # What needs no column is the same for every row.
        for m, subject in active:
            if not m.rule.references and m.rule.name not in self._constants:
                self._constants.add(m.rule.name)
                found += filter(None, (m.record(subject, cells, names, 0),))
        yield from (*found, *made)

    def _without_main(
        self, mains: list[Rule], missed: set[str], cells: Cells, example: str, line: int
    ) -> None:
        """Count a row for which no main map makes anything; raises CellError for an empty cell."""
        if any(not missed.isdisjoint(rule.references) for rule in mains):
            self._job.rows.left_out += 1  # the lookup has noted it
        elif not mains:
            self._nothing(example, line)
        else:
            empty = [name for name in mains[0].subject.references if not cells[name]]
            columns = self._mapping.sources(empty)
            what = "its value was not found" if any(map(cells.get, columns)) else "the cell is empty"
            raise CellError(" and ".join(columns), f"{what}, and the row needs it")

    def _note_incomplete(self, rule: Rule, cells: Cells, line: int) -> None:
        """Note a thing that a row names and does not identify, such as a place without coordinates."""
        names = self._together[rule.name]
        empty = [name for name in names if not cells[name]]
        if 0 < len(empty) < len(names):
            name = rule.classes[0].rpartition("#")[2] if rule.classes else "thing"
            what = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()
            text = f"{_are_empty(empty)}, so the {what} was left out"
            self._job.notes.add("dropped value", f"{rule.name} {empty}", text, line)

    def _nothing(self, example: str, line: int) -> None:
        text = f"the mapping makes nothing of the row (such as: {example})"
        self._job.leave_out("no record", self._mapping.name, text, line)

    def _is_repeated(self, mains: list[tuple[Rule, str]], made: list[Record], file: str, line: int) -> bool:
        """Return whether an earlier row made the same; raises CellError for other values of a subject."""
        checksum = hash(tuple(record.ntriples for record in made))
        repeated = bool(mains)
        for rule, subject in mains:
            known = self._subjects.get(hash(subject))
            if known is None:
                repeated = False
                remember(self._subjects, hash(subject), (checksum, file, line), _SUBJECTS)
            elif known[0] != checksum:
                where = f"line {known[2]}" if known[1] == file else f"line {known[2]} of {known[1]}"
                raise CellError(
                    " and ".join(self._mapping.sources(rule.subject.references)),
                    f"{compact(subject[1:-1])} has other values on {where}; correct one of the two rows, or"
                    " give each its own identifier",
                )
        return repeated

    def _make(self, column: Column, cells: dict[str, str], line: int, missed: set[str]) -> Iterator[Record]:
        text = cells.get(column.reference, "")
        label = ""
        if not applies(column.only, cells):
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
        whole = {column.name, f"{column.name}_label"} & self._needed
        outcome = "the row was left out" if whole else "what depends on it was left out"
        if column.optional:
            outcome = "that value was left out"
        outcome += _missing_hint(text)
        if column.kind == "values":
            values = self._values[column.name]
            given = values.get(text, values.get(whole_number(text), values.get("")))
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
        known = bool(near) and near[0][0].casefold() == text.casefold()
        hint = " at that time" if known else f" (did you mean {near[0][0]}?)" if near else ""
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
            empty = _are_empty(_fields(column.reference or column.end))
            self._job.notes.add("date", column.name, f"{empty}, so the time is unknown", line)
        if isinstance(found, str):
            at_end = begin and not isinstance(self._period(begin), str)
            raise CellError(" and ".join(_fields(column.end if at_end else column.reference)), found)
        for text in filter(None, (begin, end)):
            self._job.note_date(text, line)
        cells[column.name] = found.slug
        cells[f"{column.name}_label"] = found.label
        yield period_record(found, line)


def _missing_hint(text: str) -> str:
    """Return how to say that a word stands for a missing value, empty for other texts."""
    return f"; if {text} means that it is missing, {MISSING_MEND.format(text)}" if text in MISSING else ""


def _are_empty(names: list[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last} are empty" if others else f"{last} is empty"


def _fields(text: str) -> list[str]:
    return FIELD.findall(text) or [text]


def _date(text: str, cells: dict[str, str]) -> str:
    """Return a date from a column, or from columns of year, month and day up to the first empty one."""
    names = FIELD.findall(text)
    if not names:
        return cells.get(text, "")
    given = takewhile(bool, (whole_number(cells[name]) for name in names))
    return "-".join(part.zfill(2) if number else part for number, part in enumerate(given))
