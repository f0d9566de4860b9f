"""The JSON-LD context of the data model: made from the ontology, known by its address, never fetched."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import BASE, ONTOLOGY, PREFIXES

CONTEXT_IRI: Final = BASE + "context.jsonld"
"""Where the context is published; a document that names it is read with the copy of the package."""

_LISTED: Final = (
    "dg",
    "id",
    "graph",
    "rdf",
    "rdfs",
    "xsd",
    "skos",
    "dcterms",
    "oa",
    "org",
    "prov",
    "wd",
)
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
# OWL 2 knows no xsd:date, so the ontology gives these no range.
_DAYS: Final = ("begin", "end")
_OWL: Final = PREFIXES["owl"]
_TYPE: Final = PREFIXES["rdf"] + "type"
_RANGE: Final = PREFIXES["rdfs"] + "range"


def make_context() -> str:
    """Write the context from the ontology, as the file `ontology/context.jsonld` holds it."""
    facts: dict[str, dict[str, set[str]]] = {}
    for quad in pyoxigraph.parse(path=ONTOLOGY_FOLDER / "diplomacy.ttl", format=RdfFormat.TURTLE):
        if isinstance(quad.subject, NamedNode) and quad.subject.value.startswith(ONTOLOGY):
            known = facts.setdefault(quad.subject.value, {}).setdefault(quad.predicate.value, set())
            known.add(quad.object.value if isinstance(quad.object, NamedNode) else "")
    terms: dict[str, object] = {"@version": 1.1, "id": "@id", "type": "@type", "graph": "@graph"}
    terms |= {f"{prefix}": PREFIXES[prefix] for prefix in _LISTED if prefix not in ("id", "graph")}
    terms |= _OTHERS
    for iri in sorted(facts):
        local = iri.removeprefix(ONTOLOGY)
        terms[local] = _entry(local, facts[iri].get(_TYPE, set()), facts[iri].get(_RANGE, set()))
    return json.dumps({"@context": terms}, indent=1, ensure_ascii=False) + "\n"


def _entry(local: str, kinds: set[str], ranges: set[str]) -> dict[str, str] | str:
    iri = f"dg:{local}"
    if f"{_OWL}ObjectProperty" in kinds or local == "aspect":
        return {"@id": iri, "@type": "@id"}
    if local in _DAYS:
        return {"@id": iri, "@type": "xsd:date"}
    datatypes = [name for name in ranges if name.startswith(PREFIXES["xsd"]) and not name.endswith("#string")]
    return {"@id": iri, "@type": f"xsd:{datatypes[0].rpartition('#')[2]}"} if datatypes else iri


def with_context(text: str) -> str:
    """Put the context into a JSON-LD document in the place of its address; lines keep their numbers."""
    if CONTEXT_IRI not in text:
        return text
    address = re.escape(json.dumps(CONTEXT_IRI))
    pattern = rf'("@context"\s*:\s*(?:\[\s*(?:"[^"]*"\s*,\s*)*)?){address}'
    return re.sub(pattern, lambda found: found[1] + _flat(), text)


@cache
def _flat() -> str:
    document = json.loads((ONTOLOGY_FOLDER / "context.jsonld").read_text(encoding="utf-8"))
    return json.dumps(document["@context"], ensure_ascii=False)
