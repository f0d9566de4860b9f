"""What shapes can ask of values (SHACL Core, section 4): each test gives the values that are wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Final

from kg.validation.facts import NO_CLASSES, Facts
from kg.validation.tokens import datatype_of, is_iri, is_literal, language_of, order, text_of

Test = Callable[[Facts, bytes, list[bytes]], Iterable[bytes | None]]
"""Takes facts, the node looked at, and its values; gives the wrong ones, None where it is none of them."""

_NOTHING: Final = (None,)


def every(holds: Callable[[Facts, bytes], bool]) -> Test:
    """Ask something of every value."""
    return lambda facts, node, values: [value for value in values if not holds(facts, value)]


def _class(name: bytes) -> Test:
    def test(facts: Facts, node: bytes, values: list[bytes]) -> Iterable[bytes]:
        kinds = facts.kinds
        return [value for value in values if name not in kinds.get(value, NO_CLASSES)]

    return test


def _datatype(name: bytes) -> Test:
    return every(lambda facts, value: datatype_of(value) == name)


def _node_kind(name: bytes) -> Test:
    kinds = {b"#IRI>": is_iri, b"#Literal>": is_literal}
    holds = kinds[name[name.index(b"#") :]]
    return every(lambda facts, value: holds(value))


def _pattern(token: bytes) -> Test:
    form = re.compile(text_of(token))
    return every(lambda facts, value: value[:2] != b"_:" and form.search(text_of(value)) is not None)


def _min_count(token: bytes) -> Test:
    least = int(text_of(token))
    return lambda facts, node, values: _NOTHING if len(values) < least else ()


def _max_count(token: bytes) -> Test:
    most = int(text_of(token))
    return lambda facts, node, values: _NOTHING if len(values) > most else ()


def _has_value(token: bytes) -> Test:
    return lambda facts, node, values: () if token in values else _NOTHING


def _unique_language(token: bytes) -> Test:
    def test(facts: Facts, node: bytes, values: list[bytes]) -> Iterable[None]:
        languages = [language for value in values if (language := language_of(value)) is not None]
        return _NOTHING if len(set(languages)) < len(languages) else ()

    return test


def _bound(fits: Callable[[int], bool]) -> Callable[[bytes], Test]:
    return lambda bound: every(
        lambda facts, value: is_literal(value) and (found := order(value, bound)) is not None and fits(found)
    )


def _before(fits: Callable[[int], bool]) -> Callable[[bytes], Test]:
    def make(other: bytes) -> Test:
        def test(facts: Facts, node: bytes, values: list[bytes]) -> Iterable[bytes]:
            others = facts.values(node, other)
            return [
                value
                for value in values
                if any((found := order(value, one)) is None or not fits(found) for one in others)
            ]

        return test

    return make


def _disjoint(other: bytes) -> Test:
    def test(facts: Facts, node: bytes, values: list[bytes]) -> Iterable[bytes]:
        others = facts.values(node, other)
        return [value for value in values if value in others]

    return test


TESTS: Final[dict[str, Callable[[bytes], Test]]] = {
    "class": _class,
    "datatype": _datatype,
    "nodeKind": _node_kind,
    "pattern": _pattern,
    "minCount": _min_count,
    "maxCount": _max_count,
    "hasValue": _has_value,
    "uniqueLang": _unique_language,
    "minInclusive": _bound(lambda found: found >= 0),
    "maxInclusive": _bound(lambda found: found <= 0),
    "lessThan": _before(lambda found: found < 0),
    "lessThanOrEquals": _before(lambda found: found <= 0),
    "disjoint": _disjoint,
}
