"""The ontology as typed Python objects, for notebooks: classes, properties and things with definitions.

owlready2 reads the ontology into a world of its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, parse, serialize

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import UnknownNameError
from kg.lazy import LazyModule
from kg.terms import GENID, ID, ONTOLOGY, PREFIXES, compact

if TYPE_CHECKING:
    import owlready2
else:
    owlready2 = LazyModule("owlready2")

_FILES: Final = ("diplomacy.ttl", "event-types.ttl")


@dataclass(frozen=True)
class OwlTerm:
    """Anything with an IRI: its prefixed name, label and definition; a missing text is empty."""

    entity: Any
    """The object of owlready2."""

    @property
    def iri(self) -> str:
        """Full IRI."""
        return str(self.entity.iri)

    @property
    def name(self) -> str:
        """Prefixed name, such as `dg:Event`."""
        return compact(self.iri)

    @property
    def label(self) -> str:
        """English label."""
        return _text(self.entity, "label")

    @property
    def definition(self) -> str:
        """Definition; for a term of another vocabulary, the note on its use here."""
        return _text(self.entity, "definition") or _text(self.entity, "scopeNote")

    @property
    def example(self) -> str:
        """Example of the use of the term."""
        return _text(self.entity, "example")

    def __repr__(self) -> str:
        return f"<{self.name}: {self.label}>"


@dataclass(frozen=True, repr=False)
class OwlClass(OwlTerm):
    """A class of things."""

    @property
    def above(self) -> list[OwlClass]:
        """Direct superclasses, including those in its definition."""
        combined = (c for equivalent in self.entity.equivalent_to for c in _parts(equivalent)[1:])
        return _named((*self.entity.is_a, *combined))

    @property
    def below(self) -> list[OwlClass]:
        """Direct subclasses."""
        return _sorted(OwlClass(c) for c in self.entity.subclasses())

    @property
    def members(self) -> list[OwlThing]:
        """Things of this class and of its subclasses."""
        return _sorted(OwlThing(thing) for thing in self.entity.instances())

    @property
    def properties(self) -> list[OwlProperty]:
        """Properties that its members can have, including those of superclasses."""
        above = self.entity.ancestors()
        found = map(OwlProperty, self.entity.namespace.world.properties())
        return _sorted(p for p in found if any(cls.entity in above for cls in p.domains))


@dataclass(frozen=True, repr=False)
class OwlProperty(OwlTerm):
    """A relation between things, or a property with plain values."""

    @property
    def relates_things(self) -> bool:
        """Whether its values are things, as opposed to texts and numbers."""
        return isinstance(self.entity, owlready2.ObjectPropertyClass)

    @property
    def domains(self) -> list[OwlClass]:
        """Classes whose members can have it; several are alternatives."""
        return _named(c for domain in self.entity.domain for c in _parts(domain))

    @property
    def ranges(self) -> list[OwlClass]:
        """Classes of its values; empty for texts and numbers."""
        return _named(c for found in self.entity.range for c in _parts(found))

    @property
    def above(self) -> list[OwlProperty]:
        """Direct superproperties."""
        return _sorted(
            OwlProperty(p)
            for p in self.entity.is_a
            if isinstance(p, owlready2.PropertyClass) and not p.iri.startswith(PREFIXES["owl"])
        )

    @property
    def inverse(self) -> OwlProperty | None:
        """Inverse property."""
        found = self.entity.inverse_property if self.relates_things else None
        return OwlProperty(found) if found is not None else None


@dataclass(frozen=True, repr=False)
class OwlThing(OwlTerm):
    """A single thing: an event, an agent, a concept."""

    @property
    def classes(self) -> list[OwlClass]:
        """Asserted classes."""
        return _named(self.entity.is_a)

    def values(self, name: str) -> list[OwlThing | str | int | float]:
        """Return the values of a property by its local name, such as `actor`.

        Literals are Python values; a thing without statements is its IRI.
        """
        found = getattr(self.entity, name, None) or []
        listed = found if isinstance(found, list) else [found]
        return [OwlThing(v) if isinstance(v, owlready2.Thing) else v for v in listed]


class Vocabulary:
    """The ontology and its concept schemes for exploring, optionally together with facts."""

    def __init__(self, facts: Iterable[Triple] = ()) -> None:
        triples = [quad.triple for name in _FILES for quad in parse(path=ONTOLOGY_FOLDER / name)]
        triples += with_blank_nodes(facts)
        self._world = read_world(serialize(triples, format=RdfFormat.N_TRIPLES) or b"")

    @property
    def classes(self) -> list[OwlClass]:
        """Classes in the `dg:` namespace."""
        return _sorted(OwlClass(c) for c in self._world.classes() if c.iri.startswith(ONTOLOGY))

    @property
    def properties(self) -> list[OwlProperty]:
        """Properties in the `dg:` namespace, without annotation properties."""
        kinds = (owlready2.ObjectPropertyClass, owlready2.DataPropertyClass)
        found = (p for p in self._world.properties() if isinstance(p, kinds))
        return _sorted(OwlProperty(p) for p in found if p.iri.startswith(ONTOLOGY))

    def __getitem__(self, name: str) -> OwlTerm:
        """Find a term by local name (`Event`), prefixed name, `kind/slug` or IRI.

        Raises UnknownNameError, which suggests the closest name.
        """
        entity = next((e for iri in _candidates(name) if (e := self._world[iri]) is not None), None)
        if entity is None:
            known = [term.name.removeprefix("dg:") for term in (*self.classes, *self.properties)]
            near = difflib.get_close_matches(name.removeprefix("dg:"), known, n=1)
            raise UnknownNameError(
                f"the ontology has no {name}",
                mend=f"Did you mean {near[0]}?" if near else "vocabulary.classes lists the classes.",
            )
        if isinstance(entity, owlready2.ThingClass):
            return OwlClass(entity)
        return OwlProperty(entity) if isinstance(entity, owlready2.PropertyClass) else OwlThing(entity)

    def cls(self, name: str) -> OwlClass:
        """Find a class; raises UnknownNameError if there is none of that name."""
        found = self[name]
        if not isinstance(found, OwlClass):
            raise UnknownNameError(f"{found.name} is not a class", mend="vocabulary.classes lists them.")
        return found

    def thing(self, name: str) -> OwlThing:
        """Find a thing; raises UnknownNameError, also for a class or a property."""
        found = self[name]
        if not isinstance(found, OwlThing):
            raise UnknownNameError(f"{found.name} is a class or a property", mend="Use [ ] to find it.")
        return found


open_vocabulary = Vocabulary


def _candidates(name: str) -> Iterator[str]:
    prefix, colon, local = name.partition(":")
    if colon and prefix in PREFIXES:
        yield PREFIXES[prefix] + local
    yield name
    yield ONTOLOGY + name
    yield ID + name


def _text(entity: Any, name: str) -> str:
    values = getattr(entity, name, None) or []
    best = [v for v in values if getattr(v, "lang", "en").startswith("en")] or list(values)
    return str(best[0]) if best else ""


def _named(expressions: Iterable[Any]) -> list[OwlClass]:
    """Return the named classes among class expressions, without owl:Thing."""
    kinds = (c for c in expressions if isinstance(c, owlready2.ThingClass) and c is not owlready2.Thing)
    return _sorted(map(OwlClass, kinds))


def _parts(expression: Any) -> tuple[Any, ...]:
    return (expression, *getattr(expression, "Classes", ()))


def read_world(ntriples: bytes) -> Any:
    """Read N-Triples into a world of owlready2; nothing is fetched."""
    world: Any = owlready2.World()
    world.get_ontology(ONTOLOGY).load(fileobj=BytesIO(ntriples), only_local=True)
    return world


def with_blank_nodes(triples: Iterable[Triple]) -> Iterator[Triple]:
    """Turn skolem IRIs back into blank nodes: in OWL 2 DL a class expression has no IRI."""
    return (Triple(_blank(t.subject), t.predicate, _blank(t.object)) for t in triples)


def _blank(node: Any) -> Any:
    if isinstance(node, NamedNode) and node.value.startswith(GENID):
        return BlankNode("g" + "".join(c if c.isalnum() else "x" for c in node.value[len(GENID) :]))
    return node


def _sorted(terms: Iterable[Any]) -> list[Any]:
    return sorted({term.iri: term for term in terms}.values(), key=lambda term: str(term.name))
