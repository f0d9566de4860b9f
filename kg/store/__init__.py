"""The one seam between diplograph and a store of quads, whatever engine is behind it."""

from kg.store.embedded import EmbeddedStore
from kg.store.graph_names import GRAPH_PATTERNS, graph_names
from kg.store.interface import UNION, UNNAMED, Answer, LocalStore, QueryDataset, Row, Store, Term

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
