"""Writes the terms of a mapping for a row as N-Triples."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode

from kg.rdf import ntriples as nt
from kg.rdf.literals import literal_fault
from kg.readers.record import CellError
from kg.readers.rml.mapping import FIELD, TermMap
from kg.terms import PREFIXES, encoded

_NOT_IN_IRIS: Final = re.compile(r"[\x00-\x20\"<>\\^`{|}\x7f-\xa0]")
# Spreadsheets and pandas write 771 as 771.0.
_FLOAT: Final = re.compile(r"(-?\d+)\.0+", re.ASCII)
_INTEGERS: Final = frozenset(
    PREFIXES["xsd"] + name
    for name in ("integer", "int", "long", "short", "nonNegativeInteger", "positiveInteger")
)
Cells = dict[str, str]
"""The cells of a row by the names of their columns."""
Writer = Callable[[Cells], str | None]


def writer(term: TermMap) -> Writer:
    """Return a function that writes a term of a row as N-Triples; it returns None if a cell is empty."""
    if term.kind == "constant":
        with suppress(CellError):
            text = _written(term, term.value, "")
            return lambda cells: text
        return lambda cells: _written(term, term.value, "")
    if term.kind == "reference":
        return lambda cells: _written(term, cells[term.value], term.value) if cells[term.value] else None
    first, *texts = (text.replace("\\{", "{").replace("\\}", "}") for text in FIELD.split(term.value)[::2])
    names = term.references

    def write(cells: Cells) -> str | None:
        values = [cells[name] for name in names]
        if not all(values):
            return None
        if term.iri:
            values = [encoded(value) for value in values]
        pieces = (value + text for value, text in zip(values, texts, strict=True))
        return _written(term, first + "".join(pieces), names[0] if names else "")

    return write


def _written(term: TermMap, text: str, column: str) -> str:
    """Return a term as N-Triples; raises CellError if the text of the column is not valid in it."""
    if term.iri:
        try:
            if _NOT_IN_IRIS.search(text):
                raise ValueError
            return str(NamedNode(text))
        except ValueError:
            raise CellError(column, f'"{text}" is not an absolute IRI') from None
    if not term.datatype:
        return nt.plain(text) + (f"@{term.language.lower()}" if term.language else "")
    if term.datatype in _INTEGERS:
        text = whole_number(text)
    literal = pyoxigraph.Literal(text, datatype=NamedNode(term.datatype))
    if fault := literal_fault(literal):
        raise CellError(column, fault)
    return nt.typed(text, term.datatype) if term.datatype.startswith(PREFIXES["xsd"]) else str(literal)


def whole_number(text: str) -> str:
    """Return a whole number that was written as a decimal fraction (771.0), and other text as it is."""
    found = _FLOAT.fullmatch(text)
    return found[1] if found else text
