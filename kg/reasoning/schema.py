"""An ontology as tables: what one statement entails, and which statements entail something together.

The tables are read from the OWL 2 RL closure (by `reasonable`) of the ontology with one specimen for each
class and property; no rule of OWL is implemented here.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import Literal, NamedNode, Triple

from kg.lazy import LazyModule
from kg.terms import GENID, PREFIXES, term

if TYPE_CHECKING:
    import rdflib
    import reasonable
else:
    rdflib, reasonable = LazyModule("rdflib"), LazyModule("reasonable")

TYPE: Final = term("rdf:type")
_SPECIMEN: Final = "urn:x-diplograph:specimen:"
_BUILT_IN: Final = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl", "xsd"))
_PROPERTY_KINDS: Final = tuple(
    term(f"owl:{kind}Property") for kind in ("Object", "Datatype", "Transitive", "Symmetric", "Functional")
)
# owl:sameAs is never entailed: with functional properties it is a fault of the data, which the shapes and
# HermiT report, and it would copy the statements about one thing to the other.
_EQUALITY: Final = (term("owl:FunctionalProperty"), term("owl:InverseFunctionalProperty"))
_KINDS_OF_PROPERTY: Final = (term("owl:TransitiveProperty"), term("owl:SymmetricProperty"), *_EQUALITY)
_ON: Final = term("owl:onProperty")
_FIRST, _REST = term("rdf:first"), term("rdf:rest")


def _terms(names: str) -> frozenset[NamedNode]:
    return frozenset(map(term, names.split()))


_SCHEMA_PREDICATES: Final = _terms("rdfs:subClassOf rdfs:subPropertyOf rdfs:domain rdfs:range")
_ABOUT_PROPERTIES: Final = _terms(
    "owl:inverseOf rdfs:subPropertyOf owl:propertyChainAxiom rdfs:domain rdfs:range"
)
_CONCLUDE_NOTHING: Final = _terms("rdf:type rdfs:domain rdfs:range rdfs:isDefinedBy owl:disjointWith")
_BOTH_WAYS: Final = _terms("owl:equivalentClass owl:intersectionOf owl:unionOf owl:oneOf owl:complementOf")


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
        found = set(self.joining.union(*self.above.values()))
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
        follows = [self.properties.get(name, NONE) for name in self.joining]
        links = self.joining.union(*(f.forward | f.backward for f in follows))
        follows = [self.properties.get(name, NONE) for name in links]
        classes = self.expressed.union(*(f.subject | f.object for f in follows))
        return links | classes.union(*(self.above.get(cls, ()) for cls in classes))

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
            if not (t.predicate in _ABOUT_PROPERTIES or t.object in _KINDS_OF_PROPERTY)
        )


def is_schema(triple: Triple) -> bool:
    """Return whether a statement is about classes or properties, so that it can entail anything."""
    decisive = triple.object if triple.predicate == TYPE else triple.predicate
    return decisive in _SCHEMA_PREDICATES or str(decisive).startswith(f"<{PREFIXES['owl']}")


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
        properties[name] = Consequences(**{part: frozenset(names) for part, names in found.items()})
    links = list_links(triples)
    chains = [t.object for t in triples if t.predicate == term("owl:propertyChainAxiom")]
    roots = kinds[term("owl:TransitiveProperty")] | _named(
        x for node in chains for x in list_items(links, node)
    )
    with_value = {t.subject for t in triples if t.predicate == term("owl:hasValue")}
    restricted = _named(t.object for t in triples if t.predicate == _ON)
    walked = _named(t.object for t in triples if t.predicate == _ON and t.subject not in with_value)

    def and_sources(wanted: set[str]) -> frozenset[str]:
        entailing = {name for name, f in properties.items() if (f.forward | f.backward) & wanted}
        return frozenset(wanted | entailing)

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
    found = {str(t.subject) for t in triples if t.predicate in (_ON, term("owl:intersectionOf"))}
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
    asking = (term("owl:someValuesFrom"), term("owl:hasValue"))
    asked = {t.subject for t in triples if t.predicate in asking}
    on = {t.subject: str(t.object)[1:-1] for t in triples if t.predicate == _ON and t.subject in asked}
    links = list_links(triples)
    required: dict[str, set[str]] = defaultdict(set)
    counted: Counter[str] = Counter()
    for t in triples:
        if t.predicate == term("owl:intersectionOf"):
            operands = list_items(links, t.object)
            properties = {on[operand] for operand in operands if operand in on}
            for name in (str(operand)[1:-1] for operand in operands if properties):
                counted[name] += 1
                required[name].add(min(properties))
        # A class that occurs elsewhere too may apply without such a property.
        ends = str(t.subject), str(t.object)
        counted.subtract(other[1:-1] for one, other in (ends, ends[::-1]) if one in nodes)
    return {
        name: frozenset(found) for name, found in required.items() if name in spoken and counted[name] == 0
    }


def list_links(triples: Iterable[Triple]) -> dict[tuple[object, NamedNode], Any]:
    """Return the links of the RDF lists of a graph, for `list_items`."""
    return {(t.subject, t.predicate): t.object for t in triples if t.predicate in (_FIRST, _REST)}


def list_items(links: Mapping[tuple[object, NamedNode], Any], node: object) -> list[Any]:
    """Return the items of the RDF list that starts at a node."""
    items = []
    while (node, _FIRST) in links:
        items.append(links[node, _FIRST])
        node = links.get((node, _REST))
    return items


def _is_anonymous(node: str) -> bool:
    return node.startswith(("_:", f"<{GENID}"))


def _named(nodes: Iterable[object]) -> set[str]:
    """Return the IRIs of named properties."""
    return {n.value for n in nodes if isinstance(n, NamedNode) and not n.value.startswith(GENID)}


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
