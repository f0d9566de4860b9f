"""A plain table of events (CSV, TSV, XLSX): each row is an event and a source's claim about it."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Literal

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.cells.columns import MISSING, MISSING_MEND, repeated_column, width_fault
from kg.readers.code_lookup import CodedThing, CodeLookup, coordinate_fault
from kg.readers.name_lookup import NameLookup
from kg.readers.periods import Period, period, period_record
from kg.readers.reading import ReadingJob, document, document_slug
from kg.readers.record import Record
from kg.readers.sheets import rows_of
from kg.terms import ID, PREFIXES, distinct_slug, encoded, slugify

# Name, whether it is required, and the explanation in the template.
COLUMNS: Final[tuple[tuple[str, bool, str], ...]] = (
    ("label", True, "what happened, in a few words"),
    ("date", False, "2018-01-31, 2018-01 or 2018; empty if unknown"),
    ("end_date", False, "the last day of a longer event"),
    ("actors", True, "who acted: names, aliases, ISO codes or IRIs, separated by ;"),
    ("recipients", False, "whom it was directed at, in the same form"),
    ("type", True, "CAMEO code (043) or PLOVER type and mode (COERCE deport), separated by ;"),
    ("place", False, "where: a known name or a new one"),
    ("latitude", False, "of a new place, in degrees, north is positive"),
    ("longitude", False, "of a new place, in degrees, east is positive"),
    ("description", False, "a longer description"),
    ("modality", False, "happened (if empty), planned, possible, denied, opinion, projected …"),
    ("source", False, "title of the document that reports it"),
    ("url", False, "its web address"),
    ("publisher", False, "its publisher"),
    ("published", False, "its date of publication, 2018-01-31, 2018-01 or 2018"),
    ("id", False, "your own name for the row; keeps the event's address when the row is edited"),
)
_NAMES: Final = tuple(name for name, _, _ in COLUMNS)
_NEEDED: Final = tuple(name for name, needed, _ in COLUMNS if needed)
_XSD: Final = PREFIXES["xsd"]
_ISSUED: Final = {"day": f"{_XSD}date", "month": f"{_XSD}gYearMonth", "year": f"{_XSD}gYear"}
_SEVERAL: Final = ("actors", "recipients", "type")
# With these, a source states that an event took place.
_TOLD: Final = ("asserted", "happened", "realised")
_MODALITIES: Final = (*_TOLD, "planned", "projected", "opinion", "possible", "undisclosed", "denied")
_MISSING: Final = MISSING | {"-9"}
_MISSING_FAULT: Final = '"{0}" may stand for a missing value; leave the cell empty, or ' + MISSING_MEND
_SUGGESTED: Final = "write CONSULT, COERCE deport, or a CAMEO code such as 043"


def write_template(path: Path) -> None:
    """Write an empty table with its columns and an explanation of each, as .csv, .tsv or .xlsx.

    The line of explanations begins with "#" and is ignored when the table is loaded. Raises
    UnsupportedFormatError for another ending, FileExistsError for an existing file.
    """
    ending = path.suffix.lower()
    lines = (_NAMES, ("# " + COLUMNS[0][2], *(hint for _, _, hint in COLUMNS[1:])))
    if ending == ".xlsx":
        import openpyxl  # here, because few processes need it and it takes long

        book = openpyxl.Workbook()
        sheet = book.active
        for line in lines:
            sheet.append(line)
        # Text cells keep the leading zeros of codes.
        for column in range(1, len(COLUMNS) + 1):
            sheet.column_dimensions[openpyxl.utils.get_column_letter(column)].number_format = "@"
        with path.open("xb") as out:
            book.save(out)
    elif ending in (".csv", ".tsv"):
        with path.open("x", encoding="utf-8", newline="") as text:
            csv.writer(text, delimiter="\t" if ending == ".tsv" else ",").writerows(lines)
    else:
        raise UnsupportedFormatError(
            f"a template cannot be written as {ending or 'a file without an ending'}",
            mend="Use .csv, .tsv or .xlsx.",
        )


def read_events(job: ReadingJob) -> Iterator[Record]:
    """Read a table with the columns of `COLUMNS`, in any order; raises DataSyntaxError for another header."""
    table = _Table(job)
    for name, rows in rows_of(job, lambda column: ";" if _column(column) in _SEVERAL else ""):
        header: list[str] | None = None
        count = 0
        for line, row in rows:
            if not any(row) or row[0].lstrip().startswith("#"):
                continue
            if header is None:
                header = _header(row, f"{name}, line {line}" if line else name)
                table.begin(name)
                continue
            job.rows.read += 1
            count += 1
            wrong = width_fault(row, len(header), count)
            if wrong and len(row) > len(header):
                job.fault(line, "", wrong)
                continue
            cells = dict.fromkeys(_NAMES, "")
            cells |= {key: cell.strip() for key, cell in zip(header, row, strict=False) if key in cells}
            if word := next(((name, cell) for name, cell in cells.items() if _is_missing(name, cell)), None):
                job.fault(line, word[0], _MISSING_FAULT.format(word[1]))
                continue
            yield from table.event(cells, line)


def _is_missing(column: str, cell: str) -> bool:
    """Return whether a cell holds a word for a missing value; NA among actors is the code of Namibia."""
    return cell in _MISSING and not (cell == "NA" and column in ("actors", "recipients"))


def is_event_table(header: list[str]) -> bool:
    """Return whether a header has all required columns."""
    return set(_NEEDED) <= set(map(_column, header))


def resembles_event_table(header: list[str]) -> bool:
    """Return whether most of a header's columns are those of an event table, which may have faults."""
    return 2 * len(set(_NAMES) & set(map(_column, header))) > len(header)


