"""Namespaces, the graphs of the dataset, and the minting of IRIs."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from pyoxigraph import NamedNode, RdfFormat, Triple, parse

BASE: Final = "https://w3id.org/diplograph/"
ONTOLOGY: Final = BASE + "ontology#"
ID: Final = BASE + "id/"
GRAPH: Final = BASE + "graph/"
LOAD: Final = BASE + "load/"
# Blank nodes of loaded files become IRIs that differ from minted ones (RDF 1.1 section 3.5).
GENID: Final = BASE + ".well-known/genid/"

PREFIXES: Final[dict[str, str]] = {
    "dg": ONTOLOGY,
    "id": ID,
    "graph": GRAPH,
    "load": LOAD,
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "dcterms": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "geo": "http://www.opengis.net/ont/geosparql#",
    "lode": "http://linkedevents.org/ontology/",
    "oa": "http://www.w3.org/ns/oa#",
    "org": "http://www.w3.org/ns/org#",
    "prov": "http://www.w3.org/ns/prov#",
    "schema": "https://schema.org/",
    "sem": "http://semanticweb.cs.vu.nl/2009/11/sem/",
    "sh": "http://www.w3.org/ns/shacl#",
    "time": "http://www.w3.org/2006/time#",
    "vann": "http://purl.org/vocab/vann/",
    "vs": "http://www.w3.org/2003/06/sw-vocab-status/ns#",
    "wd": "http://www.wikidata.org/entity/",
}

# Graphs maintained by diplograph; every other named graph is one source.
GRAPH_ONTOLOGY: Final = NamedNode(GRAPH + "ontology")
GRAPH_EVENT_TYPES: Final = NamedNode(GRAPH + "event-types")
GRAPH_ALIGNMENTS: Final = NamedNode(GRAPH + "alignments")
GRAPH_COUNTRIES: Final = NamedNode(GRAPH + "countries")
GRAPH_LOADS: Final = NamedNode(GRAPH + "loads")
# Entailments of the other graphs, updated with them.
GRAPH_ENTAILMENTS: Final = NamedNode(GRAPH + "entailments")

PARTICIPANT_ROLES: Final = (
    "participant", "actor", "recipient", "affected", "orderedBy", "counterpart", "mediator", "host", "guest",
)  # fmt: skip
"""Local names of dg:participant and of the properties under it."""

OWN_GRAPHS: Final = (
    *(GRAPH_ONTOLOGY, GRAPH_EVENT_TYPES, GRAPH_ALIGNMENTS, GRAPH_COUNTRIES),
    *(GRAPH_LOADS, GRAPH_ENTAILMENTS),
)

_SLUG_LENGTH = 80
_UNRESERVED: Final = re.compile(r"[^\w.~-]")
# A code, and perhaps words after it.
_CODE_LIKE: Final = re.compile("[A-Z0-9]+(?:\x1f[A-Z0-9]+(?: [A-Z0-9]+)*)?")


def term(curie: str) -> NamedNode:
    """Expand a prefixed name of `PREFIXES` to an IRI; raises KeyError for an unknown prefix."""
    prefix, _, local = curie.partition(":")
    return NamedNode(PREFIXES[prefix] + local)


def read_turtle(text: str, prefixes: Mapping[str, str] = PREFIXES) -> list[Triple]:
    """Parse Turtle of our own that uses prefixed names."""
    head = "".join(f"@prefix {prefix}: <{iri}> .\n" for prefix, iri in prefixes.items())
    return [quad.triple for quad in parse(head + text, format=RdfFormat.TURTLE, lenient=True)]


def slugify(text: str) -> str:
    """Return a name as the last part of an IRI: lower-case ASCII letters, digits and hyphens.

    A long text, or one with letters of another script, gets a short hash, so that slugs stay distinct.
    """
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
    latin = all(ord(c) < 0x250 or unicodedata.combining(c) for c in text if c.isalnum())
    if slug and latin and len(slug) <= _SLUG_LENGTH:
        return slug
    digest = hashlib.sha256(text.encode()).hexdigest()[:10]
    return f"{slug[:_SLUG_LENGTH].rstrip('-')}-{digest}".lstrip("-")


def distinct_slug(*names: str) -> str:
    """Return a slug that other names do not share, whatever they differ in: case, accents, punctuation.

    It ends in a part of a checksum unless the names are words of ASCII capitals and digits, as in codes.
    """
    whole = "\x1f".join(names)
    slug = slugify(" ".join(filter(None, names)))
    if _CODE_LIKE.fullmatch(whole):
        return slug
    digest = hashlib.sha256(whole.encode()).hexdigest()[:8]
    return f"{slug}-{digest}".lstrip("-")


def encoded(text: str) -> str:
    """Percent-encode what is not unreserved in an IRI (RFC 3987), so that different texts stay different."""
    return _UNRESERVED.sub(lambda found: quote(found[0], safe=""), text)


def mint(kind: str, name: str) -> NamedNode:
    """Return the IRI `id/<kind>/<slug>` of a thing by its name."""
    return NamedNode(f"{ID}{kind}/{slugify(name)}")


def source_graph(name: str) -> NamedNode:
    """Return the graph of a source: an IRI is kept, a name becomes `graph/<slug>`."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name):
        return NamedNode(name)
    return NamedNode(GRAPH + slugify(name))


def compact(iri: str) -> str:
    """Return an IRI as a prefixed name of `PREFIXES` if the rest is a plain local name, else unchanged."""
    best = ""
    for prefix, namespace in PREFIXES.items():
        if iri.startswith(namespace) and len(namespace) > len(PREFIXES.get(best, "")):
            best = prefix
    local = iri[len(PREFIXES[best]) :] if best else ""
    return f"{best}:{local}" if best and re.fullmatch(r"[\w./-]*", local) else iri
