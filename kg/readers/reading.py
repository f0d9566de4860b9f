"""What every reader of tables works with: lines of files, notes on what it met, what it has described."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache
from typing import BinaryIO, Final, Literal

from kg.actors import Resolver
from kg.errors import DataSyntaxError
from kg.rdf.ntriples import LABEL, TYPE, dg, english, plain, thing, url
from kg.rdf.ntriples import date as date_literal
from kg.readers.archives import Part
from kg.readers.grouping import Grouping
from kg.readers.record import INTERVAL, Record, RowFault
from kg.terms import ID, PREFIXES, slugify

NoteKind = Literal[
    "actor",
    "place",
    "event type",
    "country code",
    "repaired code",
    "wire service",
    "repeated id",
    "repeated row",
]

_BLOCK: Final = 1 << 20
_LONGEST_LINE: Final = 16 << 20
_REMEMBERED: Final = 2_000_000
_INTERVAL: Final = f"<{PREFIXES['time']}ProperInterval>"
_WEB: Final = re.compile(r"https?://[^\s\"<>]+", re.ASCII | re.IGNORECASE)
_ENDING: Final = re.compile(r"\.[A-Za-z]{2,5}$")
_SPACES: Final = str.maketrans("-_+", "   ")
_MARKS: Final = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"))


@dataclass
class Note:
    """What a reader met that people should know: what, how often, and the line on which it came first.

    `iri` is the thing in the graph; `text` is a sentence for people.
    """

    kind: NoteKind
    value: str
    text: str
    line: int
    iri: str | None = None
    count: int = 1


@dataclass
class Notes:
    """The notes of one reading, one for each kind and value; at most 100,000 are kept, all are counted."""

    found: dict[tuple[NoteKind, str], Note] = field(default_factory=dict)
    dropped: int = 0

    def add(
        self, kind: NoteKind, value: str, text: str, line: int, iri: str | None = None, count: int = 1
    ) -> None:
        """Note something, or count it once more, or so many times more."""
        note = self.found.get((kind, value))
        if note is not None:
            note.count += count
        elif len(self.found) < 100_000:
            self.found[kind, value] = Note(kind, value, text, line, iri, count)
        else:
            self.dropped += count

    def of(self, kind: NoteKind) -> list[Note]:
        """List the notes of a kind, the most frequent first."""
        chosen = [note for note in self.found.values() if note.kind == kind]
        return sorted(chosen, key=lambda note: (-note.count, note.line, note.value))


def repeated_row(name: str) -> str:
    """Return the sentence for a row that repeats another."""
    return f"row {name} is repeated; it was kept once"


def repeated_identifier(name: str) -> str:
    """Return the sentence for different rows with one identifier."""
    return f"identifier {name} is used by several different rows; each was kept as a record"


class Once:
    """Tells whether a key comes for the first time; it remembers two million and then begins anew.

    A thing may so be described twice in a very large file: the same triples, which a graph holds once.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def first(self, key: str) -> bool:
        """Tell whether the key is new, and remember it."""
        mark = hash(key)
        if mark in self._seen:
            return False
        if len(self._seen) >= _REMEMBERED:
            self._seen.clear()
        self._seen.add(mark)
        return True


@dataclass(frozen=True, slots=True)
class Block:
    """Whole lines of one file: its name, the number of the first line, the lines without the last end.

    `header` is the last header line before them, where a reader looks for one.
    """

    name: str
    first: int
    data: bytes
    header: bytes = b""

    def lines(self) -> list[bytes]:
        """Give the lines without their ends; a carriage return before one stays."""
        return self.data.split(b"\n")


