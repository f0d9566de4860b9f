"""The limit on rows: a result that exceeds it is stopped, never shortened."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from pyoxigraph import Triple

from kg.rdf.formats import Format
from kg.rdf.writing import Sink, write_triples
from kg.store.embedded import EmbeddedAnswer
from kg.store.isolated.limits import too_many_rows

_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)


def write_limited(answer: EmbeddedAnswer, sink: Sink, form: Format, limit: int) -> None:
    """Write a result to a binary file; raises QueryStoppedError for more than `limit` rows (0: any)."""
    if not limit or answer.kind == "boolean":
        answer.write(sink, form)
    elif answer.kind == "graph":
        write_triples(_limited(answer.triples(), limit), sink, form)
    else:
        answer.write(_Counting(sink, form.name, limit), form)


class _Counting:
    """Counts the rows that the engine writes, by a mark that occurs exactly once in each."""

    def __init__(self, sink: Sink, form: str, limit: int) -> None:
        self._sink = sink
        self._count = _COUNTERS[form]()
        # The first line of CSV and TSV is the header.
        self._left = limit + (form in ("csv", "tsv"))
        self._limit = limit

    def write(self, data: bytes) -> int:
        self._left -= self._count.rows(data)
        if self._left < 0:
            raise too_many_rows(self._limit)
        return self._sink.write(data)

    def flush(self) -> None:
        """Do nothing: the sink is flushed at its end."""


class _Marks:
    """Rows that begin with a mark; the engine may write a mark in two halves."""

    def __init__(self, mark: str) -> None:
        self._mark = re.compile(mark.encode())
        self._before = b""

    def rows(self, data: bytes) -> int:
        text = self._before + data
        found = 0
        end = 0
        for match in self._mark.finditer(text):
            found += 1
            end = match.end()
        self._before = text[max(end, len(text) - 16) :]
        return found


class _Json:
    """Rows of JSON: objects in an array, which holds no other objects once strings are removed."""

    def __init__(self) -> None:
        self._marks = _Marks(r"[\[,]\{[s}]")
        self._open = b""

    def rows(self, data: bytes) -> int:
        outside, quote, rest = _STRING.sub(b"s", self._open + data).partition(b'"')
        self._open = quote + rest
        return self._marks.rows(outside)


class _Lines:
    """Rows of CSV (RFC 4180): lines whose end is outside of quotes."""

    def __init__(self) -> None:
        self._quoted = False

    def rows(self, data: bytes) -> int:
        found = 0
        for index, piece in enumerate(data.split(b'"')):
            self._quoted ^= index > 0
            if not self._quoted:
                found += piece.count(b"\n")
        return found


_COUNTERS: Final[dict[str, Any]] = {
    # In a text "<" is escaped.
    "xml": lambda: _Marks("<result>|<result/>"),
    "json": _Json,
    "csv": _Lines,
    # Line ends in texts are escaped.
    "tsv": lambda: _Marks("\n"),
}


def _limited(triples: Iterator[Triple], limit: int) -> Iterator[Triple]:
    for number, triple in enumerate(triples):
        if number >= limit:
            raise too_many_rows(limit)
        yield triple
