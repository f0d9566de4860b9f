"""What the page of a thing needs, gathered with bounded work: every list is counted and paged."""

from __future__ import annotations

from kg.describe.claims import describe_claims, mentions_of, statement, statements_about, statements_by
from kg.describe.coding_records import records_of
from kg.describe.coverage import Covered, LastLoad, coverage_of, last_load
from kg.describe.description_rdf import describe_triples
from kg.describe.dyad_summary import LEVELS, Balance, Dyad, Filters, Passage, dyad_of
from kg.describe.event_filters import EventFilter, Line, choices, filtered, filtered_all, lines_of
from kg.describe.event_lists import (
    all_events,
    describe_events,
    events_of,
    events_where,
    figures_of,
    interactions_of,
    parts_of,
    route_of,
)
from kg.describe.facts import (
    GLANCE,
    IDENTIFIERS,
    SHOWN_APART,
    facts_of,
    facts_query,
    facts_table,
    glance_query,
    identifiers_query,
)
from kg.describe.incoming_links import holdings_of, incoming, incoming_query, is_graph, statuses_of, titles_at
from kg.describe.listing import iris_in, select, standalone
from kg.describe.map_points import spots_for, spots_of, spots_query
from kg.describe.named_graphs import Overview, Release, contents_of, overview, release_of, source_graphs
from kg.describe.neighbourhood import neighbours_of
from kg.describe.ontology_terms import (
    Branch,
    Entry,
    class_tree,
    ontology_header,
    ontology_terms,
    ontology_triples,
)
from kg.describe.page_model import PAGE, Description, EventLine, Fact, Facts, Listing, Statement, Value
from kg.describe.reconciliation import Match, facts_for, match_name, properties_of, terms_named
from kg.describe.site_index import News, described, news_of
from kg.describe.solution_tables import Table, members_of, table_of
from kg.describe.time_words import times_of
from kg.describe.timeline import timeline_of
from kg.describe.titles_held import Title, title_on, titles_on
from kg.search import LABELS, exists, iri_text, kind_of, name_all, plain, types_of, unknown
from kg.store import Store
from kg.terms import GRAPH, GRAPH_ENTAILMENTS, ONTOLOGY

__all__ = [
    "GLANCE",
    "LEVELS",
    "Balance",
    "Branch",
    "Covered",
    "Description",
    "Dyad",
    "Entry",
    "EventFilter",
    "EventLine",
    "Fact",
    "Facts",
    "Filters",
    "LastLoad",
    "Line",
    "Listing",
    "Match",
    "News",
    "Overview",
    "Passage",
    "Release",
    "Statement",
    "Table",
    "Title",
    "Value",
    "all_events",
    "choices",
    "class_tree",
    "coverage_of",
    "describe",
    "describe_claims",
    "describe_events",
    "describe_triples",
    "described",
    "dyad_of",
    "facts_for",
    "facts_table",
    "filtered",
    "filtered_all",
    "last_load",
    "lines_of",
    "match_name",
    "members_of",
    "neighbours_of",
    "news_of",
    "ontology_header",
    "ontology_terms",
    "ontology_triples",
    "overview",
    "properties_of",
    "release_of",
    "source_graphs",
    "spots_for",
    "spots_of",
    "table_of",
    "terms_named",
    "title_on",
    "titles_on",
]


def describe(store: Store, iri: str, *, page: int = 1, whole: bool = False) -> Description:
    """Gather what the page of a thing shows; `page` counts from 1 and turns all its lists at once.

    `whole` counts the events of a busy thing over time, which is left out otherwise.

    Raises UnknownNameError when no triple and no graph bears the IRI.
    """
    if not exists(store, iri):
        raise unknown(store, iri)
    every = types_of(store, [iri]).get(iri, [])
    own = _stated_types(store, iri) or every
    names = name_all(store, [iri, *own, *every])
    network = neighbours_of(store, iri)
    facts = facts_of(store, iri)
    links, longest = incoming(store, iri, page)
    concern = events_where(store, iri)
    events, about, by = (
        events_of(store, iri, page, concern),
        statements_about(store, iri, page),
        statements_by(store, iri, page),
    )
    holdings, mentions = holdings_of(store, iri, page), mentions_of(store, iri, page)
    contents = contents_of(store, iri, page) if is_graph(store, iri) else None
    records, statuses = records_of(store, iri, page), statuses_of(store, iri, page)
    lists: list[Listing[object]] = [events, about, by, holdings, mentions, records, statuses]  # type: ignore[list-item]
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
        titles=titles_at(store, iri),
        times=times_of(
            store,
            (f.value.name.iri for group in facts for f in group.facts if f.value.name and _is_time(group)),
        ),
        spots=tuple(spots_of(store, iri)),
        timeline=timeline_of(store, concern, whole=whole, total=events.total + events.more),
        records=records,
        network=network,
        languages=_languages(store, iri),
        queries={
            "facts": standalone(facts_query(iri)),
            "incoming": standalone(incoming_query(iri)),
            "identifiers": standalone(identifiers_query(iri)),
            "glance": standalone(glance_query(iri)),
            "map": standalone(spots_query(iri)),
            "neighbourhood": network.query,
        },
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
        statuses=statuses,
        inferred=tuple(names[found] for found in every if found not in own),
    )


def _is_time(group: Facts) -> bool:
    return group.property.iri == ONTOLOGY + "time"


def _stated_types(store: Store, iri: str) -> list[str]:
    """List the most specific of the classes that a graph states; those of the ontology come first."""
    node, stated = iri_text(iri), f"FILTER(?g != {GRAPH_ENTAILMENTS})"
    rows = select(
        store,
        f"""SELECT DISTINCT ?type WHERE {{ GRAPH ?g {{ {node} a ?type }} {stated} FILTER(isIRI(?type))
          FILTER NOT EXISTS {{ GRAPH ?g2 {{ {node} a ?other }} ?other rdfs:subClassOf+ ?type .
            FILTER(?other != ?type && ?g2 != {GRAPH_ENTAILMENTS}) }} }} ORDER BY ?type LIMIT 200""",
    )
    return sorted(iris_in(rows, "type"), key=lambda found: (not found.startswith(ONTOLOGY), found))


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
