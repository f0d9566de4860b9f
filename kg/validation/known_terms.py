"""Terms of the ontology: its classes, properties and concepts, and findings for names that it lacks."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from functools import cache
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ONTOLOGY, compact, term
from kg.validation.findings import Finding, name_of

TYPE: Final = term("rdf:type")
SUBCLASS: Final = term("rdfs:subClassOf")
_CLASS: Final = term("owl:Class")
_PREDICATE: Final = term("dg:predicate")
# Terms of earlier versions, and what takes their place.
_REPLACED: Final = {
    "aspect": "write the fact itself: dg:states with a dg:Fact (dg:subject, dg:predicate, dg:object)."
}
_OF_CONCEPTS: Final = (TYPE, *map(term, ("rdfs:label", "skos:prefLabel", "skos:inScheme")))


def unknown_terms(triple: Triple) -> Iterator[Finding]:
    """Yield a violation for each class or property in the `dg:` namespace that the ontology does not declare.

    Most of them are typing errors, so that the message suggests the closest name.
    """
    ours = triple.predicate.value.startswith(ONTOLOGY)
    if not ours and triple.predicate != TYPE:
        return
    classes, properties = _declared()
    node = name_of(triple.subject)
    if ours and triple.predicate.value not in properties:
        yield _unknown(node, None, triple.predicate.value, properties)
    if triple.predicate in (TYPE, _PREDICATE) and isinstance(triple.object, NamedNode):
        name = triple.object.value
        known = classes if triple.predicate == TYPE else properties
        if name.startswith(ONTOLOGY) and name not in known:
            yield _unknown(node, compact(triple.predicate.value), name, known)


@cache
def concept_statements() -> dict[NamedNode, tuple[Triple, ...]]:
    """Return type, labels and scheme of each concept that comes with the ontology."""
    found: dict[NamedNode, tuple[Triple, ...]] = {}
    for triple in (*_statements("event-types.ttl"), *_statements("cameo.ttl")):
        if triple.predicate in _OF_CONCEPTS and isinstance(triple.subject, NamedNode):
            found[triple.subject] = (*found.get(triple.subject, ()), triple)
    return found


@cache
def class_hierarchy() -> tuple[Triple, ...]:
    """Return the statements of the ontology that put one named class under another."""
    found = (t for t in _statements("diplomacy.ttl") if t.predicate == SUBCLASS)
    return tuple(t for t in found if isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode))


@cache
def _declared() -> tuple[frozenset[str], frozenset[str]]:
    """Return the IRIs of the classes and of the properties of the ontology."""
    typed = [t for t in _statements("diplomacy.ttl") if t.predicate == TYPE]
    kinds = [(t.subject.value, t.object == _CLASS) for t in typed if isinstance(t.subject, NamedNode)]
    classes = frozenset(iri for iri, is_class in kinds if is_class)
    return classes, frozenset(iri for iri, is_class in kinds if not is_class)


def _statements(name: str) -> Iterator[Triple]:
    return (quad.triple for quad in pyoxigraph.parse(path=ONTOLOGY_FOLDER / name))


def _unknown(node: str, path: str | None, name: str, known: frozenset[str]) -> Finding:
    names = sorted(iri.removeprefix(ONTOLOGY) for iri in known if iri.startswith(ONTOLOGY))
    near = difflib.get_close_matches(name.removeprefix(ONTOLOGY), names, n=1, cutoff=0.7)
    replaced = _REPLACED.get(name.removeprefix(ONTOLOGY))
    hint = replaced or (
        f"did you mean dg:{near[0]}?" if near else "docs/data-model.md lists the terms that exist."
    )
    what = "class" if path == "rdf:type" else "property"
    message = f"The ontology has no such {what}; {hint}"
    return Finding("violation", node, path, compact(name), "Known terms", message)
