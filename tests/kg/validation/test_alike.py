"""Things that the shapes cannot tell apart: what makes a difference, and that every component is known."""

from __future__ import annotations

import re

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ID, PREFIXES, term
from kg.validation.alike import BY_KIND, BY_VALUE, Alike, likeness

# What says where a shape applies, how it is put together and what it reports; sh:sparql is never looked into.
STRUCTURE = (
    *("NodeShape", "targetClass", "targetSubjectsOf", "property", "path", "alternativePath", "inversePath"),
    *("or", "not", "severity", "message", "sparql", "select", "prefixes", "declare", "prefix", "namespace"),
)
VALUES = ("IRI", "Literal", "Warning")


def test_every_component_of_the_shapes_is_known() -> None:
    text = re.sub(r"#[^\n>]*\n", "\n", (ONTOLOGY_FOLDER / "shapes.ttl").read_text(encoding="utf-8"))
    used = {PREFIXES["sh"] + name for name in re.findall(r"\bsh:(\w+)", text)}
    assert used <= BY_KIND | BY_VALUE | {PREFIXES["sh"] + name for name in (*STRUCTURE, *VALUES)}


def key(slug: str, kinds: dict[NamedNode, frozenset] | None = None, **facts: object):
    node = NamedNode(ID + slug)
    own = [
        Triple(
            node,
            term(name.replace("_", ":")),
            value if isinstance(value, Literal) else NamedNode(ID + str(value)),
        )
        for name, value in facts.items()
    ]
    return likeness(node, own, [], kinds or {})


COUNTRY = {
    NamedNode(f"{ID}a"): frozenset({term("dg:Country")}),
    NamedNode(f"{ID}b"): frozenset({term("dg:Country")}),
}


def day(begin: str, end: str) -> dict[str, object]:
    return {
        name: Literal(text, datatype=term("xsd:date"))
        for name, text in (("dg_begin", begin), ("dg_end", end))
    }


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        # The class of a value counts, and not which thing it is.
        ({"dg_codedActor": "a"}, {"dg_codedActor": "b"}, True),
        ({"dg_codedActor": "a"}, {"dg_codedActor": "c"}, False),
        # Of a label it counts only that it is not blank, and its language.
        ({"rdfs_label": Literal("x")}, {"rdfs_label": Literal("y")}, True),
        ({"rdfs_label": Literal("x")}, {"rdfs_label": Literal(" ")}, False),
        ({"rdfs_label": Literal("x")}, {"rdfs_label": Literal("x", language="en")}, False),
        # Shapes ask for the number itself.
        ({"dg_latitude": Literal(1)}, {"dg_latitude": Literal(91)}, False),
        ({"dg_value": Literal(1)}, {"dg_value": Literal(91)}, True),
        # The order of two days counts, and not which days they are.
        (day("2018-01-01", "2018-01-31"), day("1999-05-01", "2001-01-01"), True),
        (day("2018-01-01", "2018-01-31"), day("2018-01-31", "2018-01-01"), False),
        (day("2018-01-01", "2018-01-01"), day("2018-01-01", "2018-01-31"), False),
        (day("2018-01-01", "2018-01-31"), day("12018-01-01", "12018-01-31"), False),
        # A comparator may be one of some only (sh:in), and one property may not repeat another (sh:disjoint).
        ({"dg_comparator": "a"}, {"dg_comparator": "b"}, False),
        ({"dg_accreditedTo": "a"}, {"dg_accreditedTo": "b"}, False),
        # Values that several paths share count once.
        ({"dg_interactionOf": "a"}, {"dg_interactionOf": "b"}, False),
        # A thing and itself.
        ({"dg_locatedIn": "one"}, {"dg_locatedIn": "a"}, False),
    ],
)
def test_what_makes_a_difference(one: dict[str, object], other: dict[str, object], alike: bool) -> None:
    assert (key("one", COUNTRY, **one) == key("two", COUNTRY, **other)) is alike


@pytest.mark.parametrize(
    "facts",
    [
        {"dg_stepNumber": Literal(1)},
        {"dg_begin": Literal("2018-02-31", datatype=term("xsd:date"))},
    ],
)
def test_nothing_is_known_of_what_queries_read_or_of_a_wrong_literal(facts: dict[str, object]) -> None:
    assert key("one", **facts) is None


def test_what_had_no_finding_is_remembered() -> None:
    alike = Alike()
    assert not alike.is_sound("x")
    alike.add("x")
    assert alike.is_sound("x")
