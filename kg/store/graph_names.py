"""The named graphs of a store."""

from __future__ import annotations

from typing import Final

from pyoxigraph import NamedNode

from kg.store.interface import Store

GRAPH_PATTERNS: Final = ("GRAPH ?g { }", "GRAPH ?g { ?any ?has ?something }")
"""Patterns that bind ?g to every named graph: a quick one, and one for engines without support for it."""


def graph_names(store: Store) -> list[str]:
    """Return the IRIs of the named graphs."""
    for pattern in GRAPH_PATTERNS:
        rows = store.query(f"SELECT DISTINCT ?g {{ {pattern} }}").rows()
        found = [name.value for row in rows if isinstance(name := row.get("g"), NamedNode)]
        if found:
            return found
    return []
