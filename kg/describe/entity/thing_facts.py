"""The facts of a thing, with the graphs that state them and the claims that support them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final

from kg.describe.display import Display
from kg.describe.listing import iris_in, select, value_of
from kg.describe.page_model import Fact, Facts
from kg.search import Name, iri_text, kind_of, name_all, plain, row_text, values
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
# Kinds of things whose facts need a source; claims, their parts and concepts do not.
_VOUCHED: Final = [
    "event", "country", "organization", "government", "administration", "agency", "person", "group",
    "place", "policy", "post", "membership", "interaction", "quantity", "unnamed-source",
    "instrument", "relation", "recognition", "ballot", "participation",
]  # fmt: skip
_RDFS, _SKOS = PREFIXES["rdfs"], PREFIXES["skos"]
SHOWN_APART: Final = {
    PREFIXES["rdf"] + "type",
    _RDFS + "label",
    ONTOLOGY + "centroid",
    PREFIXES["sh"] + "order",
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


def facts_of(
    store: Store, iri: str, rows: Sequence[Row], incoming: Collection[str], display: Display
) -> list[Facts]:
    """List the facts of a thing by property, in the order of the ontology.

    `rows` are those of `facts_query`; `incoming` are the properties that point to the thing. Inferred facts
    are marked, and left out if a stated fact joins the thing to the same value.
    """
    names = name_all(store, iris_in(rows, "p", "o", "g"))
    joined = {plain(row["p"]) for row in rows} | set(incoming)
    vouched = not joined.isdisjoint({ONTOLOGY + "subject", ONTOLOGY + "about", *display.inverses})
    claims = _supporting(store, iri, display) if vouched else {}
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        found[plain(row["p"])][str(row["o"])].append(row)
    stated = {plain(row["o"]) for row in rows if plain(row.get("g", "")) != GRAPH_ENTAILMENTS.value}
    result = []
    for prop in sorted(found, key=lambda p: display.position(names[p])):
        facts = [_fact(iri, prop, group, names, claims, display) for group in found[prop].values()]
        facts = [fact for fact in facts if not (fact.inferred and _key(fact) in stated)]
        facts.sort(key=lambda fact: (fact.inferred, fact.value.text))
        if facts:
            result.append(Facts(names[prop], tuple(facts[:VALUE_LIMIT]), len(facts)))
    return result


def _key(fact: Fact) -> str:
    return fact.value.name.iri if fact.value.name else fact.value.text


def facts_query(iri: str, display: Display) -> str:
    """Write the query for the facts of a thing and the graphs that state them.

    A link by a symmetric property, or by one with an inverse, is found whichever of the two things states it.
    """
    node = iri_text(iri)
    pairs = " ".join(f"({iri_text(p)} {iri_text(q)})" for p, q in sorted(display.inverses.items()))
    return f"""SELECT ?p ?o ?g WHERE {{
        {{ {node} ?p ?o OPTIONAL {{ GRAPH ?g {{ {node} ?p ?o }} }} }}
        UNION {{ VALUES (?p ?inverse) {{ {pairs} }} GRAPH ?g {{ ?o ?inverse {node} }} }}
        }} LIMIT {FACT_LIMIT}"""


def identifiers_query(iri: str) -> str:
    """Write the query for the identifiers of a thing in registers and other graphs."""
    return f"""SELECT DISTINCT ?scheme ?identifier WHERE {{
        VALUES ?scheme {{ {values(sorted(IDENTIFIERS))} }} {iri_text(iri)} ?scheme ?identifier
        }} ORDER BY ?scheme ?identifier"""


def glance_query(iri: str) -> str:
    """Write the query for the top of an event's page: the facts that have an order, figures and parts."""
    node, stated = iri_text(iri), f"FILTER(?g != {GRAPH_ENTAILMENTS})"
    return f"""SELECT DISTINCT ?property ?value WHERE {{
        {{ GRAPH ?g {{ {node} ?property ?value }} {stated} ?property sh:order ?order }}
        UNION {{ VALUES ?property {{ dg:quantityOf dg:subEventOf }}
          GRAPH ?g {{ ?value ?property {node} }} {stated} }}
        }} ORDER BY ?order ?property ?value"""


def _fact(
    iri: str,
    prop: str,
    group: list[Row],
    names: dict[str, Name],
    claims: dict[_Key, list[Name]],
    display: Display,
) -> Fact:
    graphs = list(dict.fromkeys(plain(row["g"]) for row in group if "g" in row))
    inferred = graphs == [GRAPH_ENTAILMENTS.value]
    graphs = [graph for graph in graphs if graph != GRAPH_ENTAILMENTS.value]
    value = str(group[0]["o"])
    # A link with an inverse is supported by a claim that states either direction.
    wanted = [(iri_text(iri), prop, value), (value, display.inverses.get(prop, ""), iri_text(iri))]
    support = [claim for graph in graphs for key in wanted for claim in claims.get((graph, *key), ())]
    general = [claim for graph in graphs for claim in claims.get((graph, iri_text(iri), "", ""), ())]
    vouched = kind_of(iri) in _VOUCHED and prop not in _PLAIN and not _REFERENCE.issuperset(graphs)
    return Fact(
        value=value_of(group[0], "o", names),
        graphs=tuple(names[graph] for graph in graphs),
        claims=tuple(dict.fromkeys(support)),
        general=tuple(dict.fromkeys(general)),
        sourced=bool(support) if vouched else None,
        inferred=inferred,
    )


_Key = tuple[str, str, str, str]
"""Graph, and subject, property and value of a fact; the last two are empty for the thing as a whole."""


def _supporting(store: Store, iri: str, display: Display) -> dict[_Key, list[Name]]:
    """Map facts, with the graph that holds them, to the claims in that graph which state them.

    The facts are those about this thing, and those that link others to it by a property with an inverse.
    Denials do not support. Claims about the thing that state no facts, and denials that an event took place,
    belong to the thing as a whole.
    """
    node = iri_text(iri)
    held = f"FILTER NOT EXISTS {{ ?claim dg:modality <{ID}modality/denied> }}"
    rows = select(
        store,
        f"""SELECT DISTINCT ?g ?s ?p ?o ?claim WHERE {{
          {{ BIND({node} AS ?s) GRAPH ?g {{
            ?fact dg:subject {node} ; dg:predicate ?p ; dg:object ?o . ?claim dg:states ?fact {held} }} }}
          UNION {{ BIND({node} AS ?o) GRAPH ?g {{ ?fact dg:object {node} ; dg:predicate ?p ; dg:subject ?s .
            ?claim dg:states ?fact {held} }} FILTER(?p IN ({", ".join(map(iri_text, display.inverses))})) }}
          UNION {{ BIND({node} AS ?s) GRAPH ?g {{ ?claim dg:about {node}
            FILTER NOT EXISTS {{ ?claim dg:states ?any }} }} }}
          UNION {{ BIND({node} AS ?s) GRAPH ?g {{
            ?no dg:subject {node} ; dg:predicate dg:tookPlace ; dg:object true .
            ?claim dg:states ?no ; dg:modality <{ID}modality/denied> }} }}
        }} ORDER BY ?claim LIMIT {FACT_LIMIT}""",
    )
    names = name_all(store, iris_in(rows, "claim"))
    found: dict[_Key, list[Name]] = defaultdict(list)
    for row in rows:
        value = str(row["o"]) if "o" in row else ""
        key = (plain(row["g"]), str(row["s"]), row_text(row, "p") or "", value)
        found[key].append(names[plain(row["claim"])])
    return found
