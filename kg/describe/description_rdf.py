"""The RDF of a thing: a bounded description that stands on its own."""

from __future__ import annotations

from kg.search import PROLOGUE, exists, iri_text, unknown
from kg.store import Answer, Store

_PARTS = "dg:attributionStep|dg:span|dg:span/oa:hasSelector|oa:hasSelector|dg:hasInteraction|^dg:quantityOf"


def describe_triples(store: Store, iri: str) -> Answer:
    """Give a thing's own triples, the claims about it with steps and places, and its neighbours' names.

    Figures and interactions of an event belong to it. Raises UnknownNameError.
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
          UNION {{ {node} ?any ?s . ?s ?p ?o VALUES ?p {{ rdfs:label rdf:type }} }}
          UNION {{ ?s ?p {node} BIND({node} AS ?o)
            FILTER(?p IN (dg:subEventOf, dg:ledTo, dg:resultOf, org:member, org:postIn, dg:textOf)) }}
        }}"""
    )
