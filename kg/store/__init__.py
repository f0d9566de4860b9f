"""Stores of quads behind one interface, whatever their engine."""

from kg.store.embedded import EmbeddedStore
from kg.store.graph_names import GRAPH_PATTERNS, graph_names
from kg.store.interface import UNION, UNNAMED, Answer, QueryDataset, Row, Store, Term
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
