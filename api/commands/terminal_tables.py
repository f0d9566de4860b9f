"""Results of queries as a table on a terminal."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from kg.store import Term
from kg.terms import compact

_NARROWEST: Final = 8


def term_text(term: Term | None) -> str:
    """Write a term for people: an IRI shortened, a literal without its datatype, empty if unbound."""
    if term is None:
        return ""
    value = getattr(term, "value", None)
    if value is None:
        return str(term)
    if hasattr(term, "datatype"):
        return str(value)
    return compact(value) if str(term).startswith("<") else str(term)


def text_table(columns: Sequence[str], rows: Iterable[Sequence[str]], width: int | None) -> Iterator[str]:
    """Lay out lines of a table; cells that are too long for `width` (columns of a terminal) are wrapped."""
    cells = [[_printable(text) for text in row] for row in rows]
    widths = [max([_width(name), *(_width(row[i]) for row in cells)]) for i, name in enumerate(columns)]
    if width is not None:
        _narrow(widths, width - 2 * (len(widths) - 1))
    yield from _lines(list(columns), widths)
    yield "  ".join("─" * size for size in widths)
    for row in cells:
        yield from _lines(row, widths)


def _printable(text: str) -> str:
    # Text from outside must not steer the terminal.
    return "".join(char if char.isprintable() else " " for char in text)


def _width(text: str) -> int:
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _narrow(widths: list[int], room: int) -> None:
    while sum(widths) > room:
        widest = max(range(len(widths)), key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


def _lines(row: list[str], widths: list[int]) -> Iterator[str]:
    parts = [
        [text] if _width(text) <= size else textwrap.wrap(text, size) or [""]
        for text, size in zip(row, widths, strict=True)
    ]
    for i in range(max(map(len, parts), default=0)):
        cells = [part[i] if i < len(part) else "" for part in parts]
        padded = (cell + " " * (size - _width(cell)) for cell, size in zip(cells, widths, strict=True))
        yield "  ".join(padded).rstrip()
