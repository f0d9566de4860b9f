"""Stores of quads behind one interface, whatever their engine."""

from kg.store.embedded import EmbeddedStore
from kg.store.interface import (
    GRAPH_PATTERNS,
    UNION,
    UNNAMED,
    Answer,
    QueryDataset,
    Row,
    Store,
    Term,
    graph_names,
)
from kg.store.local import LocalStore

__all__ = [
    "GRAPH_PATTERNS",
    "UNION",
    "UNNAMED",
    "Answer",
    "EmbeddedStore",
    "LocalStore",
    "QueryDataset",
    "Row",
    "Store",
    "Term",
    "graph_names",
]
