"""Validation of a graph in memory: shapes, terms of the ontology, and literals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache

from pyoxigraph import Literal, NamedNode, Triple

from kg.rdf.literals import literal_fault
from kg.terms import compact, term
from kg.validation.findings import Finding, in_order, literal_text, name_of
from kg.validation.known_terms import concept_statements, unknown_terms
from kg.validation.shacl import ShapesValidator

# What is known of a subject that the data do not describe anew.
_WHAT_IT_IS = tuple(map(term, ("rdf:type", "rdfs:label")))


@cache
def shared_validator() -> ShapesValidator:
    """Return the validator that knows the classes of the ontology alone."""
    return ShapesValidator()


def validate(data: Iterable[Triple], background: Iterable[Triple] = ()) -> list[Finding]:
    """Check triples against `ontology/shapes.ttl`; violations first, then by node and property.

    Terms in the `dg:` namespace must also be declared, and literals fit their datatype. `background` is what
    is known already, so that references resolve; only subjects of `data` are reported. Everything is held
    in memory; `kg.validation.piecewise` checks files of any size.
    """
    own = list(dict.fromkeys(data))
    subjects = {triple.subject for triple in own}
    referenced = {triple.object for triple in own}
    around = [
        t
        for t in background
        if t.subject in referenced
        or t.object in subjects
        or (t.subject in subjects and t.predicate in _WHAT_IT_IS)
    ]
    concepts = concept_statements()
    for node in subjects | referenced:
        if isinstance(node, NamedNode):
            around += concepts.get(node, ())
    return in_order(check_graph(shared_validator(), own, around))


def check_graph(
    validator: ShapesValidator, own: Sequence[Triple], around: Iterable[Triple]
) -> Iterator[Finding]:
    """Yield the findings about the subjects of `own`, which may repeat; `around` is what is known of them.

    A literal that does not fit its datatype is one finding: the shapes do not see it, and are not asked again
    about its property and its subject as a whole.
    """
    sound: list[Triple] = []
    reported: set[tuple[str, str | None]] = set()
    for triple in own:
        yield from unknown_terms(triple)
        value = triple.object
        if isinstance(value, Literal) and (fault := literal_fault(value)):
            node, path = name_of(triple.subject), compact(triple.predicate.value)
            reported |= {(node, path), (node, None)}
            message = f"{fault}; correct it, or leave it out."
            yield Finding("violation", node, path, literal_text(value), "Literals", message)
        else:
            sound.append(triple)
    sound += (t for t in around if not isinstance(t.object, Literal) or not literal_fault(t.object))
    for finding in validator.findings(sound, {name_of(triple.subject) for triple in own}):
        if (finding.node, finding.path) not in reported:
            yield finding
