"""What a store answers to a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from pyoxigraph import BlankNode, Literal, NamedNode, Triple

from kg.rdf.formats import Format, Kind

Term = NamedNode | BlankNode | Literal | Triple
Row = Mapping[str, Term]
"""One solution: variable name (no question mark) to term; an unbound variable has no key."""


class Answer(Protocol):
    """The result of one query, read once, in one of three ways."""

    @property
    def kind(self) -> Kind:
        """Tell what it is: solutions of a SELECT, boolean of an ASK, graph of a CONSTRUCT or DESCRIBE."""
        ...

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the columns of solutions, in the query's order."""
        ...

    def rows(self) -> Iterator[Row]:
        """Read the solutions one by one."""
        ...

    def truth(self) -> bool:
        """Read the boolean."""
        ...

    def triples(self) -> Iterator[Triple]:
        """Read the triples of a graph."""
        ...

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Write the result in pieces; the pieces are complete or the iteration raises (no silent cut)."""
        ...
