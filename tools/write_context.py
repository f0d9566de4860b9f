"""Writes `ontology/context.jsonld`, the JSON-LD context of the data model, from the ontology.

Run from the root of the project: python tools/write_context.py
"""

from __future__ import annotations

import json
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ONTOLOGY, PREFIXES

_LISTED: Final = ("dg", "rdf", "rdfs", "xsd", "skos", "dcterms", "oa", "org", "prov", "wd")
_OTHERS: Final[dict[str, dict[str, str] | str]] = {
    "label": {"@id": "rdfs:label", "@language": "en"},
    "comment": {"@id": "rdfs:comment", "@language": "en"},
    "altLabel": {"@id": "skos:altLabel", "@language": "en"},
    "prefLabel": {"@id": "skos:prefLabel", "@language": "en"},
    "title": {"@id": "dcterms:title", "@language": "en"},
    "issued": {"@id": "dcterms:issued", "@type": "xsd:date"},
    "publisher": {"@id": "dcterms:publisher", "@type": "@id"},
    "notation": "skos:notation",
    "inScheme": {"@id": "skos:inScheme", "@type": "@id"},
    "exactMatch": {"@id": "skos:exactMatch", "@type": "@id"},
    "holds": {"@id": "org:holds", "@type": "@id"},
    "postIn": {"@id": "org:postIn", "@type": "@id"},
    "member": {"@id": "org:member", "@type": "@id"},
    "organization": {"@id": "org:organization", "@type": "@id"},
    "memberDuring": {"@id": "org:memberDuring", "@type": "@id"},
    "Post": "org:Post",
    "Membership": "org:Membership",
    "Interval": PREFIXES["time"] + "ProperInterval",
}
# OWL 2 has no xsd:date, so these have no range in the ontology.
_DAYS: Final = ("begin", "end")
_OWL: Final = PREFIXES["owl"]
_TYPE: Final = PREFIXES["rdf"] + "type"
_RANGE: Final = PREFIXES["rdfs"] + "range"


def make_context() -> str:
    """Return the context made from the ontology, the content of `ontology/context.jsonld`."""
    facts: dict[str, dict[str, set[str]]] = {}
    for quad in pyoxigraph.parse(path=ONTOLOGY_FOLDER / "diplomacy.ttl", format=RdfFormat.TURTLE):
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(ONTOLOGY):
            known = facts.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, set())
            known.add(quad.object.value if isinstance(quad.object, NamedNode) else "")
    terms: dict[str, object] = {"@version": 1.1, "id": "@id", "type": "@type", "graph": "@graph"}
    terms |= {prefix: PREFIXES[prefix] for prefix in _LISTED}
    terms |= _OTHERS
    for iri in sorted(facts):
        local = iri.removeprefix(ONTOLOGY)
        terms[local] = _entry(local, facts[iri].get(_TYPE, set()), facts[iri].get(_RANGE, set()))
    return json.dumps({"@context": terms}, indent=1, ensure_ascii=False) + "\n"


def _entry(local: str, kinds: set[str], ranges: set[str]) -> dict[str, str] | str:
    iri = f"dg:{local}"
    if f"{_OWL}ObjectProperty" in kinds or local == "predicate":
        return {"@id": iri, "@type": "@id"}
    if local in _DAYS:
        return {"@id": iri, "@type": "xsd:date"}
    datatypes = [name for name in ranges if name.startswith(PREFIXES["xsd"]) and not name.endswith("#string")]
    return {"@id": iri, "@type": f"xsd:{datatypes[0].rpartition('#')[2]}"} if datatypes else iri


if __name__ == "__main__":
    (ONTOLOGY_FOLDER / "context.jsonld").write_text(make_context(), encoding="utf-8")
