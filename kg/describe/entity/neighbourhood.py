"""The things around a thing, as a small network."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from kg.describe.listing import select, standalone
from kg.describe.picture_model import Edge, Network
from kg.search import iri_text, kind_of, name_all, plain, values
from kg.store import Store
from kg.terms import GRAPH_ENTAILMENTS, ONTOLOGY, PARTICIPANT_ROLES, PREFIXES, term

NODES: Final = 40
_EACH: Final = 10
_EVENTS: Final = 12
# Kinds of things that are drawn; parts of claims, times and concepts are not.
_KINDS: Final = {
    "administration", "agency", "country", "event", "government", "group", "organization", "person", "place",
    "policy", "post", "source", "matter", "topic", "unnamed-source", "instrument", "relation", "recognition",
}  # fmt: skip
_PARTIES: Final = [*PARTICIPANT_ROLES, "origin", "transit", "place"]
_INCOMING: Final = [
    *(ONTOLOGY + local for local in _PARTIES),
    *(
        term(curie).value
        for curie in [
            "dg:destination", "dg:target", "dg:country", "dg:locatedIn", "dg:headedBy", "dg:adoptedBy",
            "dg:subEventOf", "dg:ledTo", "dg:resultOf", "dg:speaksFor", "dg:about", "dcterms:publisher",
            "org:postIn", "org:holds", "org:subOrganizationOf",
        ]
    ),
]  # fmt: skip


def neighbours_of(store: Store, iri: str, incoming: Collection[str] | None = None) -> Network:
    """Gather the things that a thing points to or that point to it, and the other parties of its events.

    At most NODES things; the thing itself comes first. `incoming` are the properties that point to it; None
    if that is not known.
    """
    node = iri_text(iri)
    parts = "".join(
        f"\n UNION {{ SELECT ?s ?p ?o WHERE {{ BIND({iri_text(p)} AS ?p) BIND({node} AS ?o)"
        f" ?s {iri_text(p)} {node} }} LIMIT {_EACH} }}"
        for p in _INCOMING
        if incoming is None or p in incoming
    )
    rows = select(
        store,
        f"""SELECT DISTINCT ?s ?p ?o WHERE {{
        {{ SELECT ?s ?p ?o WHERE {{ BIND({node} AS ?s) {node} ?p ?o FILTER(isIRI(?o)) }} LIMIT 200 }}
        {parts} }}""",
    )
    found = [(plain(row["s"]), plain(row["p"]), plain(row["o"])) for row in rows]
    events = [s if o == iri else o for s, _, o in found if kind_of(s if o == iri else o) == "event"]
    if events and kind_of(iri) != "event":
        further = select(
            store,
            f"""SELECT DISTINCT ?s ?p ?o WHERE {{
            VALUES ?s {{ {values(list(dict.fromkeys(events))[:_EVENTS])} }} ?s ?p ?o
            FILTER(?p IN ({", ".join("dg:" + local for local in _PARTIES)})) }} ORDER BY ?s ?o LIMIT 200""",
        )
        found += [(plain(row["s"]), plain(row["p"]), plain(row["o"])) for row in further]
    chosen = [iri]
    for subject, prop, other in found:
        ends = [end for end in (subject, other) if end != iri]
        if prop == PREFIXES["rdf"] + "type" or any(kind_of(end) not in _KINDS for end in ends):
            continue
        new = [end for end in ends if end not in chosen]
        if len(chosen) + len(new) <= NODES:
            chosen += new
    between = [] if kind_of(iri) == "event" else [end for end in chosen if kind_of(end) == "event"]
    query = _edges_query(iri, chosen[1:], between)
    edges: dict[tuple[str, str], list[str]] = {}
    for row in select(store, query):
        edges.setdefault((plain(row["from"]), plain(row["to"])), []).append(plain(row["property"]))
    linked = {end for pair in edges for end in pair}
    chosen = [iri, *(end for end in chosen[1:] if end in linked)]
    names = name_all(store, [*chosen, *(prop for props in edges.values() for prop in props)])
    return Network(
        tuple(names[thing] for thing in chosen),
        tuple(
            Edge(names[subject], names[other], tuple(names[p] for p in props))
            for (subject, other), props in edges.items()
        ),
        standalone(query),
    )


def _edges_query(iri: str, others: list[str], events: list[str]) -> str:
    """Write the query for the stated links of a thing, and of the events around it, to the chosen things."""
    node, around = iri_text(iri), values(others)
    stated = f"FILTER(?g != {GRAPH_ENTAILMENTS} && ?property != rdf:type)"
    link = "GRAPH ?g { ?from ?property ?to }"
    return f"""SELECT DISTINCT ?from ?property ?to WHERE {{
        {{ VALUES ?from {{ {values([iri, *events])} }} {link} FILTER(?to IN ({", ".join(around.split())})) }}
        UNION {{ VALUES ?from {{ {around} }} GRAPH ?g {{ ?from ?property {node} }} BIND({node} AS ?to) }}
        {stated} }} ORDER BY ?from ?to ?property"""
