"""What programs are told of a thing in Link headers."""

from __future__ import annotations

from collections.abc import Sequence

from kg.describe.listing import select
from kg.describe.page_model import Signposts
from kg.search import iri_text, plain, row_text, types_of
from kg.store import Store


def signposts_of(store: Store, iri: str, types: Sequence[str] | None = None) -> Signposts:
    """Return the classes of a thing (`types`, if they are known) and the licences of its graphs."""
    if types is None:
        types = types_of(store, [iri]).get(iri, [])
    rows = select(
        store,
        f"""SELECT DISTINCT ?g ?licence WHERE {{ GRAPH ?g {{ {iri_text(iri)} ?p ?o }}
        OPTIONAL {{ ?g dcterms:license ?licence FILTER(isIRI(?licence)) }} }} LIMIT 20""",
    )
    graphs = ((plain(row["g"]), row_text(row, "licence") or "") for row in rows if "g" in row)
    return Signposts(tuple(types), tuple(graphs))
