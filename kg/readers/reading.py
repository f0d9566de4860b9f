"""What all readers of tables share: lines of files, notes for people, and what was already described."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from kg.errors import DataSyntaxError
from kg.rdf.ntriples import LABEL, TYPE, dg, english, statements, thing, url
from kg.readers.archives import Part
from kg.readers.cells.file_kinds import check_bytes
from kg.readers.grouping import Grouping
from kg.readers.periods import DateOrder, Period, period, written_day
from kg.readers.record import NoteKind, Notes, Record, RowFault, shortened
from kg.resolver import Resolver
from kg.terms import ID, PREFIXES, distinct_slug

REPEATED_ROW: Final = "row {} is repeated; it was kept once"
REPEATED_IDENTIFIER: Final = "identifier {} is used by several different rows; each was kept as a record"
_BLOCK: Final = 1 << 20
LONGEST_LINE: Final = 16 << 20
"""Most bytes of a line."""
_REMEMBERED: Final = 2_000_000
_EARLIEST, _LATEST = "1500", "2100"
# Characters that XML 1.0 cannot carry (section 2.2).
_CONTROL_BYTES: Final = bytes(code for code in range(0x20) if code not in b"\t\n\r")
_NO_TEXT: Final = ("\ufffe".encode(), "\uffff".encode())
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]|\xef\xbf[\xbe\xbf]")
_WEB: Final = re.compile(r"https?://[^\s\"<>]+", re.ASCII | re.IGNORECASE)
_ENDING: Final = re.compile(r"\.[A-Za-z]{2,5}$")
_SPACES: Final = str.maketrans("-_+", "   ")


class Once:
    """Remembers up to two million keys, then forgets all of them and starts again.

    In a very large file a thing may therefore be described twice, with the same triples.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def first(self, key: str) -> bool:
        """Return whether a key is new, and remember it."""
        mark = hash(key)
        if mark in self._seen:
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen.add(mark)
        return True


@dataclass(frozen=True, slots=True)
class Block:
    """Complete lines of one file: file name, number of the first line, and the lines joined by line feeds.

    `header` is the last header line before them, if the reader looks for one.
    """

    name: str
    first: int
    data: bytes
    header: bytes = b""

    def lines(self) -> list[bytes]:
        """Return the lines without line feeds; carriage returns are kept."""
        return self.data.split(b"\n")


@dataclass
class RowCount:
    """How many rows were read, how many of them are stored, and how many were left out."""

    read: int = 0
    stored: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class CellOptions:
    """What people say about the cells of a table: words for missing values, order of day and month."""

    missing: frozenset[str] = frozenset()
    date_order: DateOrder | None = None


NO_OPTIONS: Final = CellOptions()


@dataclass(frozen=True, slots=True)
class ReadDay:
    """A day of a row, YYYY-MM-DD, its interval in N-Triples, and what to note about it."""

    day: str
    node: str
    notes: tuple[tuple[NoteKind, str, str], ...] = ()


