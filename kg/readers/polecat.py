"""POLECAT events: columns by name; PLOVER types, modes, contexts; several actors and recipients.

Columns are found by name, as in the yearly and weekly files of the POLECAT Dataverse (40 columns, from
"Event ID" to "Version"). Lists are separated by semicolons; "None" is an empty value, except in names. Rows
may have fewer columns than the header, or further empty ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.cells.columns import MISSING, Form, named_rows
from kg.readers.code_lookup import CodedThing, Note, own_event_type
from kg.readers.name_lookup import NameLookup, described, head
from kg.readers.reading import ReadingJob, dataset, minted
from kg.readers.record import QUAD_CLASSES, Record
from kg.terms import ID, encoded, slugify

COLUMNS: Final = (
    *("Event ID", "Event Date", "Event Type", "Event Mode", "Intensity", "Quad Code", "Contexts"),
    *("Actor Name", "Actor Country", "Actor COW", "Primary Actor Sector", "Actor Sectors", "Actor Title"),
    *("Actor Name Raw", "Wikipedia Actor ID", "Recipient Name", "Recipient Country", "Recipient COW"),
    *("Primary Recipient Sector", "Recipient Sectors", "Recipient Title", "Recipient Name Raw"),
    *("Wikipedia Recipient ID", "Placename", "City", "District", "Province", "Country", "Latitude"),
    *("Longitude", "GeoNames ID", "Raw Placename", "Feature Type", "Source", "Publication Date"),
    *("Story People", "Story Organizations", "Story Locations", "Language", "Version"),
)
FORM: Final = Form(
    "POLECAT",
    COLUMNS,
    ("Event ID", "Event Date", "Event Type", "Actor Name", "Recipient Name"),
    "Event Date",
    (len(COLUMNS),),
    several=dict.fromkeys(
        (
            *("Event Mode", "Contexts", "Actor Name", "Actor Country", "Actor COW", "Actor Sectors"),
            *("Recipient Name", "Recipient Country", "Recipient COW", "Recipient Sectors"),
        ),
        ";",
    ),
)
_SLUG: Final = "polecat"


def read_polecat(job: ReadingJob) -> Iterator[Record]:
    """Read rows with POLECAT's columns by name, or of 40 columns without a header."""
    yield dataset(
        _SLUG,
        "POLECAT event data",
        "Events coded by a program from news reports, by the PLOVER ontology, with several actors.",
        ("polecat", "POLECAT, Political Event Classification, Attributes, and Types"),
        "See the terms of the Dataverse from which the file was taken.",
        "https://dataverse.harvard.edu/dataverse/polecat",
    )
    names, types = NameLookup(job, _SLUG), _Types(job)
    for line, row in named_rows(job, FORM):
        yield from _record(job, names, types, dict(zip(COLUMNS, row, strict=True)), line)


def _values(text: str) -> list[str]:
    return [value for piece in text.split(";") if (value := piece.strip()) and value not in MISSING]


def _value(cell: dict[str, str], name: str) -> str:
    value = cell.get(name, "").strip()
    return "" if value == "None" else value


class _Types:
    """PLOVER types and modes; those missing in the scheme become event types of the dataset."""

    def __init__(self, job: ReadingJob) -> None:
        self._job = job
        self._found: dict[tuple[str, str], list[CodedThing]] = {}

    def find(self, kind: str, mode: str, line: int) -> list[CodedThing]:
        if (kind, mode) not in self._found:
            found = [self._one(kind, None, line)]
            if mode:
                special = self._one(f"{kind} {mode}", found[0].iri, line)
                # A mode outside the scheme has no quad class, so its type is kept, too.
                found = [special] if special.record is None else [*found, special]
            self._found[kind, mode] = found
        for one in self._found[kind, mode]:
            self._job.notes.add_all(one.notes, line)
        return self._found[kind, mode]

    def _one(self, name: str, broader: str | None, line: int) -> CodedThing:
        iri = f"{ID}event-type/plover-{slugify(name)}"
        if self._job.resolver.event_type(iri):
            return CodedThing(iri, nt.escape(name))
        iri = f"{ID}event-type/{minted(_SLUG, name)}"
        own: Note = ("event type", name, f"event type {name} is not in the scheme")
        record = own_event_type(iri, f"{name} of POLECAT", _SLUG, line, broader=broader)
        return CodedThing(iri, nt.escape(name), record, notes=(own,))


def _side(
    job: ReadingJob, names: NameLookup, cell: dict[str, str], role: str, line: int, day: str
) -> list[CodedThing]:
    """Look up the actors or recipients; country codes apply to names only if there are equally many."""
    who = _values(cell[f"{role} Name"])
    codes, numbers = (
        [piece.strip().replace("None", "") for piece in cell.get(f"{role} {column}", "").split(";")]
        for column in ("Country", "COW")
    )
    found = []
    for index, name in enumerate(who):
        code = codes[index] if len(codes) == len(who) else ""
        number = numbers[index] if len(numbers) == len(who) else ""
        country = _country(job, code, line, day)
        if country is None and number:
            country = job.resolver.country("cow", number, day)
        found.append(names.actor(name, country, line, day))
    return found