def _column(cell: str) -> str:
    return cell.strip().strip('"\ufeff').lower().replace(" ", "_")


def _header(row: list[str], where: str) -> list[str]:
    header = [_column(cell) for cell in row]
    # pandas writes the numbers of rows into a first column without a name.
    if header[0] in ("", "unnamed:_0"):
        header[0] = ""
    for at, cell in enumerate(header):
        if cell and cell in header[:at]:
            raise repeated_column(cell, header.index(cell), at, where)
    if missing := [column for column in _NEEDED if column not in header]:
        raise DataSyntaxError(
            f"the table has no column {' and no column '.join(missing)}",
            where=where,
            mend=f"Its first line must have the columns {', '.join(_NEEDED)}, as in the template; "
            f"it has {', '.join(filter(None, header))}.",
        )
    unknown = [cell for cell in header if cell and cell not in _NAMES]
    if unknown:
        raise DataSyntaxError(
            f"the column {unknown[0]} is unknown, so its values would be lost",
            where=where,
            mend=f"Remove it, or rename it to one of: {', '.join(_NAMES)}.",
        )
    return header


class _Table:
    """Turns rows into events; the file itself is the source of a row without one."""

    def __init__(self, job: ReadingJob) -> None:
        self._job = job
        self._slug = ""

    def begin(self, name: str) -> None:
        self._slug = slugify(name.rpartition("/")[2].partition(".")[0])
        self._codes, self._names = CodeLookup(self._job, self._slug), NameLookup(self._job, self._slug)

    def event(self, cells: dict[str, str], line: int) -> Iterator[Record]:
        job = self._job
        for name in _NEEDED:
            if not cells[name]:
                job.fault(line, name, "the cell is empty")
                return
        when, types = self._when(cells, line), self._types(cells["type"], line)
        time = (when.begin, when.end) if when else ("", "")
        place = self._place(cells, line, time)
        modality = cells["modality"].lower() or "happened"
        if modality not in _MODALITIES:
            job.fault(line, "modality", f'"{modality}" is not one of {", ".join(_MODALITIES)}')
            return
        source = self._source(cells, line)
        if when is False or types is None or isinstance(place, str) or source is None:
            return
        actors = self._agents(cells["actors"], line, "actors", time)
        recipients = self._agents(cells["recipients"], line, "recipients", time)
        if actors is None or recipients is None:
            return
        digest = hashlib.sha256("\n".join(cells[name] for name in _NAMES).encode()).hexdigest()[:12]
        slug = f"{self._slug}-{encoded(cells['id'] or digest)}"
        if not job.once.first(f"row {slug} {digest}"):
            text = "the row is repeated; it was kept once"
            job.leave_out("repeated row", cells["label"], text, line)
            return
        if not job.once.first(f"event {slug}"):
            text = f"{cells['id']} is the id of an earlier row with other values; give each row its own"
            job.fault(line, "id", text)
            return
        if when and job.once.first(when.slug):
            yield period_record(when, line)
        for one in (*actors, *recipients, *types, place):
            if one is not None and one.record is not None and job.once.first(one.iri):
                yield one.record
        if source[1] is not None and job.once.first(source[0]):
            yield source[1]
        parts: dict[str, list[str]] = {
            "actor": [one.node for one in actors],
            "recipient": [one.node for one in recipients],
            "eventType": [one.node for one in types],
            "time": [thing("time", when.slug)] if when else [],
            "place": [place.node] if place else [],
        }
        # Who denies an event denies all of it, not its actor, type and day one by one.
        took_place = {"tookPlace": [nt.TRUE]}
        told = parts | took_place if modality in _TOLD else parts
        stated = took_place if modality == "denied" else parts | took_place
        day = when.begin if when and when.precision == "day" else None
        who = tuple(dict.fromkeys(one.iri for one in (*actors, *recipients)))
        yield Record(f"{ID}event/{slug}", "Event", _event(slug, cells, told), line, types[0].iri, day, who)
        job.rows.stored += 1
        claim = _claim(slug, cells["label"], stated, modality, source[0])
        yield Record(f"{ID}claim/{slug}", "Claim", claim, line)

    def _when(self, cells: dict[str, str], line: int) -> Period | Literal[False] | None:
        if not cells["date"] and not cells["end_date"]:
            return None
        found: Period | str = "the row has an end date without a date"
        if cells["date"]:
            found = period(cells["date"], cells["end_date"], self._job.options.date_order)
        if isinstance(found, str):
            self._job.fault(line, "date", found)
            return False
        for text in filter(None, (cells["date"], cells["end_date"])):
            self._job.note_date(text, line)
        return found

    def _types(self, text: str, line: int) -> list[CodedThing] | None:
        """Look up event types; an unknown one is an error, because the table is the user's own."""
        found: list[CodedThing] = []
        for word in (piece.strip() for piece in text.split(";")):
            if not word:
                continue
            if word.isdigit():
                coded = self._codes.cameo(word, "", line, "type")
                if coded is None:
                    return None
                if coded.record is None:
                    found.append(coded)
                    continue
            iri = word if word.startswith("http") else f"{ID}event-type/plover-{slugify(word)}"
            if word.isdigit() or not self._job.resolver.event_type(iri):
                self._job.fault(line, "type", f'"{word}" is not a known event type; {_SUGGESTED}')
                return None
            found.append(CodedThing(iri, word))
        return found

    def _agents(self, text: str, line: int, column: str, time: tuple[str, str]) -> list[CodedThing] | None:
        """Look up actors at the time of the row, its first and last day; None if one is a fault."""
        resolver = self._job.resolver
        found: list[CodedThing] = []
        for word in dict.fromkeys(piece.strip() for piece in text.split(";")):
            if not word or word in self._job.missing:
                continue
            country = None
            system: Literal["iso2", "iso3"] = "iso2" if len(word) == 2 else "iso3"
            if len(word) in (2, 3) and word.isupper():
                country = resolver.country(system, word, *time)
            if word.startswith(("http://", "https://")):
                if not resolver.knows(word):
                    self._job.fault(line, column, f"<{word}> is not an actor or place in the graph")
                    return None
                found.append(CodedThing(word, word))
            elif country:
                if word in _MISSING:
                    label = resolver.label(country) or country.rpartition("/")[2].upper()
                    self._job.notes.add("missing value", word, f"{word} was read as {label}", line)
                if note := resolver.mistimed(system, word, *time):
                    self._job.notes.add("country code", note, note, line)
                found.append(CodedThing(country, word))
            elif word in _MISSING:
                self._job.fault(line, column, _MISSING_FAULT.format(word))
                return None
            else:
                found.append(self._names.actor(word, None, line, *time))
        return found

    def _place(self, cells: dict[str, str], line: int, time: tuple[str, str]) -> CodedThing | str | None:
        name = cells["place"]
        known = self._job.resolver.named(name, *time) if name else None
        point = cells["latitude"], cells["longitude"]
        if fault := coordinate_fault(*point):
            self._job.fault(line, "latitude" if "latitude" in fault else "longitude", fault)
            return fault
        if known and known.startswith(f"{ID}country/"):
            note = self._job.resolver.mistimed("name", name, *time)
            self._job.notes.add_all([("country code", note, note)] if note else (), line)
        if known and known.startswith((f"{ID}place/", f"{ID}country/")):
            # Another place may have the name: one with a point is the known place only if it lies there.
            if not any(point) or self._job.resolver.is_near(known, *point):
                return CodedThing(known, name)
            if known.startswith(f"{ID}country/"):
                text = f"{name} is a country, so its point {', '.join(point)} was left out"
                self._job.notes.add("place", name, text, line)
                return CodedThing(known, name)
        found = self._names.place((name,), None, *point, line)
        if isinstance(found, CodedThing):
            self._job.notes.add("place", found.text, f"{found.text} was added as a place of the table", line)
        return found

    def _source(self, cells: dict[str, str], line: int) -> tuple[str, Record | None] | None:
        title, address, publisher, day = (cells[key] for key in ("source", "url", "publisher", "published"))
        if not (title or address):
            slug = slugify(f"table {self._slug}")
            node = thing("source", slug)
            lines = statements(node, (TYPE, dg("Dataset")), (LABEL, nt.english(f"Table {self._slug}")))
            return slug, Record(f"{ID}source/{slug}", "Dataset", lines.encode(), line)
        if address and not address.startswith(("http://", "https://")):
            self._job.fault(line, "url", f'"{address}" is not a web address (https://…)')
            return None
        published = period(day, "", self._job.options.date_order) if day else None
        if isinstance(published, str):
            self._job.fault(line, "published", published)
            return None
        slug = document_slug(address) if address else distinct_slug(publisher, title, day)
        node, dcterms = thing("source", slug), PREFIXES["dcterms"]
        if title:
            lines = statements(
                node,
                (TYPE, dg("Article")),
                (LABEL, nt.english(title)),
                (f"<{dcterms}title>", nt.english(title)),
                (dg("url"), address and nt.url(address)),
            )
        else:
            lines = document(slug, address, line).ntriples.decode()
        body = self._names.actor(publisher, None, line) if publisher else None
        lines += statements(
            node,
            (
                f"<{dcterms}issued>",
                nt.typed(published.slug, _ISSUED[published.precision]) if published else None,
            ),
            (f"<{dcterms}publisher>", body.node if body else None),
        )
        if body and body.record is not None:
            lines += body.record.ntriples.decode()
        return slug, Record(f"{ID}source/{slug}", "Article", lines.encode(), line)


