"""GDELT 2.0 mentions: documents that report a record again, 16 columns (GDELT codebook 2.0)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg, statements, thing
from kg.readers.cells.columns import Form, named_rows
from kg.readers.periods import utc_moment
from kg.readers.reading import REPEATED_ROW, ReadingJob, document, document_slug
from kg.readers.record import Record
from kg.terms import ID

COLUMNS: Final = (
    *("GlobalEventID", "EventTimeDate", "MentionTimeDate", "MentionType", "MentionSourceName"),
    *("MentionIdentifier", "SentenceID", "Actor1CharOffset", "Actor2CharOffset", "ActionCharOffset"),
    *("InRawText", "Confidence", "MentionDocLen", "MentionDocTone", "MentionDocTranslationInfo", "Extras"),
)
_NUMBERS: Final = {
    6: "sentenceNumber",
    7: "actorOffset",
    8: "recipientOffset",
    9: "actionOffset",
    11: "confidence",
    13: "documentTone",
}


FORM: Final = Form(
    "GDELT 2.0 mentions",
    COLUMNS,
    ("GlobalEventID", "MentionTimeDate", "MentionIdentifier"),
    "MentionTimeDate",
    (16, 15, 14),
)

_UNREAD: Final = {14: "MentionDocTranslationInfo", 15: "Extras"}


def read_mentions(job: ReadingJob) -> Iterator[Record]:
    """Read rows about records of GDELT 2.0: columns by name, or 16 (14 or 15 if the last are missing)."""
    for line, row in named_rows(job, FORM):
        yield from _mention(job, row, line)


def _mention(job: ReadingJob, row: list[str], line: int) -> Iterator[Record]:
    number, address = row[0], row[5]
    if not (number.isascii() and number.isdigit()):
        job.fault(line, COLUMNS[0], f'"{number}" is not an event identifier (digits)')
        return
    if not address:
        job.fault(line, COLUMNS[5], "the row has no document")
        return
    when = utc_moment(row[2])
    if when is None:
        job.fault(line, COLUMNS[2], f'"{row[2]}" is not a time (YYYYMMDDHHMMSS)')
        return
    text = "\t".join(row)
    iri = f"{ID}record-mention/gdelt-{number}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
    source = document_slug(address)
    numbers: list[tuple[str, str]] = []
    at = 0
    try:
        for at, name in _NUMBERS.items():
            # -1 is an unknown offset, but a possible tone.
            if row[at] and (row[at] != "-1" or name == "documentTone"):
                write = nt.decimal if name == "documentTone" else nt.integer
                numbers.append((dg(name), write(row[at])))
    except ValueError as error:
        job.fault(line, COLUMNS[at], str(error))
        return
    if job.once.first(source):
        yield document(source, address, line)
    for at, name in _UNREAD.items():
        if row[at]:
            text = f"{name} is not kept (such as {row[at][:60]})"
            job.notes.add("dropped value", name, text, line)
    if not job.once.first(iri):
        job.leave_out("repeated row", number, REPEATED_ROW.format(number), line)
    else:
        job.rows.stored += 1
        lines = statements(
            f"<{iri}>",
            (TYPE, dg("RecordMention")),
            (LABEL, nt.english(f"GDELT 2.0 {number} in {row[4] or address}")),
            (dg("mentionOfRecord"), thing("record", f"gdelt-{number}")),
            (dg("foundIn"), thing("source", source)),
            (dg("mentionedOn"), when),
            *numbers,
        )
        yield Record(iri, "RecordMention", lines.encode(), line)
