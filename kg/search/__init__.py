"""Search: labels of things, the thing that a name means, and things with similar names."""

from __future__ import annotations

from kg.search.hierarchy import inferiors, most_specific, types_of
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

__all__ = ["LABELS", "PROLOGUE", "Hit", "Name", "SearchIndex", "attach", "exists", "first_known", "index_of"]
__all__ += ["inferiors", "iri_text", "kind_of", "look_up", "most_specific", "name_all", "plain", "resolve"]
__all__ += ["resolve_all", "row_text", "search", "suggest", "types_of", "unknown", "values", "with_types"]