def _country(job: ReadingJob, code: str, line: int, day: str) -> str | None:
    """Return the country with an ISO 3166 code on a day; an unknown one is noted."""
    if not code:
        return None
    country = job.resolver.country("iso3", code, day)
    text = job.resolver.mistimed("iso3", code, day)
    if country is None:
        text = f"{code} is not an ISO 3166 code, so the country is missing"
    if text:
        job.notes.add("country code", text, text, line)
    return country


def _record(
    job: ReadingJob, names: NameLookup, types: _Types, cell: dict[str, str], line: int
) -> Iterator[Record]:
    identifier = cell["Event ID"]
    if not identifier:
        job.fault(line, "Event ID", "the row has no identifier")
        return
    when = job.day(cell["Event Date"], line, "Event Date")
    if when is None:
        return
    if not _value(cell, "Event Type"):
        job.fault(line, "Event Type", "the row has no event type")
        return
    quad = _value(cell, "Quad Code").lower().replace(" ", "-")
    quad = QUAD_CLASSES[int(quad) - 1] if quad in ("1", "2", "3", "4") else quad
    if quad not in ("", "none", *QUAD_CLASSES):
        job.fault(line, "Quad Code", f'"{cell["Quad Code"]}" is not a quad class')
        return
    try:
        intensity = nt.decimal(value) if (value := _value(cell, "Intensity")) else ""
    except ValueError as error:
        job.fault(line, "Intensity", str(error))
        return
    place = _place(job, names, cell, line, when[0])
    if isinstance(place, str):
        job.fault(line, "Latitude" if "latitude" in place else "Longitude", place)
        return
    actors, recipients = (_side(job, names, cell, role, line, when[0]) for role in ("Actor", "Recipient"))
    modes = _values(cell.get("Event Mode", ""))
    kinds = [one for mode in modes or [""] for one in types.find(cell["Event Type"].strip(), mode, line)]
    suffix = job.repeated(identifier, "\t".join(cell.values()), line)
    if suffix is None:
        return
    yield from described(job, when[0], [*kinds, *actors, *recipients, place], line)
    iri = f"{ID}record/{_SLUG}-{encoded(identifier)}{suffix}"
    sides = " → ".join("; ".join(_values(cell[f"{role} Name"])) or "?" for role in ("Actor", "Recipient"))
    label = f"POLECAT {identifier}: {sides}, {' '.join([cell['Event Type'], *modes])}"
    source = minted(_SLUG, published) if (published := _value(cell, "Source")) else ""
    roles = (("eventType", kinds), ("codedActor", actors), ("codedRecipient", recipients))
    texts = (
        ("Contexts", "codedContext"),
        ("Actor Name", "actorName"),
        ("Recipient Name", "recipientName"),
        ("Actor Sectors", "actorSector"),
        ("Recipient Sectors", "recipientSector"),
    )
    lines = head(iri, _SLUG, identifier, label, when[0]) + statements(
        f"<{iri}>",
        *((dg(role), node) for role, things in roles for node in dict.fromkeys(one.node for one in things)),
        (dg("codedPlace"), place.node if place else None),
        (dg("codedQuadClass"), thing("quad-class", quad) if quad in QUAD_CLASSES else None),
        (dg("intensity"), intensity),
        *(
            (dg(name), nt.plain(value))
            for column, name in texts
            for value in dict.fromkeys(_values(cell.get(column, "")))
        ),
        (dg("codedFrom"), source and thing("source", source)),
    )
    if source and job.once.first(source):
        described_source = statements(
            thing("source", source), (TYPE, dg("Source")), (LABEL, nt.english(published))
        )
        yield Record(f"{ID}source/{source}", "Source", described_source.encode(), line)
    if job.grouping is not None:
        # A publication is not a document: records are grouped by day, pair, type and place.
        sides_key = [" ".join(sorted({one.iri for one in side})) for side in (actors, recipients)]
        where = place.iri if place and place.exact else ""
        job.grouping.add(iri, when[0], sides_key[0], sides_key[1], kinds[-1].iri, where, "")
    who = tuple(dict.fromkeys(one.iri for one in (*actors, *recipients)))
    job.rows.stored += 1
    yield Record(iri, "CodingRecord", lines.encode(), line, kinds[-1].iri, when[0], who)


def _place(
    job: ReadingJob, names: NameLookup, cell: dict[str, str], line: int, day: str
) -> CodedThing | str | None:
    get = partial(_value, cell)
    country = _country(job, get("Country"), line, day)
    levels = (get("Placename") or get("City"), get("City"), get("District"), get("Province"))
    geonames = get("GeoNames ID").removesuffix(".0")
    if get("Feature Type").startswith("PCL") and country:
        levels, geonames = ("", "", "", ""), ""
    return names.place(
        levels, country, get("Latitude"), get("Longitude"), line, geonames if geonames.isdigit() else ""
    )
