"""An ontology as tables: what one statement entails, and which statements entail something together.

The tables are read from the OWL 2 RL closure (by `reasonable`) of the ontology with one specimen for each
class and property; no rule of OWL is implemented here.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.lazy import LazyModule
from kg.terms import GENID, PREFIXES, term

if TYPE_CHECKING:
    import rdflib
else:
    rdflib = LazyModule("rdflib")

if TYPE_CHECKING:
    import reasonable
else:
    reasonable = LazyModule("reasonable")

TYPE: Final = term("rdf:type")
_SPECIMEN: Final = "urn:x-diplograph:specimen:"
_BUILT_IN: Final = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl", "xsd"))
_PROPERTY_KINDS: Final = tuple(
    term(f"owl:{kind}Property") for kind in ("Object", "Datatype", "Transitive", "Symmetric", "Functional")
)
# owl:sameAs is never entailed: with functional properties it is a fault of the data, which the shapes and
# HermiT report, and it would copy the statements about one thing to the other.
_EQUALITY: Final = tuple(term(f"owl:{kind}") for kind in ("FunctionalProperty", "InverseFunctionalProperty"))
_ABOUT_PROPERTIES: Final = frozenset(
    term(name)
    for name in ("owl:inverseOf", "rdfs:subPropertyOf", "owl:propertyChainAxiom", "rdfs:domain", "rdfs:range")
)
_KINDS_OF_PROPERTY: Final = (term("owl:TransitiveProperty"), term("owl:SymmetricProperty"), *_EQUALITY)
_SCHEMA_PREDICATES: Final = frozenset(
    {term("rdfs:subClassOf"), term("rdfs:subPropertyOf"), term("rdfs:domain"), term("rdfs:range")}
)
_EXPRESSIONS: Final = (term("owl:onProperty"), term("owl:intersectionOf"))
_ON: Final = term("owl:onProperty")
_ASKING_FOR_ONE: Final = (term("owl:someValuesFrom"), term("owl:hasValue"))
_LIST: Final = (term("rdf:first"), term("rdf:rest"))
_CONCLUDE_NOTHING: Final = frozenset(
    {TYPE, term("rdfs:domain"), term("rdfs:range"), term("rdfs:isDefinedBy"), term("owl:disjointWith")}
)
_BOTH_WAYS: Final = frozenset(
    term(f"owl:{name}") for name in ("equivalentClass", "intersectionOf", "unionOf", "oneOf", "complementOf")
)


@dataclass(frozen=True)
class Consequences:
    """Entailments of `x p y`: classes of x and of y, properties from x to y, and from y to x (IRIs)."""

    subject: frozenset[str] = frozenset()
    object: frozenset[str] = frozenset()
    forward: frozenset[str] = frozenset()
    backward: frozenset[str] = frozenset()


NONE: Final = Consequences()


@dataclass(frozen=True)
class Schema:
    """An ontology as tables.

    `relational` are properties whose statements entail links together (transitive ones, chains, and what
    entails them). `restricted` are those in class expressions, and `valued` those of them that occur only
    with a given value, about which nothing has to be known.
    """

    ontology: tuple[Triple, ...]
    above: dict[str, frozenset[str]]
    properties: dict[str, Consequences]
    relational: frozenset[str]
    restricted: frozenset[str]
    valued: frozenset[str]
    expressed: frozenset[str]
    """Classes in class expressions, and narrower ones."""
    beside: dict[str, frozenset[str]]
    """For some of these, the properties of which a member needs one for an expression to apply to it."""
    universal: bool
    """Whether there is an owl:allValuesFrom, by which types are entailed forward along links."""

    @cached_property
    def concluded(self) -> frozenset[str]:
        """Classes and properties that may be entailed; a superset."""
        found = {name for above in self.above.values() for name in above} | self.relational | self.restricted
        for follows in self.properties.values():
            found |= follows.subject | follows.object | follows.forward | follows.backward
        for t in self.ontology:
            if t.predicate not in _CONCLUDE_NOTHING and isinstance(t.object, NamedNode):
                found.add(t.object.value)
            if t.predicate in _BOTH_WAYS and isinstance(t.subject, NamedNode):
                found.add(t.subject.value)
        return frozenset(found)

    @property
    def joining(self) -> frozenset[str]:
        """Properties whose statements may be one of several premises."""
        return self.relational | self.restricted

    @property
    def walked(self) -> frozenset[str]:
        """Those of them for which the thing at the other end matters."""
        return self.joining - self.valued

    @cached_property
    def joint(self) -> frozenset[str]:
        """Classes and properties of entailments that may have several premises."""
        links = {
            *self.joining,
            *(x for name in self.joining for x in self.properties.get(name, NONE).forward),
            *(x for name in self.joining for x in self.properties.get(name, NONE).backward),
        }
        classes = set(self.expressed)
        for name in links:
            follows = self.properties.get(name, NONE)
            classes |= follows.subject | follows.object
        return frozenset(links | classes.union(*(self.above.get(cls, frozenset()) for cls in classes)))

    @cached_property
    def axioms(self) -> bytes:
        """The ontology as N-Triples, without literals, which entail nothing."""
        return _lines(self.ontology)

    @cached_property
    def axioms_of_classes(self) -> bytes:
        """The same without statements about properties."""
        return _lines(
            t
            for t in self.ontology
            if t.predicate not in _ABOUT_PROPERTIES and t.object not in _KINDS_OF_PROPERTY
        )

    @property
    def sha256(self) -> str:
        """Checksum of the ontology, independent of the order of its statements."""
        return fingerprint(self.ontology)


def is_schema(triple: Triple) -> bool:
    """Return whether a statement is about classes or properties, so that it can entail anything."""
    if triple.predicate in _SCHEMA_PREDICATES or triple.predicate.value.startswith(PREFIXES["owl"]):
        return True
    return (
        triple.predicate == TYPE
        and isinstance(triple.object, NamedNode)
        and triple.object.value.startswith(PREFIXES["owl"])
    )


def fingerprint(ontology: Iterable[Triple]) -> str:
    """Return the checksum of an ontology, independent of the order of its statements."""
    lines = sorted(str(t) for t in ontology if t.object not in _EQUALITY)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def read_schema(ontology: Iterable[Triple]) -> Schema:
    """Compute the tables of an ontology."""
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
    statements = (t for t in (*triples, *specimens) if t.object not in _EQUALITY)
    for s, p, o in reason(_lines(statements)):
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
    roots = set(kinds[term("owl:TransitiveProperty")])
    restricted: set[str] = set()
    walked: set[str] = set()
    valued = {t.subject for t in triples if t.predicate == term("owl:hasValue")}
    for t in triples:
        if t.predicate == term("owl:propertyChainAxiom"):
            roots.update(_members(triples, t.object))
        elif t.predicate == term("owl:onProperty"):
            restricted.update(_members(triples, t.object))
            if t.subject not in valued:
                walked.update(_members(triples, t.object))

    def and_sources(wanted: set[str]) -> frozenset[str]:
        return frozenset(wanted) | {
            name for name, found in properties.items() if (found.forward | found.backward) & wanted
        }

    wider = {c: frozenset(found - {c}) for c, found in above.items()}
    spoken, nodes = _in_expressions(triples)
    return Schema(
        ontology=tuple(t for t in triples if t.object not in _EQUALITY),
        above=wider,
        properties=properties,
        relational=and_sources(roots),
        restricted=and_sources(restricted),
        valued=frozenset(restricted - walked - roots),
        expressed=frozenset(spoken | {c for c, found in wider.items() if found & spoken}),
        beside=_needed_beside(triples, spoken, nodes),
        universal=any(t.predicate == term("owl:allValuesFrom") for t in triples),
    )


_PARTS: Final = ("subject", "object", "forward", "backward")


def _specimen(role: str, number: int) -> NamedNode:
    return NamedNode(f"{_SPECIMEN}{role}-{number}")


def _lines(triples: Iterable[Triple]) -> bytes:
    return b"".join(f"{t} .\n".encode() for t in triples if not isinstance(t.object, Literal))


def _in_expressions(triples: tuple[Triple, ...]) -> tuple[set[str], set[str]]:
    """Return the named neighbours of restrictions and intersections, and the nodes of these."""
    near: dict[str, set[str]] = defaultdict(set)
    for t in triples:
        ends = str(t.subject), str(t.object)
        for one, other in (ends, ends[::-1]):
            if _is_anonymous(one):
                near[one].add(other)
    found = {str(t.subject) for t in triples if t.predicate in _EXPRESSIONS}
    named, new = set(), set(found)
    while new:
        beside = {x for node in new for x in near[node]}
        named |= {x for x in beside if not _is_anonymous(x)}
        new = {x for x in beside if _is_anonymous(x)} - found
        found |= new
    return {iri for x in named | found if keeps(iri := x.strip("<>")) and not _is_anonymous(x)}, found


def _needed_beside(
    triples: tuple[Triple, ...], spoken: set[str], nodes: set[str]
) -> dict[str, frozenset[str]]:
    """Return, for classes that occur only in intersections, the properties required by the same ones."""
    asked = {t.subject for t in triples if t.predicate in _ASKING_FOR_ONE}
    on: dict[object, str] = {
        t.subject: str(t.object)[1:-1] for t in triples if t.predicate == _ON and t.subject in asked
    }
    links: dict[tuple[object, object], object] = {
        (t.subject, t.predicate): t.object for t in triples if t.predicate in _LIST
    }
    required: dict[str, set[str]] = defaultdict(set)
    counted: dict[str, int] = defaultdict(int)
    for t in triples:
        if t.predicate != term("owl:intersectionOf"):
            continue
        operands: list[object] = []
        node: object = t.object
        while (node, _LIST[0]) in links:
            operands.append(links[node, _LIST[0]])
            node = links.get((node, _LIST[1]), _LIST[1])
        properties = {on[operand] for operand in operands if operand in on}
        for name in (str(operand)[1:-1] for operand in operands if properties):
            counted[name] += 1
            required[name].add(min(properties))
    # A class that occurs elsewhere too may apply without such a property.
    for t in triples:
        for one, other in ((t.subject, t.object), (t.object, t.subject)):
            if str(one) in nodes and str(other)[1:-1] in required:
                counted[str(other)[1:-1]] -= 1
    return {name: frozenset(required[name]) for name in required if name in spoken and counted[name] == 0}


def _is_anonymous(node: str) -> bool:
    return node.startswith(("_:", f"<{GENID}"))


def _members(triples: tuple[Triple, ...], node: Any) -> Iterator[str]:
    """Yield a named property, or those of a list."""
    if isinstance(node, NamedNode) and not node.value.startswith((GENID, PREFIXES["rdf"])):
        yield node.value
        return
    for t in triples:
        if t.subject == node and t.predicate in (term("rdf:first"), term("rdf:rest")):
            yield from _members(triples, t.object)


def keeps(iri: str) -> bool:
    """Return whether a class or property has an IRI outside the vocabularies of RDF, RDFS, OWL and XSD."""
    return ":" in iri and not iri.startswith((*_BUILT_IN, GENID, _SPECIMEN))


def reason(lines: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield the statements between IRIs of the OWL 2 RL closure of N-Triples, as texts."""
    with tempfile.TemporaryDirectory(prefix="diplograph-rl-") as folder:
        path = Path(folder) / "graph.ttl"
        path.write_bytes(lines)
        reasoner = reasonable.PyReasoner()
        reasoner.load_file(str(path))
        closure = reasoner.reason()
    for s, p, o in closure:
        if isinstance(s, rdflib.URIRef) and isinstance(o, rdflib.URIRef):
            yield str(s), str(p), str(o)
