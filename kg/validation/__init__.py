"""What the shapes say of triples (SHACL), in words that tell how to mend them."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph
from pyoxigraph import RdfFormat, Triple

from kg.validation.checking import Checker
from kg.validation.facts import Classes, Facts, concepts
from kg.validation.findings import SEVERITIES, Finding, in_order
from kg.validation.tokens import SUBCLASS, TYPE, is_iri, split

__all__ = ["SEVERITIES", "Checker", "Classes", "Facts", "Finding", "in_order", "validate"]


def validate(data: Iterable[Triple], background: Iterable[Triple] = ()) -> list[Finding]:
    """Check triples against `ontology/shapes.ttl`; violations first, then by node and property.

    `background` is what is known already, so that references resolve; only nodes of `data` are reported.
    Beside the shapes, terms in the `dg:` namespace must be declared and literals be values of their datatype.
    Everything is held in memory; `kg.load.pieces` checks files of any size.
    """
    lines = _lines(data)
    own = dict.fromkeys(split(line)[0] for line in lines)
    spoken_of = {value for line in lines for value in split(line) if is_iri(value)}
    known = [
        (subject, predicate, value)
        for subject, predicate, value in map(split, _lines(background))
        if subject in spoken_of or (value in own and is_iri(value))
    ]
    return check(lines, known)


def check(lines: Iterable[bytes], known: Iterable[tuple[bytes, bytes, bytes]]) -> list[Finding]:
    """Check the lines of some N-Triples, given other statements that are known."""
    checker = Checker()
    facts = Facts(Classes())
    facts.add(lines)
    own = tuple(facts.out)
    for subject, predicate, value in known:
        facts.add_known(subject, predicate, value)
    for node in own:
        for predicate, values in concepts().get(node, {}).items():
            for value in values:
                facts.add_known(node, predicate, value)
    added: dict[bytes, list[bytes]] = {}
    for subject, said in facts.out.items():
        added.setdefault(subject, []).extend(said.get(SUBCLASS, ()))
    facts.classes = Classes(added)
    backwards = checker.backwards
    for subject, said in facts.out.items():
        for predicate, values in said.items():
            for value in values:
                facts.kinds.setdefault(value, frozenset())
                if predicate in backwards:
                    facts.point(value, predicate, subject)
    for node in {*facts.kinds, *facts.out}:
        facts.classify(node, facts.values(node, TYPE))
    return in_order(checker.findings(facts, own))


def _lines(triples: Iterable[Triple]) -> list[bytes]:
    text = pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES) or b""
    return list(dict.fromkeys(text.splitlines(keepends=True)))