@dataclass
class Reading:
    """One reading of one source: where the rows come from, and where faults, notes and pairs of rows go.

    A row with a fault gives no record.
    """

    parts: list[Part]
    name: str
    resolver: Resolver
    on_fault: Callable[[RowFault], None]
    notes: Notes = field(default_factory=Notes)
    grouping: Grouping | None = None
    once: Once = field(default_factory=Once)
    _identifiers: Once = field(default_factory=Once)
    _rows: Once = field(default_factory=Once)
    _days: dict[str, tuple[str, str] | None] = field(default_factory=dict)
    _file: str = ""

    def fault(self, line: int, column: str, reason: str) -> None:
        """Report a row of the file that is being read."""
        self.on_fault(RowFault(self._file or self.name, line, column, reason))

    def repeated(self, identifier: str, row: str, line: int) -> str | None:
        """Tell a row whose identifier was there before, and note it.

        Gives None for the same row again, which would add nothing; for another row a suffix that keeps the
        two apart, made from its text; an empty text for a new identifier.
        """
        if self._identifiers.first(identifier):
            self._rows.first(row)
            return ""
        if self._rows.first(row):
            self.notes.add("repeated id", identifier, repeated_identifier(identifier), line)
            return f"-{hashlib.sha256(row.encode()).hexdigest()[:8]}"
        self.notes.add("repeated row", identifier, repeated_row(identifier), line)
        return None

    def lines(self) -> Iterator[tuple[int, str]]:
        """Give the lines of all files with their numbers from 1, ends taken off, empty ones passed over.

        Reports lines that are not UTF-8. Raises DataSyntaxError for UTF-16, a binary or an empty file, and a
        line of more than 16 MiB.
        """
        for _, lines in self.files():
            yield from lines

    def files(self, *, blank: bool = False) -> Iterator[tuple[Part, Iterator[tuple[int, str]]]]:
        """Give each file with its lines, as `lines` does; `blank` keeps the empty ones."""
        for part in self.parts:
            self._file = part.name
            yield part, self._of(part, blank)

    def _of(self, part: Part, blank: bool) -> Iterator[tuple[int, str]]:
        with part.open() as stream:
            yield from self._lines(stream, part.name, blank)

    def blocks(self) -> Iterator[Block]:
        """Give the lines of all files in blocks of about a mebibyte; raises as `lines` does.

        Lines that are not UTF-8 are reported when a block is decoded.
        """
        for part in self.parts:
            self._file = part.name
            with part.open() as stream:
                yield from _blocks(stream, part.name)

    def _lines(self, stream: BinaryIO, name: str, blank: bool) -> Iterator[tuple[int, str]]:
        for block in _blocks(stream, name):
            for number, line in enumerate(self.texts(block), block.first):
                if line and line != "\r":
                    yield number, line[:-1] if line[-1] == "\r" else line
                elif blank:
                    yield number, ""

    def texts(self, block: Block) -> list[str]:
        """Give the lines of a block, an empty one for each that is not UTF-8, which is reported."""
        self._file = block.name
        try:
            return block.data.decode().split("\n")
        except UnicodeDecodeError:
            return [self._text(line, number) for number, line in enumerate(block.lines(), block.first)]

    def _text(self, line: bytes, number: int) -> str:
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            column = str(line[: error.start].count(b"\t") + 1)
            reason = (
                f"byte 0x{line[error.start]:02X} is not UTF-8; save the file as UTF-8 (it may be Latin-1)"
            )
            self.fault(number, column, reason)
            return ""

    def day(self, text: str, line: int, column: str) -> tuple[str, str] | None:
        """Read a date of YYYYMMDD or YYYY-MM-DD: the day and the N-Triples name of its interval.

        Reports a day that no calendar has and gives None.
        """
        found = self._days.get(text, ...)
        if found is ...:
            day = calendar_day(text)
            found = None if day is None else (day, thing("time", day))
            if len(self._days) < 100_000:
                self._days[text] = found
        if found is None:
            self.fault(line, column, f'"{text}" is no day of the calendar (YYYYMMDD or YYYY-MM-DD)')
        return found


def _blocks(stream: BinaryIO, name: str) -> Iterator[Block]:
    number, rest, empty = 1, b"", True
    piece = stream.read(_BLOCK)
    check_bytes(piece, name)
    piece = piece.removeprefix(b"\xef\xbb\xbf")
    while piece:
        whole, end, tail = (rest + piece).rpartition(b"\n")
        if len(tail) > _LONGEST_LINE:
            raise DataSyntaxError(
                f"line {number} is longer than {_LONGEST_LINE} bytes",
                where=name,
                mend="Check that it is a table with a row on each line.",
                line=number,
            )
        rest = tail
        if end:
            empty = empty and not whole.strip(b"\r\n")
            yield Block(name, number, whole)
            number += whole.count(b"\n") + 1
        piece = stream.read(_BLOCK)
    if rest:
        empty = empty and not rest.strip(b"\r")
        yield Block(name, number, rest)
    if empty and number == 1:
        raise DataSyntaxError("the file is empty", where=name, mend="Choose the file that holds the data.")


