"""The bytes of a file or in memory, read in pieces, with positions as line and column."""

from __future__ import annotations

import codecs
import io
import mmap
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Final

from kg.errors import DataSyntaxError
from kg.rdf.sorted_lines import Watch

CHUNK: Final = 1024 * 1024
_CONTINUATION: Final = bytes(range(0x80, 0xC0))
_MARKS: Final = {
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}


class Content:
    """A file, or bytes in memory; `name` is used in messages. A UTF-8 byte-order mark is skipped."""

    def __init__(self, data: bytes | Path, name: str) -> None:
        self._data = data
        self.name = name
        self.length = data.stat().st_size if isinstance(data, Path) else len(data)
        with self._raw() as file:
            self._start = len(codecs.BOM_UTF8) if file.read(3) == codecs.BOM_UTF8 else 0

    def open(self) -> BinaryIO:
        """Open the content after its byte-order mark."""
        file = self._raw()
        file.seek(self._start)
        return file

    def chunks(self, watch: Watch | None = None) -> Iterator[bytes]:
        """Yield the content in pieces of 1 MiB; `watch` gets the number of bytes so far."""
        done = 0
        with self.open() as file:
            while chunk := file.read(CHUNK):
                yield chunk
                done += len(chunk)
                if watch is not None:
                    watch(done)

    @contextmanager
    def view(self) -> Iterator[Any]:
        """Yield the content as one searchable buffer, bytes or a memory map, without reading it."""
        if isinstance(self._data, bytes) or not self.length:
            yield self._data if isinstance(self._data, bytes) else b""
            return
        with self._data.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield view

    def check(self, watch: Watch | None = None) -> bool:
        """Return whether there is more than white space.

        Raises DataSyntaxError, with line and column, if the content is not UTF-8.
        """
        decoder = codecs.getincrementaldecoder("utf-8")()
        blank, before = True, self._start
        with self._raw() as file:
            first = file.read(4)
        for encoding, marks in _MARKS.items():
            if first.startswith(marks):
                raise self.fault(
                    f"the file is {encoding}, not UTF-8",
                    f"Save it as UTF-8, for example: iconv -f {encoding} -t UTF-8.",
                    0,
                )
        chunk = b""
        try:
            for chunk in self.chunks(watch):
                text = decoder.decode(chunk)
                blank = blank and not text.strip()
                before += len(chunk)
            chunk = b""
            decoder.decode(b"", final=True)
        except UnicodeDecodeError as error:
            # The decoder's buffer begins with the rest of the piece before.
            offset = before + len(chunk) - len(error.object) + error.start
            raise self.fault(
                f"the byte 0x{error.object[error.start]:02x} is not UTF-8",
                "Save the file as UTF-8; if it is Latin-1: iconv -f ISO-8859-1 -t UTF-8.",
                offset,
            ) from None
        return not blank

    def invisible(self, line: int, column: int) -> str:
        """Return the name of the character at a place if it cannot be seen and is not usual white space."""
        with self.open() as file:
            text = next(islice(file, line - 1, None), b"").decode(errors="replace")
        found = text[column - 1 : column]
        if (
            not found
            or found in " \t\r\n"
            or unicodedata.category(found) not in ("Zs", "Zl", "Zp", "Cc", "Cf")
        ):
            return ""
        return f"{unicodedata.name(found, 'control character')} (U+{ord(found):04X})"

    def fault(self, detail: str, mend: str, offset: int | None) -> DataSyntaxError:
        """Build an error with the position of a byte, if known."""
        if offset is None:
            return DataSyntaxError(detail, where=self.name, mend=mend)
        line, column = self.place(offset)
        where = f"{self.name}, line {line}, column {column}"
        return DataSyntaxError(detail, where=where, mend=mend, line=line, column=column)

    def fault_at(self, detail: str, mend: str, *words: str) -> DataSyntaxError:
        """Build an error with the position of words if they occur only once."""
        places: set[int] = set()
        with self.view() as view:
            for word in {word.encode() for word in words}:
                found = view.find(word)
                while found >= 0 and len(places) < 2:
                    places.add(found)
                    found = view.find(word, found + 1)
        return self.fault(detail, mend, places.pop() if len(places) == 1 else None)

    def place(self, offset: int) -> tuple[int, int]:
        """Return line and column of a byte, both from 1, in characters."""
        line, column = 1, 1
        left = offset
        with self._raw() as file:
            while left > 0 and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                ends = chunk.count(b"\n")
                if ends:
                    line, column = line + ends, 1
                    chunk = chunk[chunk.rindex(b"\n") + 1 :]
                column += len(chunk.translate(None, _CONTINUATION))
        if line == 1 and self._start and offset >= self._start:
            column -= 1
        return line, column

    def _raw(self) -> BinaryIO:
        return self._data.open("rb") if isinstance(self._data, Path) else io.BytesIO(self._data)
