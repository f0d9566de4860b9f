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
    "eventType", "actor", "orderedBy", "recipient", "affected", "participant", "target", "means",
    "time", "origin", "transit", "destination", "place", "resultOf", "ledTo", "subEventOf",
    "partOfPolicy",
)  # fmt: skip
"""The properties at the top of an event's page, by local name."""
# Kinds of things whose facts need a source; claims, their parts and concepts do not.
_VOUCHED: Final = [
    "event", "country", "organization", "government", "administration", "agency", "person", "group",
    "place", "policy", "post", "membership", "interaction", "quantity", "unnamed-source", "source",
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
        "dg:eventType", "dg:actor", "dg:orderedBy", "dg:recipient", "dg:affected", "dg:participant",
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
    vouched = not joined.isdisjoint({ONTOLOGY + "about", *_INVERSE})
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
    claims: dict[tuple[str, str, str], list[Name]],
) -> Fact:
    graphs = list(dict.fromkeys(plain(row["g"]) for row in group if "g" in row))
    inferred = graphs == [GRAPH_ENTAILMENTS.value]
    graphs = [graph for graph in graphs if graph != GRAPH_ENTAILMENTS.value]
    other = plain(group[0]["o"])
    # A link with an inverse is supported by a claim about either of its ends.
    wanted = [(iri, prop), (other, _INVERSE.get(prop, "")), (other, prop if prop in _INVERSE else "")]
    support = [claim for graph in graphs for key in wanted for claim in claims.get((graph, *key), ())]
    vouched = kind_of(iri) in _VOUCHED and prop not in _PLAIN and not _REFERENCE.issuperset(graphs)
    return Fact(
        value=value_of(group[0], "o", names),
        graphs=tuple(names[graph] for graph in graphs),
        claims=tuple(dict.fromkeys(support)),
        sourced=bool(support) if vouched else None,
        inferred=inferred,
    )


def _supporting(store: Store, iri: str) -> dict[tuple[str, str, str], list[Name]]:
    """Map graph, thing and property to the claims in that graph about this aspect of the thing.

    The things are this one and those that it is linked to by properties with an inverse.
    """
    node = iri_text(iri)
    both = "|".join(f"<{prop}>|^<{prop}>" for prop in _INVERSE)
    rows = select(
        store,
        f"""SELECT DISTINCT ?g ?thing ?aspect ?claim WHERE {{
          {{ BIND({node} AS ?thing) GRAPH ?g {{ ?claim dg:about {node} ; dg:aspect ?aspect }} }}
          UNION {{ {node} {both} ?thing . VALUES ?aspect {{ {values(_INVERSE)} }}
            GRAPH ?g {{ ?claim dg:about ?thing ; dg:aspect ?aspect }} }}
        }} ORDER BY ?claim LIMIT {FACT_LIMIT}""",
    )
    names = name_all(store, iris_in(rows, "claim"))
    found: dict[tuple[str, str, str], list[Name]] = defaultdict(list)
    for row in rows:
        key = (plain(row["g"]), plain(row["thing"]), plain(row["aspect"]))
        found[key].append(names[plain(row["claim"])])
    return found
