"""What an ontology lets follow from one statement, and which statements have to be looked at together.

Both are read off what `reasonable` (OWL 2 RL) makes of the ontology and one specimen for each class and
property; no rule of OWL is written here a second time.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import rdflib
import reasonable
from pyoxigraph import NamedNode, RdfFormat, Triple, serialize

from kg.terms import GENID, PREFIXES, term

TYPE: Final = term("rdf:type")
_SPECIMEN: Final = "urn:x-diplograph:specimen:"
# Filling in for a literal: what follows from having a property does not depend on its value.
SOME_VALUE: Final = NamedNode("urn:x-diplograph:some-value")
_BUILT_IN: Final = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl", "xsd"))
_PROPERTY_KINDS: Final = tuple(
    term(f"owl:{kind}Property") for kind in ("Object", "Datatype", "Transitive", "Symmetric", "Functional")
)
# Rules that join two statements about things (OWL 2 Profiles, section 4.3): prp-trp, prp-fp, prp-ifp, …
_JOINING_KINDS: Final = tuple(term(f"owl:{kind}Property") for kind in ("Transitive", "InverseFunctional"))
_FUNCTIONAL: Final = term("owl:FunctionalProperty")
_SCHEMA_PREDICATES: Final = frozenset(
    {term("rdfs:subClassOf"), term("rdfs:subPropertyOf"), term("rdfs:domain"), term("rdfs:range")}
)


@dataclass(frozen=True)
class Consequences:
    """What follows from `x p y`: classes of x and of y, properties from x to y, and from y to x (IRIs)."""

    subject: frozenset[str] = frozenset()
    object: frozenset[str] = frozenset()
    forward: frozenset[str] = frozenset()
    backward: frozenset[str] = frozenset()


NONE: Final = Consequences()


@dataclass(frozen=True)
class Schema:
    """An ontology as tables: `joining` are the properties whose statements bear on one another."""

    ontology: tuple[Triple, ...]
    above: dict[str, frozenset[str]]
    properties: dict[str, Consequences]
    joining: frozenset[str]
    transitive: frozenset[str]

    @property
    def sha256(self) -> str:
        """Give the checksum of the ontology, whatever the order of its statements."""
        return hashlib.sha256("\n".join(sorted(map(str, self.ontology))).encode()).hexdigest()

    def follows(self, triple: Triple) -> Iterator[Triple]:
        """Give what follows from one statement alone."""
        s, p, o = triple.subject, triple.predicate, triple.object
        if p == TYPE:
            if isinstance(o, NamedNode):
                yield from (Triple(s, TYPE, NamedNode(c)) for c in self.above.get(o.value, ()))
            return
        found = self.properties.get(p.value, NONE)
        yield from (Triple(s, TYPE, NamedNode(c)) for c in found.subject)
        yield from (Triple(s, NamedNode(q), o) for q in found.forward)
        if isinstance(o, NamedNode):
            yield from (Triple(o, TYPE, NamedNode(c)) for c in found.object)
            yield from (Triple(o, NamedNode(q), s) for q in found.backward)


def is_schema(triple: Triple) -> bool:
    """Tell whether a statement is about classes and properties, so that anything may follow from it."""
    if triple.predicate in _SCHEMA_PREDICATES or triple.predicate.value.startswith(PREFIXES["owl"]):
        return True
    return (
        triple.predicate == TYPE
        and isinstance(triple.object, NamedNode)
        and triple.object.value.startswith(PREFIXES["owl"])
    )


def read_schema(ontology: Iterable[Triple]) -> Schema:
    """Work out the tables of an ontology."""
    triples = tuple(ontology)
    kinds: dict[NamedNode, set[str]] = defaultdict(set)
    for t in triples:
        if t.predicate == TYPE and isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode):
            kinds[t.object].add(t.subject.value)
    classes = sorted(c for c in kinds[term("owl:Class")] if keeps(c))
    named = sorted({p for kind in _PROPERTY_KINDS for p in kinds[kind]})
    specimens = [Triple(_specimen("c", i), TYPE, NamedNode(c)) for i, c in enumerate(classes)]
    specimens += [Triple(_specimen("s", i), NamedNode(p), _specimen("o", i)) for i, p in enumerate(named)]
    above: dict[str, set[str]] = defaultdict(set)
    tables: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for s, p, o in reason([*triples, *specimens]):
        if not s.startswith(_SPECIMEN):
            continue
        role, number = s[len(_SPECIMEN) :].split("-")
        if p == TYPE.value and keeps(o):
            if role == "c":
                above[classes[int(number)]].add(o)
            else:
                tables[named[int(number)]]["subject" if role == "s" else "object"].add(o)
        elif role in "so" and o.startswith(_SPECIMEN) and o != s and keeps(p):
            tables[named[int(number)]]["forward" if role == "s" else "backward"].add(p)
    properties = {}
    for name, found in tables.items():
        found["forward"].discard(name)
        properties[name] = Consequences(**{part: frozenset(found[part]) for part in _PARTS})
    data = kinds[term("owl:DatatypeProperty")]
    joined = {p for kind in _JOINING_KINDS for p in kinds[kind]} | (kinds[_FUNCTIONAL] - data)
    for t in triples:
        if t.predicate in (term("owl:onProperty"), term("owl:propertyChainAxiom")):
            joined.update(_members(triples, t.object))
    joining = {
        p
        for p in {*named, *joined}
        if p in joined or (set(_of(properties, p).forward) | set(_of(properties, p).backward)) & joined
    }
    return Schema(
        ontology=triples,
        above={c: frozenset(found - {c}) for c, found in above.items()},
        properties=properties,
        joining=frozenset(joining),
        transitive=frozenset(kinds[term("owl:TransitiveProperty")]),
    )


_PARTS: Final = ("subject", "object", "forward", "backward")


def _of(properties: dict[str, Consequences], name: str) -> Consequences:
    return properties.get(name, NONE)


def _specimen(role: str, number: int) -> NamedNode:
    return NamedNode(f"{_SPECIMEN}{role}-{number}")


def _members(triples: tuple[Triple, ...], node: Any) -> Iterator[str]:
    """Give a named property, or those of a list."""
    if isinstance(node, NamedNode) and not node.value.startswith((GENID, PREFIXES["rdf"])):
        yield node.value
        return
    for t in triples:
        if t.subject == node and t.predicate in (term("rdf:first"), term("rdf:rest")):
            yield from _members(triples, t.object)


def keeps(iri: str) -> bool:
    """Tell whether a class or property is worth a statement: named, and none of the language's own."""
    return ":" in iri and not iri.startswith((*_BUILT_IN, GENID, _SPECIMEN))


def reason(triples: Iterable[Triple]) -> Iterator[tuple[str, str, str]]:
    """Give the OWL 2 RL closure over things with IRIs, as texts; literals and blank nodes are left out."""
    with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
        path = Path(folder) / "graph.ttl"
        path.write_bytes(serialize(triples, format=RdfFormat.N_TRIPLES) or b"")
        reasoner = reasonable.PyReasoner()
        reasoner.load_file(str(path))
        closure = reasoner.reason()
    for s, p, o in closure:
        if isinstance(s, rdflib.URIRef) and isinstance(o, rdflib.URIRef):
            yield str(s), str(p), str(o)
