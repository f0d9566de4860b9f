"""The one seam: what the tool asks of a store of quads, whatever engine is behind it."""

from kg.store.answer import Answer, Row, Term
from kg.store.embedded import EmbeddedStore
from kg.store.graph_names import GRAPH_PATTERNS, graph_names
from kg.store.seam import UNION, UNNAMED, QueryDataset, Store, settle

__all__ = [
    "GRAPH_PATTERNS",
    "UNION",
    "UNNAMED",
    "Answer",
    "EmbeddedStore",
    "QueryDataset",
    "Row",
    "Store",
    "Term",
    "graph_names",
    "settle",
]
