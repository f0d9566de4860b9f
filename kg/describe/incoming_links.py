"""What points to a thing, and the posts that join people and bodies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from kg.describe.listing import iris_in, listed, select
from kg.describe.page_model import COUNTED, PAGE, Holding, Links, Listing, Status
from kg.describe.time_words import times_of
from kg.describe.titles_held import titles_on
from kg.search import PROLOGUE, Name, iri_text, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import GRAPH_ENTAILMENTS, term

_STATED: Final = f"FILTER(isIRI(?s) && ?g != {GRAPH_ENTAILMENTS})"
# Links that a page shows in words elsewhere: events, claims, mentions, posts and parts.
_SHOWN_APART: Final = [
    term(curie).value
    for curie in [
        "dg:about",
        "dg:attributedTo",
        "dg:refersTo",
        "dg:aspect",
        "dg:interactionOf",
        "dg:hasInteraction",
        "dg:quantityOf",
        "dg:subEventOf",
        "dg:ledTo",
        "dg:resultOf",
        "org:member",
        "org:organization",
        "dg:post",
        "dg:eventType",
        "dg:partOfPolicy",
        "dg:duration",
        "dg:actor",
        "dg:recipient",
        "dg:affected",
        "dg:orderedBy",
        "dg:participant",
        "dg:place",
        "dg:origin",
        "dg:transit",
        "dg:destination",
        "dg:target",
        "dg:means",
        "dg:codedActor",
        "dg:codedRecipient",
        "dg:codedEvent",
        "dg:codedPlace",
        "dg:codedCountry",
        "dg:statusOf",
        "dg:codedActorPlace",
        "dg:codedRecipientPlace",
        "rdfs:isDefinedBy",
    ]
]


def incoming(store: Store, iri: str, page: int) -> tuple[list[Links], int]:
    """List what points to a thing, by property, one page of each; and how long the longest list is.

    Properties that the ontology declares are tried one by one; others are found among the first COUNTED.
    """
    start = (page - 1) * PAGE
    properties = [plain(row["p"]) for row in select(store, incoming_query(iri))]
    totals = _totals(store, iri, properties)
    longest = min(max(totals.values(), default=0), COUNTED)
    shown = [prop for prop in properties if start < min(totals[prop], COUNTED)]
    things = _pages(store, iri, {prop: totals[prop] for prop in shown}, start)
    names = name_all(store, [iri for prop in shown for iri in (prop, *things[prop])])
    links = [
        Links(
            names[prop],
            tuple(names[thing] for thing in things[prop]),
            min(totals[prop], COUNTED),
            totals[prop] > COUNTED,
        )
        for prop in shown
        if things[prop]
    ]
    return links, longest


def _totals(store: Store, iri: str, properties: Sequence[str]) -> dict[str, int]:
    """Count, in one query, what points to a thing by each property, up to one beyond COUNTED."""
    parts = (
        f"{{ SELECT ({iri_text(prop)} AS ?p) (COUNT(*) AS ?n) WHERE {{ {{ {_pointing(iri, prop)} }} }} }}"
        for prop in properties
    )
    rows = select(store, f"SELECT ?p ?n WHERE {{ {' UNION '.join(parts)} }}") if properties else []
    return dict.fromkeys(properties, 0) | {plain(row["p"]): int(plain(row["n"])) for row in rows}


def _pages(store: Store, iri: str, totals: Mapping[str, int], start: int) -> dict[str, list[str]]:
    """Find, in one query, a page of what points to a thing by each property, by name if all are counted."""
    parts = []
    for prop, total in totals.items():
        page = f"LIMIT {PAGE} OFFSET {start}"
        chosen = f"""SELECT ?item (MIN(STR(?l)) AS ?label) WHERE {{ {{ {_pointing(iri, prop)} }}
            OPTIONAL {{ ?item rdfs:label ?l FILTER(LANG(?l) IN ("en", "")) }} }}
            GROUP BY ?item ORDER BY ?label ?item {page}"""
        if total > COUNTED:
            chosen = f"SELECT DISTINCT ?item WHERE {{ ?item {iri_text(prop)} {iri_text(iri)} }} {page}"
        parts.append(f"{{ {{ {chosen} }} BIND({iri_text(prop)} AS ?p) }}")
    rows = select(store, f"SELECT ?p ?item ?label WHERE {{ {' UNION '.join(parts)} }}") if parts else []
    # A union may give its parts in any order.
    rows.sort(key=lambda row: ("label" in row, row_text(row, "label") or "", plain(row["item"])))
    found: dict[str, list[str]] = {prop: [] for prop in totals}
    for row in rows:
        found[plain(row["p"])] += iris_in([row], "item")
    return found


def _pointing(iri: str, prop: str) -> str:
    return (
        f"SELECT DISTINCT ?item WHERE {{ ?item {iri_text(prop)} {iri_text(iri)} FILTER(isIRI(?item)) }}"
        f" LIMIT {COUNTED + 1}"
    )


def incoming_query(iri: str) -> str:
    """Write the query for the properties by which something points to a thing, as some graph states."""
    node = iri_text(iri)
    apart = ", ".join(iri_text(prop) for prop in _SHOWN_APART)
    # Another name than ?s: Virtuoso compiles no variable that is inside of EXISTS and in the other half, too.
    known = _STATED.replace("?s", "?any")
    return f"""SELECT DISTINCT ?p WHERE {{
        {{ ?p a owl:ObjectProperty FILTER EXISTS {{ GRAPH ?g {{ ?any ?p {node} }} {known} }} }}
        UNION {{ {{ SELECT ?s ?p WHERE {{ GRAPH ?g {{ ?s ?p {node} }} {_STATED} }} LIMIT {COUNTED} }} }}
        FILTER(?p NOT IN ({apart})) }} ORDER BY ?p LIMIT 100"""


def titles_at(store: Store, event: str) -> dict[str, tuple[Name, ...]]:
    """Name the posts that the people in an event are known to have held while it took place.

    An event without a date gives none: of which day to ask is not known.
    """
    rows = select(
        store,
        f"""SELECT DISTINCT ?person ?first ?last WHERE {{
          {iri_text(event)} dg:actor|dg:recipient|dg:affected|dg:orderedBy|dg:participant ?person ;
            dg:time ?t . ?t dg:begin ?first . OPTIONAL {{ ?t dg:end ?last }}
          FILTER EXISTS {{ ?membership org:member ?person }}
        }} ORDER BY ?person LIMIT 100""",
    )
    titles: dict[str, tuple[Name, ...]] = {}
    for row in rows:
        first, last = row_text(row, "first"), row_text(row, "last")
        try:
            days = [date.fromisoformat(day) for day in (first, last) if day]
        except ValueError:  # before year 1 or past 9999, where the calendar of the library ends
            continue
        person = plain(row["person"])
        held = titles_on(store, [person], days[0], days[-1]).get(person, ())
        if certain := tuple(title.post for title in held if title.certain):
            titles[person] = certain
    return titles


def holdings_of(store: Store, iri: str, page: int) -> Listing[Holding]:
    """List who held which post over which interval, for a person, a post or an organization.

    A post held without a membership counts as well; the earliest beginning comes first.
    """
    node = iri_text(iri)
    where = f"""{{ ?item org:member|org:organization|dg:post {node} }}
        UNION {{ ?item a org:Membership FILTER(?item = {node}) }}"""
    order = "OPTIONAL { ?item org:memberDuring/dg:begin ?begin }"
    found = listed(store, where, page, order=order, key="MIN(?begin)")
    rows = select(
        store,
        f"""SELECT DISTINCT ?m ?person ?post ?organization ?t WHERE {{
          {{ VALUES ?m {{ {values(found.items)} }}
            OPTIONAL {{ ?m org:member ?person }} OPTIONAL {{ ?m dg:post ?post }}
            OPTIONAL {{ ?m org:organization ?organization }} OPTIONAL {{ ?m org:memberDuring ?t }} }}
          UNION {{ ?person org:holds ?post . OPTIONAL {{ ?post org:postIn ?organization }}
            FILTER(?person = {node} || ?post = {node} || ?organization = {node})
            FILTER NOT EXISTS {{ ?any org:member ?person ; dg:post ?post }} }}
        }} ORDER BY ?m ?person ?post LIMIT {2 * PAGE}"""
        if found.items
        else f"""SELECT DISTINCT ?person ?post ?organization WHERE {{
          {{ BIND({node} AS ?person) {node} org:holds ?post OPTIONAL {{ ?post org:postIn ?organization }} }}
          UNION {{ BIND({node} AS ?post) ?person org:holds {node}
            OPTIONAL {{ {node} org:postIn ?organization }} }}
          UNION {{ BIND({node} AS ?organization) ?post org:postIn {node} . ?person org:holds ?post }}
        }} ORDER BY ?person ?post LIMIT {PAGE}""",
    )
    names = name_all(store, iris_in(rows, "m", "person", "post", "organization"))
    times = times_of(store, iris_in(rows, "t"))
    order_of = {item: number for number, item in enumerate(found.items)}
    rows.sort(key=lambda row: order_of.get(row_text(row, "m") or "", len(order_of)))
    holdings = [
        Holding(
            membership=names.get(row_text(row, "m") or ""),
            person=names.get(row_text(row, "person") or ""),
            post=names.get(row_text(row, "post") or ""),
            organization=names.get(row_text(row, "organization") or ""),
            when=times.get(row_text(row, "t") or ""),
        )
        for row in rows
    ]
    query = found.query if found.items else ""
    return Listing(holdings, max(found.total, len(holdings)), found.start, found.more, query)


def statuses_of(store: Store, iri: str, page: int) -> Listing[Status]:
    """List the ranks of a mission over time, the earliest first."""
    where = f"?item dg:statusOf {iri_text(iri)}"
    order = "OPTIONAL { ?item dg:time/dg:begin ?begin } OPTIONAL { ?item dg:time/dg:end ?end }"
    order += " BIND(COALESCE(?begin, ?end) AS ?day)"
    found = listed(store, where, page, order=order, key="MIN(?day)")
    if not found.items:
        return Listing(total=found.total, start=found.start, more=found.more, query=found.query)
    rows = select(
        store,
        f"""SELECT ?item (MIN(?r) AS ?rank) (MIN(?t) AS ?time) WHERE {{
        VALUES ?item {{ {values(found.items)} }}
        OPTIONAL {{ ?item dg:status ?r }} OPTIONAL {{ ?item dg:time ?t }} }} GROUP BY ?item""",
    )
    by_item = {row_text(row, "item") or "": row for row in rows}
    names = name_all(store, [*found.items, *iris_in(rows, "rank")])
    times = times_of(store, iris_in(rows, "time"))
    items = [
        Status(
            names[item],
            names.get(row_text(by_item[item], "rank") or ""),
            times.get(row_text(by_item[item], "time") or ""),
        )
        for item in found.items
    ]
    return Listing(items, found.total, found.start, found.more, found.query)


def is_graph(store: Store, iri: str) -> bool:
    """Tell whether a named graph goes by this IRI."""
    return store.query(f"{PROLOGUE} ASK {{ GRAPH {iri_text(iri)} {{ ?s ?p ?o }} }}").truth()
