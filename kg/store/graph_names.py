"""Which named graphs a store has."""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

from kg.store.interface import Store

GRAPH_PATTERNS: Final = ("GRAPH ?g { }", "GRAPH ?g { ?any ?has ?something }")
"""Patterns that bind ?g to every named graph: the quick one, and one for engines that find nothing by it."""


def graph_names(store: Store) -> list[str]:
    """List the IRIs of the named graphs."""
    for pattern in GRAPH_PATTERNS:
        rows = store.query(f"SELECT DISTINCT ?g {{ {pattern} }}").rows()
        found = [name.value for row in rows if isinstance(name := row.get("g"), NamedNode)]
        if found:
            return found
    return []
