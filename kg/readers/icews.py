"""ICEWS coded events: 20 columns, with names in place of codes; further columns are left out.

The columns are those of the ICEWS CodedThing Event Data (`COLUMNS`). The intensity is on Goldstein's scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.cells.columns import MISSING, Form, named_rows
from kg.readers.code_lookup import CodeLookup
from kg.readers.name_lookup import NameLookup, described, head
from kg.readers.reading import ReadingJob, dataset, minted
from kg.readers.record import Record
from kg.terms import ID, PREFIXES, encoded

COLUMNS: Final = (
    *("Event ID", "Event Date", "Source Name", "Source Sectors", "Source Country", "Event Text"),
    *("CAMEO Code", "Intensity", "Target Name", "Target Sectors", "Target Country", "Story ID"),
    *("Sentence Number", "Publisher", "City", "District", "Province", "Country", "Latitude", "Longitude"),
)
FORM: Final = Form(
    "ICEWS",
    COLUMNS,
    ("Event ID", "Event Date", "Source Name", "Target Name"),
    "Event Date",
    (len(COLUMNS),),
    several={"Source Sectors": ",", "Target Sectors": ","},
)
_SLUG: Final = "icews"


def read_icews(job: ReadingJob) -> Iterator[Record]:
    """Read rows with columns by name, or of 20 columns without a header."""
    yield dataset(
        _SLUG,
        "ICEWS coded event data",
        "Events between named actors, coded by a program from sentences of news reports.",
        ("lockheed-martin-icews", "Integrated Crisis Early Warning System"),
        "See the terms of the Dataverse from which the file was taken.",
        "https://dataverse.harvard.edu/dataverse/icews",
    )
    codes, names = CodeLookup(job, _SLUG), NameLookup(job, _SLUG)
    for line, row in named_rows(job, FORM):
        yield from _record(job, codes, names, row, line)


def _record(
    job: ReadingJob, codes: CodeLookup, names: NameLookup, row: list[str], line: int
) -> Iterator[Record]:
    cell = dict(zip(COLUMNS, row, strict=True))
    identifier = cell["Event ID"]
    if not identifier.isascii() or not identifier.isalnum():
        job.fault(line, "Event ID", f'"{identifier}" is not an event identifier')
        return
    when = job.day(cell["Event Date"], line, "Event Date")
    # Some files have no column for the code; the text is the name of the event type.
    code = cell["CAMEO Code"] or job.resolver.cameo_code(cell["Event Text"])
    if code is None:
        text = cell["Event Text"]
        job.fault(line, "Event Text", f'"{text}" is not the name of one CAMEO event type')
        return
    kind = codes.cameo(code, "", line, "CAMEO Code")
    if when is None or kind is None:
        return
    try:
        column = "Intensity"
        intensity = nt.decimal(cell[column]) if cell[column] else ""
        if cell[column] and not -10 <= float(cell[column]) <= 10:
            raise ValueError(f"{cell[column]} is not between -10 and 10")
        column = "Sentence Number"
        sentence = nt.integer(cell[column]) if cell[column] else ""
    except ValueError as error:
        job.fault(line, column, str(error))
        return
    here = names.country(cell["Country"], line, when[0])
    levels = (cell["City"], cell["District"], cell["Province"])
    place = names.place(levels, here, cell["Latitude"], cell["Longitude"], line)
    if isinstance(place, str):
        job.fault(line, "Latitude" if "latitude" in place else "Longitude", place)
        return
    actor = recipient = None
    if cell["Source Name"]:
        actor = names.actor(
            cell["Source Name"], names.country(cell["Source Country"], line, when[0]), line, when[0]
        )
    if cell["Target Name"]:
        recipient = names.actor(
            cell["Target Name"], names.country(cell["Target Country"], line, when[0]), line, when[0]
        )
    suffix = job.repeated(identifier, "\t".join(row), line)
    if suffix is None:
        return
    yield from described(job, when[0], [kind, actor, recipient, place], line)
    iri = f"{ID}record/{_SLUG}-{encoded(identifier)}{suffix}"
    sides = f"{cell['Source Name'] or '?'} → {cell['Target Name'] or '?'}"
    label = f"ICEWS {identifier}: {sides}, {cell['Event Text'] or kind.text}"
    story = f"{_SLUG}-story-{encoded(cell['Story ID'])}" if cell["Story ID"] else ""
    texts = [
        ("actorName", cell["Source Name"]),
        ("recipientName", cell["Target Name"]),
        ("storyId", cell["Story ID"]),
        *(("actorSector", sector) for sector in _sectors(cell["Source Sectors"])),
        *(("recipientSector", sector) for sector in _sectors(cell["Target Sectors"])),
    ]
    lines = head(iri, _SLUG, identifier, label, when[0]) + statements(
        f"<{iri}>",
        (dg("eventType"), kind.node),
        (dg("goldstein"), intensity),
        (dg("sentenceNumber"), sentence),
        (dg("codedActor"), actor.node if actor else None),
        (dg("codedRecipient"), recipient.node if recipient else None),
        (dg("codedPlace"), place.node if place else None),
        *((dg(name), value and nt.plain(value)) for name, value in texts),
        (dg("codedFrom"), story and thing("source", story)),
    )
    if story and job.once.first(story):
        yield _story(story, cell["Story ID"], cell["Publisher"], line)
    if job.grouping is not None:
        who = (actor.iri if actor else "", recipient.iri if recipient else "")
        job.grouping.add(iri, when[0], *who, kind.iri, place.iri if place and place.exact else "", story)
    actors = tuple(one.iri for one in (actor, recipient) if one)
    job.rows.stored += 1
    yield Record(iri, "CodingRecord", lines.encode(), line, kind.iri, when[0], actors)


def _sectors(text: str) -> list[str]:
    return [name for name in dict.fromkeys(map(str.strip, text.split(","))) if name not in MISSING]


def _story(slug: str, identifier: str, publisher: str, line: int) -> Record:
    node = thing("source", slug)
    label = f"Story {identifier}" + (f" of {publisher}" if publisher else "")
    body = thing("actor", minted(_SLUG, publisher)) if publisher else ""
    by = f"<{PREFIXES['dcterms']}publisher>"
    lines = statements(node, (TYPE, dg("Article")), (LABEL, nt.english(label)), (by, body))
    if body:
        lines += statements(body, (TYPE, dg("NewsOrganization")), (LABEL, nt.english(publisher)))
    return Record(f"{ID}source/{slug}", "Article", lines.encode(), line)
