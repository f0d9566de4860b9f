"""GDELT event tables, 2.0 (61 columns) and 1.0 (57 or 58): each row is a coding record.

The columns are those of the GDELT event codebooks (2.0 of February 2015, 1.03 of 2013). Countries of actors
are CAMEO codes, countries of places FIPS 10-4 codes. Fields are not quoted: a quotation mark is a character.

For speed, rows stay bytes and the meaning of a code is written once: a record is joined from ends of lines,
with its own IRI between them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Final

from kg.rdf import ntriples as nt
from kg.rdf.ntriples import LABEL, TYPE, dg
from kg.readers.cells.columns import MISSING
from kg.readers.code_lookup import CodedThing
from kg.readers.gdelt.blocks import BlockRecords, Identifiers, Known, Repeats, RowOptions
from kg.readers.gdelt.code_columns import NAMES, GdeltCodes, Layout
from kg.readers.gdelt.ordered_blocks import HEADER, ordered_blocks
from kg.readers.reading import Block, ReadingJob, dataset, is_plain
from kg.readers.record import Notes, Record, RowFault
from kg.terms import ID

_SHOWN: Final = 200
_ALL: Final = 1 << 60
# A decimal in the engine's canonical form.
_canonical: Final = re.compile(rb"-?(?:0|[1-9]\d{0,17})\.\d{0,16}[1-9]").fullmatch
_WORDS: Final = frozenset(word.encode() for word in MISSING)
_MISSING_CELL: Final = re.compile(rb"\t(?:" + b"|".join(map(re.escape, sorted(_WORDS))) + rb")(?=[\t\r\n]|$)")
_RECORD: Final = dg("CodingRecord")
_ID: Final = dg("recordId")
_DATASET: Final = dg("dataset")
_TONE: Final = dg("averageTone")
_CODES_PER_ROW: Final = 7


def read_gdelt(job: ReadingJob, layout: Layout) -> Iterator[Record]:
    """Read rows of one version of the table, or longer rows if a header names their columns.

    Rows of version 1.0 have 58 columns, or 57 without an address as up to March 2013.
    """
    yield about(layout)
    options = RowOptions(list_all=True, grouped=job.grouping is not None)
    for found in read_blocks(job, GdeltRows(job, layout, options), Identifiers()):
        for iri, kind, lines, line in found.things:
            yield Record(iri, kind, lines, line)
        for (iri, line, type_, day, actor, recipient, _), lines in zip(found.rows, found.pieces, strict=True):
            who = tuple([one for one in (actor, recipient) if one])
            yield Record(iri, "CodingRecord", lines, line, type_, day, who)


ReadBlocks = Callable[[Iterable[Block]], Generator[tuple[Block, BlockRecords], None, None]]


def read_blocks(
    job: ReadingJob, reader: GdeltRows, identifiers: Identifiers, read: ReadBlocks | None = None
) -> Iterator[BlockRecords]:
    """Read the blocks of a source in order; the things of each are those it describes first.

    Faults, notes and pairs of rows go where `job` says. `read` reads the blocks in other processes.
    """
    if read is None:
        read = reader.read_all
    with closing(ordered_blocks(job, reader.layout)) as blocks, closing(read(blocks)) as several:
        for block, found in several:
            if known := identifiers.known(found.identifiers):
                # A block that repeats identifiers of earlier ones is read a second time.
                second = reader.read(block, known)
                second.things = found.things + second.things
                found = second
            identifiers.add(found.identifiers, found.checksums)
            job.rows.read += found.rows_read
            job.rows.stored += found.count
            for line, column, reason in found.faults:
                job.fault(line, column, reason, block.name)
            job.notes.file = block.name
            for note in found.notes:
                job.notes.add(*note)
                job.rows.left_out += note[0] == "repeated row"
            if job.grouping is not None:
                job.grouping.add_lines(found.groups)
            found.things = [thing for thing in found.things if job.is_new(*thing)]
            yield found


def about(layout: Layout) -> Record:
    """Return the description of the dataset."""
    return dataset(
        layout.slug,
        f"{layout.form.title} event table",
        "Events coded by a program from news reports; several rows may describe the same event.",
        ("gdelt-project", "The GDELT Project"),
        "Free for any use, with citation of the GDELT Project and a link to its site.",
        "https://www.gdeltproject.org/",
    )


class GdeltRows:
    """Reads the rows of blocks; each thing that rows name is described once."""

    def __init__(self, job: ReadingJob, layout: Layout, options: RowOptions) -> None:
        self._found = BlockRecords()
        self._job = ReadingJob([], job.name, job.resolver, self._take, options=job.options)
        self.layout, self._options = layout, options
        self._codes = GdeltCodes(self._job, layout, options.ending)
        self._shown = 0

    def read_all(self, blocks: Iterable[Block]) -> Generator[tuple[Block, BlockRecords], None, None]:
        """Read blocks one after the other, without regard to repeated identifiers of earlier ones."""
        for block in blocks:
            yield block, self.read(block, {})

    def read(self, block: Block, known: Known) -> BlockRecords:
        """Read a block; a row whose identifier is `known` is a repetition or gets a name of its own."""
        found = self._found = BlockRecords()
        layout, ending = self.layout, self._options.ending
        stem, title = f"<{ID}record/{layout.slug}-".encode(), f' {LABEL} "{layout.form.title} '.encode()
        begun = (b"", *self._codes.ends(f"{TYPE} {_RECORD}", f"{_DATASET} <{ID}source/{layout.slug}>"))
        id_before, id_after, label_after = f' {_ID} "'.encode(), b'"' + ending, b'"@en' + ending
        tone_before, tone_after = f' {_TONE} "'.encode(), f'"{nt.DECIMAL}'.encode() + ending
        first, second, third = layout.places
        to_first, to_second, to_third = (at + layout.place_width for at in layout.places)
        added_at, address_at = layout.added, layout.address
        codes = self._codes
        days, kinds, documents, added = codes.days, codes.kinds, codes.documents, codes.added
        codes.things = found.things
        (actors, recipients), (firsts, seconds, thirds) = codes.actors, codes.places
        repeats = Repeats(known, found)
        numbers = repeats.first
        wanted = _ALL if self._options.list_all else _SHOWN if known else _SHOWN - self._shown
        grouped = self._options.grouped
        pieces: list[bytes] = found.pieces
        groups: list[bytes] = []
        used: list[CodedThing | None] = []
        lines: list[int] = []
        widths = self._widths(block.header)
        for line, text in enumerate(self._lines(block), block.first):
            row = text.split(b"\t")
            number = row[0]
            if len(row) not in widths or not number.isdigit():
                widths = self._odd(row, line, widths)
                continue
            try:
                day = days[row[1]]
                kind, counted = kinds[tuple(row[25:34])]
                actor, recipient = actors[tuple(row[5:15])], recipients[tuple(row[15:25])]
                here, there = firsts[tuple(row[first:to_first])], seconds[tuple(row[second:to_second])]
                where = thirds[tuple(row[third:to_third])]
            except KeyError:
                learnt = codes.learn(row, line)
                if learnt is None:
                    continue
                day, kind, counted, actor, recipient, here, there, where = learnt
            tone = row[34]
            if tone and not _canonical(tone):
                try:
                    tone = nt.decimal(tone.decode()).partition("^")[0][1:-1].encode()
                except ValueError as error:
                    self._job.fault(line, "AvgTone", str(error))
                    continue
            suffix = b""
            if known or number in numbers:
                unique = repeats.again(number, text, line)
                if unique is None:
                    continue
                suffix = unique
            else:
                numbers[number] = text
            iri = b"%b%b%b>" % (stem, number, suffix)
            sides = b"%b \xe2\x86\x92 %b" % (actor[1], recipient[1])
            label = b"%b%b: %b, %b%b" % (title, number, sides, kind[1], label_after)
            parts = [*begun, label, b"%b%b%b" % (id_before, number, id_after), *day[0], *counted]
            parts += (*actor[0], *recipient[0], *here[0], *there[0], *where[0])
            source = b""
            if address := row[address_at] if len(row) > address_at else b"":
                cited = documents.get(address)
                if cited is None:
                    cited = codes.document(address, line)
                source = cited[1]
                parts.append(cited[0])
            when = added.get(row[added_at])
            if when is None:
                when = codes.moment(row[added_at])
            if when:
                parts.append(when)
            elif row[added_at]:
                self._drop("DATEADDED", row[added_at], "a time (YYYYMMDDhhmmss)", line)
            if tone:
                parts.append(b"%b%b%b" % (tone_before, tone, tone_after))
            pieces.append(iri.join(parts))
            found.statements += len(parts) - 1
            used += (day[3], kind[3], actor[3], recipient[3], here[3], there[3], where[3])
            lines.append(line)
            if grouped:
                key = (day[1], actor[2], recipient[2], kind[2], iri[1:-1], where[2], source)
                groups.append(b"\t".join(key))
            if wanted > 0:
                wanted -= 1
                who = (actor[2].decode(), recipient[2].decode())
                name, seen = iri[1:-1].decode(), (kind[2].decode(), day[1].decode())
                found.rows.append((name, line, *seen, *who, iri + label))
        self._shown += 0 if known else len(found.rows)
        found.count = len(pieces)
        repeats.finish()
        self._finish(found, used, lines)
        found.groups = b"\n".join((*groups, b"")) if groups else b""
        return found

    def _take(self, fault: RowFault) -> None:
        self._found.faults.append((fault.line, fault.column, fault.reason))

    def _drop(self, column: str, value: bytes, wanted: str, line: int) -> None:
        text = f'{column} "{value.decode()}" is not {wanted} and was left out'
        self._job.notes.add("dropped value", column, text, line)

    def _lines(self, block: Block) -> list[bytes]:
        self._found.rows_read = sum(map(bool, lines := block.lines()))
        if not is_plain(block.data):
            lines = [text.encode() for text in self._job.texts(block)]
        if b"\r" in block.data:
            lines = [line.removesuffix(b"\r") for line in lines]
        if _MISSING_CELL.search(block.data):
            lines = [self._cleared(line, number) for number, line in enumerate(lines, block.first)]
        return lines

    def _cleared(self, text: bytes, line: int) -> bytes:
        """Empty the cells of a row that hold a word for a missing value."""
        if not _MISSING_CELL.search(text):
            return text
        cells = text.split(b"\t")
        names = self.layout.form.names
        for at, cell in enumerate(cells[: len(names)]):
            if cell in _WORDS:
                self._job.missing_cell(cell.decode(), names[at], line)
                cells[at] = b""
        return b"\t".join(cells)

    def _widths(self, header: bytes) -> set[int]:
        # A header may name further columns after those of GDELT.
        width = header.count(b"\t") + 1
        return {width} if width > self.layout.form.widths[0] else set(self.layout.form.widths)

    def _odd(self, row: list[bytes], line: int, widths: set[int]) -> set[int]:
        """Handle a header, which may change the accepted numbers of columns, or report a faulty row."""
        if row[0].lower() == HEADER:
            self._found.rows_read -= 1
            return self._widths(b"\t".join(row))
        if len(row) not in widths:
            if row != [b""]:
                expected = " or ".join(str(width) for width in sorted(widths))
                self._job.fault(line, "", f"the row has {len(row)} columns in place of {expected}")
        else:
            self._job.fault(line, NAMES[0], f'"{row[0].decode()}" is not an event identifier (digits)')
        return widths

    def _finish(self, found: BlockRecords, used: list[CodedThing | None], lines: list[int]) -> None:
        """Add descriptions of things used for the first time, and notes with their counts."""
        first = dict(zip(reversed(used), reversed(range(len(used))), strict=True))
        for coded, count in Counter(used).items():
            if coded is None:
                continue
            if coded.fresh:
                coded.fresh = False
                if coded.record is not None:
                    one = coded.record
                    found.things.append((one.iri, one.kind, one.ntriples, one.line))
            if noted := coded.notes:
                line = lines[first[coded] // _CODES_PER_ROW]
                found.notes += [(kind, value, text, line, count) for kind, value, text in noted]
        own = self._job.notes.found.values()
        found.notes += [(note.kind, note.value, note.text, note.line, note.count) for note in own]
        self._job.notes = Notes()