@dataclass
class ReadingJob:
    """One reading of one source: its files, and where faults, notes and records to group are collected.

    A row with a fault yields no record, and neither does a row of `skipped`: its file and line.
    """

    parts: list[Part]
    name: str
    resolver: Resolver
    on_fault: Callable[[RowFault], None]
    notes: Notes = field(default_factory=Notes)
    grouping: Grouping | None = None
    options: CellOptions = NO_OPTIONS
    skipped: frozenset[tuple[str, int]] = frozenset()
    rows: RowCount = field(default_factory=RowCount)
    once: Once = field(default_factory=Once)
    _identifiers: Once = field(default_factory=Once)
    _rows: Once = field(default_factory=Once)
    _days: dict[str, ReadDay | str] = field(default_factory=dict)
    _file: str = ""
    _faulty: tuple[str, int] = ("", 0)

    @property
    def missing(self) -> frozenset[str]:
        """Words that people say stand for a missing value."""
        return self.options.missing

    def begin(self, file: str) -> None:
        """Set the name of the file, or sheet of a file, to which the following rows belong."""
        self._file = self.notes.file = file

    def fault(self, line: int, column: str, reason: str, file: str = "") -> None:
        """Report a faulty row of the current file or of another; several faults of a row count as one row."""
        file = file or self._file or self.name
        if (file, line) != self._faulty:
            self._faulty = file, line
            self.rows.left_out += 1
        self.on_fault(RowFault(file, line, column, shortened(reason)))

    def is_new(self, iri: str, kind: str, ntriples: bytes, line: int) -> bool:
        """Return whether a thing was not described yet; a place with another point is noted."""
        if self.once.first(iri):
            if kind == "Place":
                self.once.first(f"{iri} {hash(ntriples)}")
            return True
        if kind == "Place" and self.once.first(f"{iri} {hash(ntriples)}"):
            text = f"{iri.removeprefix(ID)} has another point here than before; the first point was kept"
            self.notes.add("place", f"point {iri}", text, line)
        return False

    def missing_cell(self, word: str, column: str, line: int) -> None:
        """Note a cell whose word was read as a missing value."""
        self.notes.add("missing value", f"{word} {column}", f"{word} was read as missing in {column}", line)

    def repeated(self, identifier: str, row: str, line: int) -> str | None:
        """Return a suffix that makes a row's identifier unique; it is empty for a new identifier.

        Returns None for a repetition of the same row. Repetitions are noted.
        """
        if self._identifiers.first(identifier):
            self._rows.first(row)
            return ""
        if self._rows.first(row):
            self.notes.add("repeated id", identifier, REPEATED_IDENTIFIER.format(identifier), line)
            return f"-{hashlib.sha256(row.encode()).hexdigest()[:8]}"
        self.leave_out("repeated row", identifier, REPEATED_ROW.format(identifier), line)
        return None

    def leave_out(self, kind: NoteKind, value: str, text: str, line: int) -> None:
        """Count a row that gives nothing of its own, and note why."""
        self.rows.left_out += 1
        self.notes.add(kind, value, text, line)

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield the non-empty lines of all files, without line ends, with their numbers from 1.

        Reports lines that are not UTF-8. Raises DataSyntaxError for a UTF-16, binary or empty file and for a
        line longer than 16 MiB.
        """
        for _, lines in self.files():
            yield from (line for line in lines if line[1])

    def files(self) -> Iterator[tuple[Part, Iterator[tuple[int, str]]]]:
        """Yield each file with its lines, as `lines` does, and with its empty lines."""
        for part in self.parts:
            yield part, self.lines_of(part)

    def blocks(self) -> Iterator[Block]:
        """Yield the lines of all files in blocks of about 1 MiB; raises as `lines` does.

        Lines that are not UTF-8 are reported when a block is decoded.
        """
        for part in self.parts:
            yield from self.blocks_of(part)

    def blocks_of(self, part: Part) -> Generator[Block, None, None]:
        """Yield the lines of one file in blocks, as `blocks` does."""
        self.begin(part.name)
        yield from _blocks(part)

    def lines_of(self, part: Part) -> Iterator[tuple[int, str]]:
        """Yield the lines of one file, as `files` does."""
        self.begin(part.name)
        for block in _blocks(part):
            for number, line in enumerate(self.texts(block), block.first):
                yield number, line.removesuffix("\r")

    def texts(self, block: Block) -> list[str]:
        """Return the lines of a block; those that are not plain UTF-8 are reported and returned empty."""
        self._file = block.name
        if is_plain(block.data):
            return block.data.decode().split("\n")
        return [self._text(line, number) for number, line in enumerate(block.lines(), block.first)]

    def _text(self, line: bytes, number: int) -> str:
        at, wrong = 0, ""
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            at = error.start
            wrong = f"byte 0x{line[at]:02X} is not UTF-8; save the file as UTF-8 (it may be Latin-1)"
        else:
            found = _CONTROLS.search(line)
            if found is None:
                return text
            at = found.start()
            wrong = f"control character U+{ord(found[0].decode()):04X}; remove it"
        separator = max(b"\t,;|", key=line.count)
        self.rows.read += 1
        self.fault(number, str(line[:at].count(separator) + 1), wrong)
        return ""

    def day(self, text: str, line: int, column: str) -> tuple[str, str] | None:
        """Read a date as `written_day` does; return the day and its interval in N-Triples.

        Reports an invalid date and returns None.
        """
        found = self.read_day(text)
        if isinstance(found, str):
            self.fault(line, column, found)
            return None
        self.notes.add_all(found.notes, line)
        return found.day, found.node

    def note_date(self, text: str, line: int) -> None:
        """Note a time of day that is left out of a date, and a year that is out of reach."""
        found = self.read_day(text)
        if isinstance(found, ReadDay):
            self.notes.add_all(found.notes, line)
        elif isinstance(span := period(text), Period):
            self.notes.add_all(far_off(span.begin), line)

    def read_day(self, text: str) -> ReadDay | str:
        """Read a date as `written_day` does, or return a message; a time of day is dropped and noted."""
        found = self._days.get(text)
        if found is None:
            written = written_day(text, self.options.date_order)
            if isinstance(written, str):
                found = written
            else:
                notes = [*far_off(written.day)]
                if written.clock:
                    example = f"the time of day was left out; the day was kept (such as {text})"
                    notes.append(("dropped value", "time of day", example))
                found = ReadDay(written.day, thing("time", written.day), tuple(notes))
            if len(self._days) < 100_000:
                self._days[text] = found
        return found


def far_off(day: str) -> Iterator[tuple[NoteKind, str, str]]:
    """Yield a note about a day whose year is before 1500 or after 2100."""
    if not _EARLIEST <= day[:4] <= _LATEST:
        yield "date", day[:4], f"the year {day[:4]} is out of reach ({day}); it was kept as it is"


def is_plain(data: bytes) -> bool:
    """Return whether bytes are UTF-8 without control characters other than tabs and line ends."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    # Many times as fast as the regular expression.
    return len(data.translate(None, _CONTROL_BYTES)) == len(data) and not any(two in data for two in _NO_TEXT)