def check_bytes(start: bytes, name: str) -> None:
    """Refuse what is no UTF-8 text by its first bytes; raises DataSyntaxError."""
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            raise DataSyntaxError(f"the file is {encoding}", where=name, mend="Save it as UTF-8.")
    if b"\0" in start:
        raise DataSyntaxError(
            "the file is binary, no table of text",
            where=name,
            mend="Choose a text file, or an .xlsx workbook.",
        )


@lru_cache(maxsize=10_000)
def calendar_day(text: str) -> str | None:
    """Give YYYY-MM-DD for YYYYMMDD or YYYY-MM-DD when the calendar has that day."""
    if len(text) == 8 and text.isascii() and text.isdigit():
        text = f"{text[:4]}-{text[4:6]}-{text[6:]}"
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        return None
    try:
        date.fromisoformat(text)
    except ValueError:
        return None
    return text


def interval(day: str, line: int) -> Record:
    """Describe the shared interval of one day."""
    node = thing("time", day)
    lines = (
        f"{node} {TYPE} {_INTERVAL} .\n"
        f"{node} {LABEL} {english(day)} .\n"
        f"{node} {dg('begin')} {date_literal(day)} .\n"
        f"{node} {dg('end')} {date_literal(day)} .\n"
        f"{node} {dg('precision')} {thing('time-precision', 'day')} .\n"
    )
    return Record(f"{ID}time/{day}", INTERVAL, lines.encode(), line)


@lru_cache(maxsize=1000)
def document_slug(text: str) -> str:
    """Name the document at an address (or cited by name) by a hash of it."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def document(slug: str, text: str, line: int) -> Record:
    """Describe a document by its web address, or by the name under which a dataset cites it."""
    node = thing("source", slug)
    lines = f"{node} {TYPE} {dg('Article')} .\n"
    if _WEB.fullmatch(text):
        lines += f"{node} {LABEL} {english(_headline(text))} .\n{node} {dg('url')} {url(text)} .\n"
    else:
        lines += f"{node} {LABEL} {english(text)} .\n"
    return Record(f"{ID}source/{slug}", "Article", lines.encode(), line)


def _headline(address: str) -> str:
    """Make a name for people from an address: the host, and the words of the last part of the path."""
    pieces = address.partition("?")[0].partition("#")[0].split("/")
    host = pieces[2].lower().removeprefix("www.")
    for piece in reversed(pieces[3:]):
        words = _ENDING.sub("", piece).translate(_SPACES).strip()
        if len(words) > 2 and not words.replace(" ", "").isdigit():
            return f"{host}: {words[:100]}"
    return host


def minted(dataset: str, *names: str) -> str:
    """Make the slug of a thing in a dataset's own namespace."""
    return f"{dataset}-{slugify(' '.join(name for name in names if name))}"


def dataset(slug: str, label: str, about: str, publisher: tuple[str, str], rights: str, page: str) -> Record:
    """Describe a dataset: publisher as (slug, name), terms of use as a sentence, its page's address."""
    node, body = thing("source", slug), thing("organization", publisher[0])
    dcterms = PREFIXES["dcterms"]
    lines = (
        f"{node} {TYPE} {dg('Dataset')} .\n{node} {LABEL} {english(label)} .\n"
        f"{node} <{PREFIXES['rdfs']}comment> {english(about)} .\n"
        f"{node} <{dcterms}publisher> {body} .\n"
        f"{body} {TYPE} {dg('Organization')} .\n{body} {LABEL} {english(publisher[1])} .\n"
    )
    if rights:
        lines += f"{node} <{dcterms}rights> {english(rights)} .\n"
    if page:
        lines += f"{node} {dg('url')} {url(page)} .\n"
    return Record(f"{ID}source/{slug}", "Dataset", lines.encode(), 0)


def text_triple(node: str, name: str, value: str) -> str:
    """Write one statement with a plain text, or nothing for an empty one."""
    return f"{node} {dg(name)} {plain(value)} .\n" if value else ""
