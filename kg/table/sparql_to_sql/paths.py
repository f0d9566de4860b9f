"""Property paths of basic graph patterns as triples (SPARQL 1.1 section 18.2.2.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import NamedTuple

from rdflib import BNode, Literal, URIRef, Variable
from rdflib.paths import AlternativePath, InvPath, Path, SequencePath
from rdflib.term import Node

from kg.table.sparql_to_sql.not_routed import NotRoutedError

HIDDEN = "pathstep_"
"""Beginning of the names of variables that a path introduces."""
BLANK = "blanknode_"
"""Beginning of the names of variables that stand for blank nodes."""


class Pattern(NamedTuple):
    """A triple pattern; `predicate` is a path where it cannot be split."""

    subject: Node
    predicate: URIRef | Path
    object: Node


def split(
    triples: Iterable[tuple[Node, Node | Path, Node]], numbers: Iterator[int] | None = None
) -> list[Pattern]:
    """Return triples with sequences and inverses of paths split up; raises NotRoutedError."""
    numbers = count() if numbers is None else numbers
    found = []
    for subject, predicate, object_ in triples:
        if isinstance(predicate, SequencePath):
            places = [subject, *(Variable(f"{HIDDEN}{next(numbers)}") for _ in predicate.args[1:]), object_]
            steps = zip(places, predicate.args, places[1:], strict=False)
            found += split(((one, step, two) for one, step, two in steps), numbers)
        elif isinstance(predicate, InvPath):
            found += split([(object_, predicate.arg, subject)], numbers)
        elif isinstance(predicate, (URIRef, Path)):
            found.append(Pattern(subject, predicate, object_))
        else:
            raise NotRoutedError("a property is a variable")
    return found


def arms(pattern: Pattern) -> list[URIRef | Path]:
    """Return the alternatives of a path; the predicate alone if it has none."""
    path = pattern.predicate
    return list(path.args) if isinstance(path, AlternativePath) else [path]


def first_step(path: URIRef | Path) -> URIRef | None:
    """Return the property that a path begins with, if it is one."""
    while isinstance(path, SequencePath):
        path = path.args[0]
    return path if isinstance(path, URIRef) else None


def variable_name(node: Node) -> str | None:
    """Return the name of a variable or blank node of a pattern; None for a term."""
    if isinstance(node, BNode):
        return f"{BLANK}{node}"
    return str(node) if isinstance(node, Variable) else None


def n3(node: Node | Path) -> str:
    """Return a term, variable or path as SPARQL; blank nodes are variables."""
    if isinstance(node, BNode):
        return f"?{BLANK}{node}"
    if isinstance(node, (URIRef, Literal, Variable, Path)):
        return node.n3()
    raise NotRoutedError(f"{node!r} is part of a pattern")