def _blocks(part: Part) -> Generator[Block, None, None]:
    number, rest, empty = 1, b"", True
    with part.open() as stream:
        piece = stream.read(_BLOCK)
        check_bytes(piece, part.name)
        piece = piece.removeprefix(b"\xef\xbb\xbf")
        while piece:
            whole, end, rest = (rest + piece).rpartition(b"\n")
            if len(rest) > LONGEST_LINE:
                raise DataSyntaxError(
                    f"line {number} is longer than {LONGEST_LINE} bytes",
                    where=part.name,
                    mend="Check that the file is a table with one row per line.",
                    line=number,
                )
            if end:
                empty = empty and not whole.strip(b"\r\n")
                yield Block(part.name, number, whole)
                number += whole.count(b"\n") + 1
            piece = stream.read(_BLOCK)
    if rest:
        empty = empty and not rest.strip(b"\r")
        yield Block(part.name, number, rest)
    if empty and number == 1:
        raise DataSyntaxError("the file is empty", where=part.name, mend="Choose the file with the data.")


@lru_cache(maxsize=1000)
def document_slug(text: str) -> str:
    """Return the slug of a document, a hash of its address or name."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def document(slug: str, text: str, line: int) -> Record:
    """Describe a document by its web address, or by the name that a dataset uses for it."""
    address = text if _WEB.fullmatch(text) else ""
    lines = statements(
        thing("source", slug),
        (TYPE, dg("Article")),
        (LABEL, english(_headline(text) if address else text)),
        (dg("url"), address and url(address)),
    )
    return Record(f"{ID}source/{slug}", "Article", lines.encode(), line)


def _headline(address: str) -> str:
    """Return a readable name for an address: the host and the words of the last path segment."""
    pieces = address.partition("?")[0].partition("#")[0].split("/")
    host = pieces[2].lower().removeprefix("www.")
    for piece in reversed(pieces[3:]):
        words = _ENDING.sub("", piece).translate(_SPACES).strip()
        if len(words) > 2 and not words.replace(" ", "").isdigit():
            return f"{host}: {words[:100]}"
    return host


def minted(dataset: str, *names: str) -> str:
    """Return the slug of a thing in a dataset's own namespace; other names have another slug."""
    return f"{dataset}-{distinct_slug(*names)}"


def dataset(slug: str, label: str, about: str, publisher: tuple[str, str], rights: str, page: str) -> Record:
    """Describe a dataset: publisher as (slug, name), terms of use as a sentence, address of its page."""
    body, dcterms = thing("organization", publisher[0]), PREFIXES["dcterms"]
    lines = statements(
        thing("source", slug),
        (TYPE, dg("Dataset")),
        (LABEL, english(label)),
        (f"<{PREFIXES['rdfs']}comment>", english(about)),
        (f"<{dcterms}publisher>", body),
        (f"<{dcterms}rights>", english(rights)),
        (dg("url"), url(page)),
    )
    lines += statements(body, (TYPE, dg("Organization")), (LABEL, english(publisher[1])))
    return Record(f"{ID}source/{slug}", "Dataset", lines.encode(), 0)
