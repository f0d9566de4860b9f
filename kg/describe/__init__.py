"""What the page of a thing needs, gathered with bounded work: every list is counted and paged."""

from __future__ import annotations

from kg.describe.claims import describe_claims, mentions_of, statement, statements_about, statements_by
from kg.describe.dyads import LEVELS, Balance, Dyad, Filters, Passage, dyad_of
from kg.describe.events import (
    all_events,
    describe_events,
    events_of,
    events_where,
    figures_of,
    interactions_of,
    parts_of,
    route_of,
)
from kg.describe.facts import IDENTIFIERS, SHOWN_APART, facts_of, facts_query, facts_table
from kg.describe.graphs import Overview, Release, contents_of, overview, release_of, source_graphs
from kg.describe.links import holdings_of, incoming, incoming_query, is_graph, posts_during
from kg.describe.listing import select, standalone
from kg.describe.model import PAGE, Description, EventLine, Fact, Facts, Listing, Statement, Value
from kg.describe.neighbours import neighbours_of
from kg.describe.ontology import Entry, ontology_terms, ontology_triples
from kg.describe.places import spots_of
from kg.describe.rdf import describe_triples
from kg.describe.records import records_of
from kg.describe.tables import Table, members_of, table_of
from kg.describe.timeline import timeline_of
from kg.describe.times import times_of
from kg.search import LABELS, exists, iri_text, kind_of, name_all, plain, types_of, unknown
from kg.store import Store
from kg.terms import GRAPH, ONTOLOGY

__all__ = [
    "LEVELS",
    "Balance",
    "Description",
    "Dyad",
    "Entry",
    "EventLine",
    "Fact",
    "Facts",
    "Filters",
    "Listing",
    "Overview",
    "Passage",
    "Release",
    "Statement",
    "Table",
    "Value",
    "all_events",
    "describe",
    "describe_claims",
    "describe_events",
    "describe_triples",
    "dyad_of",
    "facts_table",
    "members_of",
    "neighbours_of",
    "ontology_terms",
    "ontology_triples",
    "overview",
    "release_of",
    "source_graphs",
    "spots_of",
    "table_of",
]


def describe(store: Store, iri: str, *, page: int = 1, whole: bool = False) -> Description:
    """Gather what the page of a thing shows; `page` counts from 1 and turns all its lists at once.

    `whole` counts the events of a busy thing over time, which is left out otherwise.

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
    records = records_of(store, iri, page)
    lists: list[Listing[object]] = [events, about, by, holdings, mentions, records]  # type: ignore[list-item]
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
        identifiers=tuple(f for f in facts if f.property.iri in IDENTIFIERS),
        titles=posts_during(store, iri),
        times=times_of(
            store,
            (f.value.name.iri for group in facts for f in group.facts if f.value.name and _is_time(group)),
        ),
        spots=tuple(spots_of(store, iri)),
        timeline=timeline_of(store, events_where(store, iri), whole=whole),
        records=records,
        network=neighbours_of(store, iri),
        languages=_languages(store, iri),
        facts_query=standalone(facts_query(iri)),
        incoming_query=standalone(incoming_query(iri)),
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


def _is_time(group: Facts) -> bool:
    return group.property.iri == ONTOLOGY + "time"


def _languages(store: Store, iri: str) -> tuple[str, ...]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?language WHERE {{ {iri_text(iri)} {LABELS} ?label
        BIND(LANG(?label) AS ?language) FILTER(?language != "") }} ORDER BY ?language LIMIT 200""",
    )
    return tuple(plain(row["language"]) for row in rows)


def _texts(store: Store, iri: str) -> list[tuple[str, str]]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?p ?o WHERE {{ VALUES ?p {{ skos:altLabel rdfs:comment }} {iri_text(iri)} ?p ?o }}
        ORDER BY ?o LIMIT 60""",
    )
    return [(plain(row["p"]), plain(row["o"])[:2000]) for row in rows]
