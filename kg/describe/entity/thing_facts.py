"""The facts of a thing, with the graphs that state them and the claims that support them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from kg.describe.listing import iris_in, select, value_of
from kg.describe.page_model import Fact, Facts
from kg.search import Name, iri_text, kind_of, name_all, plain, values
from kg.store import Row, Store
from kg.terms import (
    GRAPH_ALIGNMENTS,
    GRAPH_COUNTRIES,
    GRAPH_ENTAILMENTS,
    GRAPH_EVENT_TYPES,
    GRAPH_LOADS,
    GRAPH_ONTOLOGY,
    ID,
    ONTOLOGY,
    PREFIXES,
    term,
)

FACT_LIMIT: Final = 2_000
VALUE_LIMIT: Final = 25
_REFERENCE: Final = {
    graph.value
    for graph in (
        GRAPH_ALIGNMENTS,
        GRAPH_COUNTRIES,
        GRAPH_ENTAILMENTS,
        GRAPH_EVENT_TYPES,
        GRAPH_LOADS,
        GRAPH_ONTOLOGY,
    )
}
GLANCE: Final = (
    "eventType", "actor", "orderedBy", "counterpart", "recipient", "affected", "mediator", "host", "guest",
    "participant", "target", "means", "reason",
    "time", "origin", "transit", "destination", "place", "resultOf", "ledTo", "subEventOf",
    "partOfPolicy", "topic", "level", "series", "round", "answers", "answerKind", "inExchangeFor",
)  # fmt: skip
"""The properties at the top of an event's page, by local name."""
# Kinds of things whose facts need a source; claims, their parts and concepts do not.
_VOUCHED: Final = [
    "event", "country", "organization", "government", "administration", "agency", "person", "group",
    "place", "policy", "post", "membership", "interaction", "quantity", "unnamed-source", "source",
    "instrument", "relation", "recognition", "ballot", "participation",
]  # fmt: skip
_RDFS, _SKOS = PREFIXES["rdfs"], PREFIXES["skos"]
SHOWN_APART: Final = {
    PREFIXES["rdf"] + "type",
    _RDFS + "label",
    ONTOLOGY + "centroid",
    _RDFS + "comment",
    _SKOS + "prefLabel",
    _SKOS + "altLabel",
}
IDENTIFIERS: Final = {
    *(_SKOS + local for local in ("exactMatch", "closeMatch")),
    PREFIXES["owl"] + "sameAs",
    PREFIXES["schema"] + "sameAs",
    *(ONTOLOGY + local for local in ("iso2", "iso3", "isoNumeric", "unM49", "fips", "cameo", "cow")),
    *(ONTOLOGY + local for local in ("cowAbbreviation", "geonames", "url")),
}
# Facts about labels and identifiers need no claim.
_PLAIN: Final = {*SHOWN_APART, *IDENTIFIERS, PREFIXES["dcterms"] + "language"}
_FIRST: Final = [
    term(curie).value
    for curie in [
        "dg:eventType", "dg:actor", "dg:orderedBy", "dg:counterpart", "dg:recipient", "dg:affected",
        "dg:mediator", "dg:host", "dg:guest", "dg:participant", "dg:signatory", "dg:issuedBy",
        "dg:addressedTo", "dg:sanctions", "dg:recognizedBy", "dg:recognizes", "dg:castBy", "dg:vote",
        "dg:target", "dg:means", "dg:time", "dg:duration", "dg:origin", "dg:transit", "dg:destination",
        "dg:place", "dg:resultOf", "dg:ledTo", "dg:subEventOf", "dg:partOfPolicy", "dg:party",
        "dg:character", "dg:hasInteraction", "dg:interactionOf", "dg:value", "dg:comparator", "dg:unit",
        "dg:quantityOf", "dg:asOf", "dg:deadline", "org:holds", "dg:post", "org:member", "org:postIn",
        "org:organization", "org:memberDuring", "dg:country", "dg:nationality", "dg:locatedIn",
        "org:subOrganizationOf", "dg:speaksFor", "dg:headedBy", "dg:adoptedBy", "dg:subgroupOf",
        "dcterms:publisher", "dg:cites", "skos:definition", "skos:notation", "skos:broader",
    ]
]  # fmt: skip


def facts_of(store: Store, iri: str, rows: Sequence[Row], incoming: Collection[str]) -> list[Facts]:
    """List the facts of a thing by property, the most telling properties first.

    `rows` are those of `facts_query`; `incoming` are the properties that point to the thing. dg:ledTo and
    dg:resultOf are inverse: each is shown whichever of the two the graph holds. Inferred facts are marked,
    and left out if a stated fact joins the thing to the same value.
    """
    names = name_all(store, iris_in(rows, "p", "o", "g"))
    joined = {plain(row["p"]) for row in rows} | set(incoming)
    vouched = not joined.isdisjoint({ONTOLOGY + "subject", *_INVERSE})
    claims = _supporting(store, iri) if vouched else {}
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[plain(row["p"])][str(row["o"])].append(row)
    stated = {plain(row["o"]) for row in rows if plain(row.get("g", "")) != GRAPH_ENTAILMENTS.value}
    result = []
    for prop in sorted(
        found, key=lambda p: (_FIRST.index(p) if p in _FIRST else len(_FIRST), names[p].label)
    ):
        facts = [_fact(iri, prop, group, names, claims) for group in found[prop].values()]
        facts = [fact for fact in facts if not (fact.inferred and _key(fact) in stated)]
        facts.sort(key=lambda fact: (fact.inferred, fact.value.text))
        if facts:
            result.append(Facts(names[prop], tuple(facts[:VALUE_LIMIT]), len(facts)))
    return result


