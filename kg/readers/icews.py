"""ICEWS coded events: 20 tab-separated columns, with names in place of codes.

The columns are those of the ICEWS Coded Event Data (`COLUMNS`). The intensity is on Goldstein's scale.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, thing
from kg.readers.code_lookup import Codings
from kg.readers.name_lookup import NamedCodings, described, head, safe
from kg.readers.reading import ReadingJob, dataset, minted, text_triple
from kg.readers.record import Record
from kg.terms import ID, PREFIXES

COLUMNS: Final = (
    *(
        "Event ID",
        "Event Date",
        "Source Name",
        "Source Sectors",
        "Source Country",
        "Event Text",
        "CAMEO Code",
    ),
    *(
        "Intensity",
        "Target Name",
        "Target Sectors",
        "Target Country",
        "Story ID",
        "Sentence Number",
        "Publisher",
    ),
    *("City", "District", "Province", "Country", "Latitude", "Longitude"),
)
_SLUG: Final = "icews"


def read_icews(job: ReadingJob) -> Iterator[Record]:
    """Read rows of 20 columns, with or without a header."""
    yield dataset(
        _SLUG,
        "ICEWS coded event data",
        "Events between named actors, coded by a program from sentences of news reports.",
        ("lockheed-martin-icews", "Integrated Crisis Early Warning System"),
        "See the terms of the Dataverse from which the file was taken.",
        "https://dataverse.harvard.edu/dataverse/icews",
    )
    codes, names = Codings(job, _SLUG), NamedCodings(job, _SLUG)
    for line, text in job.lines():
        row = text.split("\t")
        if row[0] == COLUMNS[0]:
            continue
        if len(row) != len(COLUMNS):
            job.fault(line, "", f"the row has {len(row)} columns in place of {len(COLUMNS)}")
            continue
        yield from _record(job, codes, names, row, line, text)


def _record(
    job: ReadingJob, codes: Codings, names: NamedCodings, row: list[str], line: int, text: str
) -> Iterator[Record]:
    cell = dict(zip(COLUMNS, row, strict=True))
    identifier = cell["Event ID"]
    if not identifier.isascii() or not identifier.isalnum():
        job.fault(line, "Event ID", f'"{identifier}" is not an event identifier')
        return
    when = job.day(cell["Event Date"], line, "Event Date")
    kind = codes.cameo(cell["CAMEO Code"], "", line, "CAMEO Code")
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
    here = names.country(cell["Country"], line)
    levels = (cell["City"], cell["District"], cell["Province"])
    place = names.place(levels, here, cell["Latitude"], cell["Longitude"], line)
    if isinstance(place, str):
        job.fault(line, "Latitude" if "latitude" in place else "Longitude", place)
        return
    actor = recipient = None
    if cell["Source Name"]:
        actor = names.actor(cell["Source Name"], names.country(cell["Source Country"], line), line)
    if cell["Target Name"]:
        recipient = names.actor(cell["Target Name"], names.country(cell["Target Country"], line), line)
    suffix = job.repeated(identifier, text, line)
    if suffix is None:
        return
    yield from described(job, when[0], [kind, actor, recipient, place], line)
    iri = f"{ID}record/{_SLUG}-{safe(identifier)}{suffix}"
    node = f"<{iri}>"
    sides = f"{cell['Source Name'] or '?'} → {cell['Target Name'] or '?'}"
    label = f"ICEWS {identifier}: {sides}, {cell['Event Text'] or kind.text}"
    lines = [head(iri, _SLUG, identifier, label, when[0]), f"{node} {dg('eventType')} {kind.node} .\n"]
    for value, name in ((intensity, "goldstein"), (sentence, "sentenceNumber")):
        lines.append(f"{node} {dg(name)} {value} .\n" if value else "")
    for one, role in ((actor, "Actor"), (recipient, "Recipient"), (place, "Place")):
        lines.append(f"{node} {dg(f'coded{role}')} {one.node} .\n" if one else "")
    for column, name in (
        ("Source Name", "actorName"),
        ("Target Name", "recipientName"),
        ("Story ID", "storyId"),
    ):
        lines.append(text_triple(node, name, cell[column]))
    for column, name in (("Source Sectors", "actorSector"), ("Target Sectors", "recipientSector")):
        lines += [text_triple(node, name, sector) for sector in dict.fromkeys(cell[column].split(","))]
    story = f"{_SLUG}-story-{safe(cell['Story ID'])}" if cell["Story ID"] else ""
    if story:
        lines.append(f"{node} {dg('codedFrom')} {thing('source', story)} .\n")
        if job.once.first(story):
            yield _story(story, cell["Story ID"], cell["Publisher"], line)
    if job.grouping is not None:
        who = (actor.iri if actor else "", recipient.iri if recipient else "")
        job.grouping.add(iri, when[0], *who, kind.iri, place.iri if place and place.exact else "", story)
    actors = tuple(one.iri for one in (actor, recipient) if one)
    yield Record(iri, "CodingRecord", "".join(lines).encode(), line, kind.iri, when[0], actors)


def _story(slug: str, identifier: str, publisher: str, line: int) -> Record:
    node = thing("source", slug)
    label = f"Story {identifier}" + (f" of {publisher}" if publisher else "")
    lines = f"{node} {TYPE} {dg('Article')} .\n{node} {LABEL} {nt.english(label)} .\n"
    if publisher:
        body = thing("actor", minted(_SLUG, publisher))
        lines += (
            f"{node} <{PREFIXES['dcterms']}publisher> {body} .\n"
            f"{body} {TYPE} {dg('NewsOrganization')} .\n{body} {LABEL} {nt.english(publisher)} .\n"
        )
    return Record(f"{ID}source/{slug}", "Article", lines.encode(), line)
