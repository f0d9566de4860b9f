"""Names: what things are called, which thing a name means, and which things a text may mean."""

from __future__ import annotations

from kg.search.index import SearchIndex
from kg.search.naming import (
    LABELS,
    PROLOGUE,
    Hit,
    Name,
    exists,
    iri_text,
    kind_of,
    name_all,
    plain,
    row_text,
    spoken,
    types_of,
    values,
)
from kg.search.resolving import attach, index_of, resolve, search, suggest, unknown, with_types

__all__ = [
    "LABELS",
    "PROLOGUE",
    "Hit",
    "Name",
    "SearchIndex",
    "attach",
    "exists",
    "index_of",
    "iri_text",
    "kind_of",
    "name_all",
    "plain",
    "resolve",
    "row_text",
    "search",
    "spoken",
    "suggest",
    "types_of",
    "unknown",
    "values",
    "with_types",
]