def _key(fact: Fact) -> str:
    return fact.value.name.iri if fact.value.name else fact.value.text


def facts_query(iri: str) -> str:
    """Write the query for the facts of a thing and the graphs that state them."""
    node = iri_text(iri)
    return f"""SELECT ?p ?o ?g WHERE {{
        {{ {node} ?p ?o OPTIONAL {{ GRAPH ?g {{ {node} ?p ?o }} }} }}
        UNION {{ ?o dg:ledTo {node} BIND(dg:resultOf AS ?p)
          OPTIONAL {{ GRAPH ?g {{ ?o dg:ledTo {node} }} }} }}
        UNION {{ ?o dg:resultOf {node} BIND(dg:ledTo AS ?p)
          OPTIONAL {{ GRAPH ?g {{ ?o dg:resultOf {node} }} }} }}
        }} LIMIT {FACT_LIMIT}"""


def identifiers_query(iri: str) -> str:
    """Write the query for the identifiers of a thing in registers and other graphs."""
    return f"""SELECT DISTINCT ?scheme ?identifier WHERE {{
        VALUES ?scheme {{ {values(sorted(IDENTIFIERS))} }} {iri_text(iri)} ?scheme ?identifier
        }} ORDER BY ?scheme ?identifier"""


def glance_query(iri: str) -> str:
    """Write the query for the top of an event's page: roles, time, figures and parts."""
    node, stated = iri_text(iri), f"FILTER(?g != {GRAPH_ENTAILMENTS})"
    roles = values([*(ONTOLOGY + local for local in GLANCE), ONTOLOGY + "hasInteraction"])
    return f"""SELECT DISTINCT ?property ?value WHERE {{
        {{ VALUES ?property {{ {roles} }} GRAPH ?g {{ {node} ?property ?value }} {stated} }}
        UNION {{ BIND(dg:resultOf AS ?property) GRAPH ?g {{ ?value dg:ledTo {node} }} {stated} }}
        UNION {{ BIND(dg:ledTo AS ?property) GRAPH ?g {{ ?value dg:resultOf {node} }} {stated} }}
        UNION {{ VALUES ?property {{ dg:quantityOf dg:subEventOf }}
          GRAPH ?g {{ ?value ?property {node} }} {stated} }}
        }} ORDER BY ?property ?value"""


_INVERSE: Final = {
    ONTOLOGY + "ledTo": ONTOLOGY + "resultOf",
    ONTOLOGY + "resultOf": ONTOLOGY + "ledTo",
    ONTOLOGY + "hasInteraction": ONTOLOGY + "interactionOf",
    ONTOLOGY + "interactionOf": ONTOLOGY + "hasInteraction",
}


def _fact(
    iri: str,
    prop: str,
    group: list[Row],
    names: dict[str, Name],
    claims: dict[_Key, list[Name]],
) -> Fact:
    graphs = list(dict.fromkeys(plain(row["g"]) for row in group if "g" in row))
    inferred = graphs == [GRAPH_ENTAILMENTS.value]
    graphs = [graph for graph in graphs if graph != GRAPH_ENTAILMENTS.value]
    value = str(group[0]["o"])
    # A link with an inverse is supported by a claim that states either direction.
    wanted = [(iri_text(iri), prop, value), (value, _INVERSE.get(prop, ""), iri_text(iri))]
    support = [claim for graph in graphs for key in wanted for claim in claims.get((graph, *key), ())]
    vouched = kind_of(iri) in _VOUCHED and prop not in _PLAIN and not _REFERENCE.issuperset(graphs)
    return Fact(
        value=value_of(group[0], "o", names),
        graphs=tuple(names[graph] for graph in graphs),
        claims=tuple(dict.fromkeys(support)),
        sourced=bool(support) if vouched else None,
        inferred=inferred,
    )


_Key = tuple[str, str, str, str]
"""Graph, and subject, property and value of a fact."""


def _supporting(store: Store, iri: str) -> dict[_Key, list[Name]]:
    """Map facts, with the graph that holds them, to the claims in that graph which state them.

    The facts are those about this thing, and those that link others to it by a property with an inverse.
    Claims that deny a fact do not support it.
    """
    node = iri_text(iri)
    stated = "?claim dg:states ?fact FILTER NOT EXISTS { ?claim dg:modality <%s> }" % (ID + "modality/denied")
    rows = select(
        store,
        f"""SELECT DISTINCT ?g ?s ?p ?o ?claim WHERE {{
          {{ BIND({node} AS ?s) GRAPH ?g {{
            ?fact dg:subject {node} ; dg:predicate ?p ; dg:object ?o . {stated} }} }}
          UNION {{ BIND({node} AS ?o) GRAPH ?g {{ ?fact dg:object {node} ; dg:predicate ?p ; dg:subject ?s .
            {stated} }} FILTER(?p IN ({", ".join(map(iri_text, _INVERSE))})) }}
        }} ORDER BY ?claim LIMIT {FACT_LIMIT}""",
    )
    names = name_all(store, iris_in(rows, "claim"))
    found: dict[_Key, list[Name]] = defaultdict(list)
    for row in rows:
        key = (plain(row["g"]), str(row["s"]), plain(row["p"]), str(row["o"]))
        found[key].append(names[plain(row["claim"])])
    return found