def _event(slug: str, cells: dict[str, str], parts: dict[str, list[str]]) -> bytes:
    """Describe an event."""
    about = cells["description"]
    lines = statements(
        thing("event", slug),
        (TYPE, dg("Event")),
        (LABEL, nt.english(cells["label"])),
        (f"<{PREFIXES['rdfs']}comment>", about and nt.english(about)),
        *((dg(name), value) for name, values in parts.items() for value in dict.fromkeys(values)),
    )
    return lines.encode()


def _claim(slug: str, label: str, parts: dict[str, list[str]], modality: str, source: str) -> bytes:
    """Describe the claim of a document about an event, with the facts that it states."""
    document = thing("source", source)
    stated = [(name, value) for name, values in parts.items() for value in dict.fromkeys(values)]
    facts = [thing("fact", f"{slug}-{number}") for number in range(1, len(stated) + 1)]
    lines = statements(
        thing("claim", slug),
        (TYPE, dg("Claim")),
        (LABEL, nt.english(label)),
        (dg("about"), thing("event", slug)),
        *((dg("states"), fact) for fact in facts),
        (dg("modality"), thing("modality", modality)),
        (dg("statedIn"), document),
        (dg("saidBy"), document),
    )
    for fact, (name, value) in zip(facts, stated, strict=True):
        lines += statements(
            fact,
            (TYPE, dg("Fact")),
            (dg("subject"), thing("event", slug)),
            (dg("predicate"), dg(name)),
            (dg("object"), value),
        )
    return lines.encode()
