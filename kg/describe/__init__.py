"""What the page of a thing needs, gathered with bounded work: every list is counted and paged."""

from __future__ import annotations

from kg.describe.claims import describe_claims, mentions_of, statement, statements_about, statements_by
from kg.describe.events import (
    all_events,
    describe_events,
    events_of,
    figures_of,
    interactions_of,
    parts_of,
    route_of,
)
from kg.describe.facts import IDENTIFIERS, SHOWN_APART, facts_of
from kg.describe.graphs import Overview, contents_of, overview, source_graphs
from kg.describe.links import holdings_of, incoming, is_graph
from kg.describe.listing import select
from kg.describe.model import PAGE, Description, EventLine, Facts, Listing, Statement, Value
from kg.describe.ontology import Branch, Entry, class_tree, ontology_header, ontology_terms, ontology_triples
from kg.describe.rdf import describe_triples
from kg.describe.tables import Dyad, Passage, Table, between_actors, members_of, table_of
from kg.search import exists, iri_text, kind_of, name_all, plain, types_of, unknown
from kg.store import Store
from kg.terms import GRAPH

__all__ = [
    "Branch",
    "Description",
    "Dyad",
    "Entry",
    "EventLine",
    "Facts",
    "Listing",
    "Overview",
    "Passage",
    "Statement",
    "Table",
    "Value",
    "all_events",
    "between_actors",
    "class_tree",
    "describe",
    "describe_claims",
    "describe_events",
    "describe_triples",
    "members_of",
    "ontology_header",
    "ontology_terms",
    "ontology_triples",
    "overview",
    "source_graphs",
    "table_of",
]


def describe(store: Store, iri: str, *, page: int = 1) -> Description:
    """Gather what the page of a thing shows; `page` counts from 1 and turns all its lists at once.

    Raises UnknownNameError when no triple and no graph bears the IRI.
    """
    if not exists(store, iri):
        raise unknown(store, iri)
    own = types_of(store, [iri]).get(iri, [])
    names = name_all(store, [iri, *own])
    facts = facts_of(store, iri)
    links, longest = incoming(store, iri, page)
    events, about, by = (
        events_of(store, iri, page),
        statements_about(store, iri, page),
        statements_by(store, iri, page),
    )
    holdings, mentions = holdings_of(store, iri, page), mentions_of(store, iri, page)
    contents = contents_of(store, iri, page) if is_graph(store, iri) else None
    lists: list[Listing[object]] = [events, about, by, holdings, mentions]  # type: ignore[list-item]
    if contents:
        lists += [contents.events, contents.statements]  # type: ignore[list-item]
    most = max([longest, *(found.total for found in lists)])
    texts = _texts(store, iri)
    return Description(
        name=names[iri],
        kind="graph" if contents or iri.startswith(GRAPH) else kind_of(iri),
        types=tuple(names[found] for found in own),
        aliases=tuple(text for prop, text in texts if prop.endswith("altLabel")),
        comments=tuple(text for prop, text in texts if prop.endswith("comment")),
        facts=tuple(f for f in facts if f.property.iri not in SHOWN_APART | IDENTIFIERS),
        identifiers=tuple(fact for f in facts if f.property.iri in IDENTIFIERS for fact in f.facts),
        figures=tuple(figures_of(store, iri)),
        between=tuple(interactions_of(store, [iri]).get(iri, ())),
        parts=tuple(parts_of(store, iri)),
        route=tuple(route_of(store, iri)),
        events=events,
        about=about,
        by=by,
        statement=statement(store, iri),
        holdings=holdings,
        mentions=mentions,
        incoming=tuple(links),
        contents=contents,
        graphs=tuple(dict.fromkeys(graph for f in facts for fact in f.facts for graph in fact.graphs)),
        page=page,
        pages=max(1, -(-most // PAGE)),
    )


def _texts(store: Store, iri: str) -> list[tuple[str, str]]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?p ?o WHERE {{ VALUES ?p {{ skos:altLabel rdfs:comment }} {iri_text(iri)} ?p ?o }}
        ORDER BY ?o LIMIT 60""",
    )
    return [(plain(row["p"]), plain(row["o"])[:2000]) for row in rows]
