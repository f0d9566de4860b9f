"""Finds things that the shapes cannot tell apart, so that one of them is validated for all."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import pyoxigraph
from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple

from kg.rdf.literals import literal_fault
from kg.terms import PREFIXES, term
from kg.validation.known_terms import TYPE, concept_statements
from kg.validation.shacl import read_shapes

_SH: Final = PREFIXES["sh"]
BY_KIND: Final = frozenset(
    f"{_SH}{name}" for name in ("minCount", "maxCount", "class", "datatype", "nodeKind", "uniqueLang")
)
"""Components that ask how many values a property has and of which kind they are (SHACL, section 4)."""
BY_VALUE: Final = frozenset(
    f"{_SH}{name}"
    for name in (
        *("pattern", "minInclusive", "maxInclusive", "in", "hasValue"),
        *("disjoint", "lessThan", "lessThanOrEquals"),
    )
)
"""Components that ask for the values themselves."""
_ORDER: Final = (f"{_SH}lessThan", f"{_SH}lessThanOrEquals")
_PATH: Final = term("sh:path")
_DATE: Final = term("xsd:date")
_MAX_COUNT: Final = f"{_SH}maxCount"
_MIN_COUNT: Final = f"{_SH}minCount"
# The pattern of a text that is not blank.
_NOT_BLANK: Final = '"\\\\S"'
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_WORD: Final = re.compile(r"\w", re.ASCII)
_LISTED: Final = 100_000

Kinds = Mapping[NamedNode, frozenset[Hashable]]
"""The classes of things."""


@dataclass(frozen=True)
class _Compared:
    """Properties whose values the shapes ask for, those that only may not be blank, and pairs in order."""

    values: frozenset[NamedNode]
    texts: frozenset[NamedNode]
    ordered: frozenset[tuple[NamedNode, NamedNode]]


@cache
def _compared() -> _Compared:
    graph = [q.triple for q in pyoxigraph.parse(read_shapes().ntriples, format=RdfFormat.N_TRIPLES)]
    paths = {t.subject: t.object for t in graph if t.predicate == _PATH}
    inside: dict[Hashable, list[Hashable]] = {}
    for triple in graph:
        inside.setdefault(triple.subject, []).append(triple.object)
    values: set[NamedNode] = {TYPE, term("dg:predicate")}
    texts: set[NamedNode] = set()
    ordered: set[tuple[NamedNode, NamedNode]] = set()
    for subject, predicate, value in graph:
        # Values that several paths share count once.
        number = predicate.value == _MAX_COUNT or (predicate.value == _MIN_COUNT and value != Literal(1))
        several = number and isinstance(paths.get(subject), BlankNode)
        if several or (predicate.value in BY_VALUE and subject in paths):
            found = texts if str(value) == _NOT_BLANK else values
            path = paths[subject]
            if predicate.value in _ORDER and isinstance(path, NamedNode) and isinstance(value, NamedNode):
                ordered.add((path, value))
                continue
            # A path is a property, or a node that leads to its properties.
            todo: list[Hashable] = [paths[subject], value]
            while todo:
                node = todo.pop()
                if isinstance(node, NamedNode):
                    found.add(node)
                elif isinstance(node, BlankNode):
                    todo += inside.get(node, [])
    return _Compared(frozenset(values), frozenset(texts - values), frozenset(ordered))


class Alike:
    """Remembers what things without a finding are like."""

    def __init__(self) -> None:
        self._sound: set[Hashable] = set()

    def is_sound(self, key: Hashable) -> bool:
        """Return whether a thing with a key had no finding."""
        return key in self._sound

    def add(self, key: Hashable) -> None:
        """Remember the key of a thing that has no finding; at most 100,000 are remembered."""
        if len(self._sound) >= _LISTED:
            self._sound.clear()
        self._sound.add(key)


def likeness(
    node: NamedNode, own: Iterable[Triple], pointing: Iterable[Triple], kinds: Kinds
) -> Hashable | None:
    """Return a key that two things share only if the shapes find the same of both; None if nothing is known.

    It has the classes of the thing, and for each statement the property with the kind of its value: classes,
    datatype and language, or the value itself where a shape asks for it. Queries are not looked into.
    """
    if node in concept_statements():
        return None
    compared, queried = _compared(), read_shapes().query_properties
    parts: Counter[Hashable] = Counter()
    days: dict[NamedNode, list[str]] = {name: [] for pair in compared.ordered for name in pair}
    for _, predicate, value in own:
        if predicate in queried or isinstance(value, BlankNode | Triple):
            return None
        if isinstance(value, Literal):
            if literal_fault(value):
                return None
            by_kind = predicate not in compared.values
            if by_kind and predicate in compared.texts:
                by_kind = _WORD.search(value.value) is not None
            if predicate in days:
                # Days of this form are in the order of their texts.
                by_kind = by_kind and value.datatype == _DATE and _DAY.fullmatch(value.value) is not None
                days[predicate].append(value.value)
            kind: Hashable = (value.datatype, value.language) if by_kind else value
        elif value == node:
            kind = True
        else:
            kind = value if predicate in compared.values else kinds.get(value, frozenset())
        parts[predicate, kind] += 1
    for pair in compared.ordered:
        first, second = (days[name] for name in pair)
        parts[pair, frozenset((one < other, one == other) for one in first for other in second)] += 1
    for subject, predicate, _ in dict.fromkeys(pointing):
        if not isinstance(subject, NamedNode) or predicate in compared.values:
            return None
        parts[kinds.get(subject, frozenset()), predicate] += 1
    return kinds.get(node), frozenset(parts.items())
