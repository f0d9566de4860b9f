"""Search: labels of things, the thing that a name means, and things with similar names."""

from __future__ import annotations

from kg.search.hierarchy import inferiors, most_specific, superiors, types_of
from kg.search.index import SearchIndex
from kg.search.naming import (
    LABELS,
    PROLOGUE,
    Hit,
    Name,
    exists,
    first_known,
    iri_text,
    kind_of,
    name_all,
    plain,
    row_text,
    spoken,
    values,
)
from kg.search.resolving import (
    attach,
    index_of,
    look_up,
    resolve,
    resolve_all,
    search,
    suggest,
    unknown,
    with_types,
)

__all__ = [
    "LABELS",
    "PROLOGUE",
    "Hit",
    "Name",
    "SearchIndex",
    "attach",
    "exists",
    "first_known",
    "index_of",
    "inferiors",
    "iri_text",
    "kind_of",
    "look_up",
    "most_specific",
    "name_all",
    "plain",
    "resolve",
    "resolve_all",
    "row_text",
    "search",
    "spoken",
    "suggest",
    "superiors",
    "types_of",
    "unknown",
    "values",
    "with_types",
]
