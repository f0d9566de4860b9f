"""The data of a thing: its RDF as a description that stands on its own, and its facts as a table."""

from __future__ import annotations

from kg.search import PROLOGUE, exists, iri_text, unknown
from kg.store import Answer, Store

_PARTS = "dg:attributionStep|dg:span|dg:states|dg:hasInteraction|dg:hasParticipation|^dg:quantityOf"


def describe_triples(store: Store, iri: str) -> Answer:
    """Return a thing's triples, the claims about it with their parts, and its neighbours' names.

    The description of an event includes its figures and interactions. Raises UnknownNameError.
    """
    if not exists(store, iri):
        raise unknown(store, iri)
    node = iri_text(iri)
    return store.query(
        f"""{PROLOGUE}
        CONSTRUCT {{ ?s ?p ?o }} WHERE {{
          {{ {node} ?p ?o BIND({node} AS ?s) }}
          UNION {{ {node} {_PARTS} ?s . ?s ?p ?o }}
          UNION {{ ?s dg:about {node} ; ?p ?o }}
          UNION {{ ?claim dg:about {node} ; {_PARTS} ?s . ?s ?p ?o }}
          UNION {{ {node} ?any ?s . ?s rdfs:label ?o BIND(rdfs:label AS ?p) }}
          UNION {{ {node} ?any ?s . ?s rdf:type ?o BIND(rdf:type AS ?p) }}
          UNION {{ VALUES ?p {{ dg:subEventOf dg:ledTo dg:resultOf org:member org:postIn dg:textOf }}
            ?s ?p {node} BIND({node} AS ?o) }}
        }}"""
    )


def facts_table(store: Store, iri: str) -> Answer:
    """Return the facts of a thing as a table: property, value, their names, the graph and the claims.

    Names are in English. Raises UnknownNameError.
    """
    if not exists(store, iri):
        raise unknown(store, iri)
    node = iri_text(iri)
    return store.query(
        f"""{PROLOGUE}
        SELECT ?property ?propertyLabel ?value ?valueLabel ?graph
          (GROUP_CONCAT(DISTINCT STR(?c); SEPARATOR=" ") AS ?claims)
        WHERE {{ {{ SELECT DISTINCT ?property ?propertyLabel ?value ?valueLabel ?graph ?c WHERE {{
          GRAPH ?graph {{ {node} ?property ?value }}
          OPTIONAL {{ ?property rdfs:label ?pl FILTER(LANG(?pl) IN ("en", "")) }}
          OPTIONAL {{ ?value rdfs:label ?vl FILTER(LANG(?vl) IN ("en", "")) }}
          BIND(STR(?pl) AS ?propertyLabel) BIND(STR(?vl) AS ?valueLabel)
          OPTIONAL {{ GRAPH ?graph {{ ?f dg:subject {node} ; dg:predicate ?property ; dg:object ?value .
            ?c dg:states ?f }} }}
        }} ORDER BY ?c }} }}
        GROUP BY ?property ?propertyLabel ?value ?valueLabel ?graph
        ORDER BY ?property ?value ?graph"""
    )
