"""The things that point to a thing, by property."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from kg.describe.listing import iris_in, select
from kg.describe.page_model import COUNTED, PAGE, Links
from kg.search import iri_text, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import GRAPH_ENTAILMENTS, term

_STATED: Final = f"FILTER(isIRI(?s) && ?g != {GRAPH_ENTAILMENTS})"
# Links that a page shows in other sections: events, claims, mentions, posts and parts.
_SHOWN_APART: Final = frozenset(
    term(curie).value
    for curie in [
        "dg:about", "dg:attributedTo", "dg:saidBy", "dg:towards", "dg:refersTo", "dg:subject", "dg:predicate",
        "dg:object", "dg:states", "dg:counterpart", "dg:mediator", "dg:host", "dg:guest", "dg:interactionOf",
        "dg:hasInteraction",
        "dg:quantityOf", "dg:subEventOf", "dg:ledTo", "dg:resultOf", "org:member", "org:organization",
        "dg:post", "dg:eventType", "dg:partOfPolicy", "dg:duration", "dg:actor", "dg:recipient",
        "dg:affected", "dg:orderedBy", "dg:participant", "dg:place", "dg:origin", "dg:transit",
        "dg:destination", "dg:target", "dg:means", "dg:codedActor", "dg:codedRecipient", "dg:codedEvent",
        "dg:codedPlace", "dg:codedCountry", "dg:statusOf", "dg:codedActorPlace", "dg:codedRecipientPlace",
        "rdfs:isDefinedBy",
    ]
)  # fmt: skip
# Lists up to this length are put in alphabetical order here, in the language of the page.
_FEW: Final = 500


def incoming(store: Store, iri: str, known: Collection[str], page: int) -> tuple[list[Links], int]:
    """List the things that point to a thing, by property, one page of each, and the longest list's length.

    `known` are the properties that point to it; nothing is queried if other sections show all of them.
    """
    if _SHOWN_APART.issuperset(known):
        return [], 0
    start = (page - 1) * PAGE
    properties = [plain(row["p"]) for row in select(store, incoming_query(iri))]
    totals = _totals(store, iri, properties)
    longest = min(max(totals.values(), default=0), COUNTED)
    shown = [prop for prop in properties if start < min(totals[prop], COUNTED)]
    few = [prop for prop in shown if totals[prop] <= _FEW]
    things = _all(store, iri, few) | _pages(store, iri, {p: totals[p] for p in shown if p not in few}, start)
    names = name_all(store, [iri for prop in shown for iri in (prop, *things[prop])])
    for prop in few:
        things[prop] = sorted(things[prop], key=lambda iri: (names[iri].label, iri))[start : start + PAGE]
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
    """Count the things that point to a thing by each property, up to one beyond COUNTED."""
    parts = (
        f"{{ SELECT ({iri_text(prop)} AS ?p) (COUNT(*) AS ?n) WHERE {{ {{ {_pointing(iri, prop)} }} }} }}"
        for prop in properties
    )
    rows = select(store, f"SELECT ?p ?n WHERE {{ {' UNION '.join(parts)} }}") if properties else []
    return dict.fromkeys(properties, 0) | {plain(row["p"]): int(plain(row["n"])) for row in rows}


def _all(store: Store, iri: str, properties: Sequence[str]) -> dict[str, list[str]]:
    """Find all things that point to a thing by some properties."""
    text = f"SELECT DISTINCT ?p ?s WHERE {{ VALUES ?p {{ {values(properties)} }} ?s ?p {iri_text(iri)} }}"
    found: dict[str, list[str]] = {prop: [] for prop in properties}
    for row in select(store, text) if properties else ():
        found[plain(row["p"])] += iris_in([row], "s")
    return found


def _pages(store: Store, iri: str, totals: Mapping[str, int], start: int) -> dict[str, list[str]]:
    """Find a page of the things that point to a thing by each property, by name if all are counted."""
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
    # The parts of a union come in any order.
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
    apart = ", ".join(iri_text(prop) for prop in sorted(_SHOWN_APART))
    # Virtuoso does not compile a variable that is in EXISTS and in the other half of the union.
    known = _STATED.replace("?s", "?any")
    return f"""SELECT DISTINCT ?p WHERE {{
        {{ ?p a owl:ObjectProperty FILTER EXISTS {{ GRAPH ?g {{ ?any ?p {node} }} {known} }} }}
        UNION {{ {{ SELECT ?s ?p WHERE {{ GRAPH ?g {{ ?s ?p {node} }} {_STATED} }} LIMIT {COUNTED} }} }}
        FILTER(?p NOT IN ({apart})) }} ORDER BY ?p LIMIT 100"""
