"""Marks of the tables of records (`kg.table`) that a change of the quads makes out of date.

The marks are set in the process that writes, in the commit of the change or before it, so that no table is
ever in use that says other than the quads of its graph.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad

from kg.terms import GRAPH_LOADS, term

RECORD_TABLE: Final = term("dg:RecordTable")
"""Class of the tables in graph:loads."""
OF_GRAPH: Final = term("prov:wasDerivedFrom")
"""From a table to the graph whose records it holds."""
INVALIDATED: Final = term("prov:invalidatedAtTime")
"""When a table went out of use (PROV-O section 3.2)."""

_TYPE: Final = term("rdf:type")


def invalidated(table: NamedNode, at: datetime) -> Quad:
    """Return the mark of a table that is out of date."""
    text = at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return Quad(table, INVALIDATED, Literal(text, datatype=term("xsd:dateTime")), GRAPH_LOADS)


def has_tables(engine: pyoxigraph.Store) -> bool:
    """Return whether graph:loads knows any table."""
    return any(True for _ in engine.quads_for_pattern(None, _TYPE, RECORD_TABLE, GRAPH_LOADS))


def marks(engine: pyoxigraph.Store, graphs: Collection[str] | None) -> list[Quad]:
    """Return the marks that the tables of some graphs need when these change; None means all graphs."""
    now = datetime.now(UTC)
    return [
        invalidated(table, now)
        for table in _tables(engine, graphs)
        if not any(True for _ in engine.quads_for_pattern(table, INVALIDATED, None, GRAPH_LOADS))
    ]


def graphs_of(quads: Iterable[Quad]) -> set[str]:
    """Return the IRIs of the named graphs of quads."""
    return {quad.graph_name.value for quad in quads if isinstance(quad.graph_name, NamedNode)}


def _tables(engine: pyoxigraph.Store, graphs: Collection[str] | None) -> Iterator[NamedNode]:
    if graphs is None:
        found = engine.quads_for_pattern(None, _TYPE, RECORD_TABLE, GRAPH_LOADS)
        yield from (quad.subject for quad in found if isinstance(quad.subject, NamedNode))
        return
    for graph in graphs:
        try:
            name = NamedNode(graph)
        except ValueError:
            continue  # One reading of a relative IRI; no graph has such a name.
        found = engine.quads_for_pattern(None, OF_GRAPH, name, GRAPH_LOADS)
        yield from (quad.subject for quad in found if isinstance(quad.subject, NamedNode))
