"""Literals as the engine stores them, and those that must be checked as they are written."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.terms import PREFIXES
from kg.validation.rdf_rules import Rewriting

SUBJECT, PREDICATE = NamedNode("http://x.example/s"), NamedNode("http://x.example/p")


def stored(text: str, datatype: str) -> str:
    literal = Literal(text, datatype=NamedNode(PREFIXES["xsd"] + datatype))
    [triple] = Rewriting().stored([Triple(SUBJECT, PREDICATE, literal)])
    return str(triple.object)


def test_a_number_gets_the_datatype_of_the_engine() -> None:
    assert stored("3", "byte") == f'"3"^^<{PREFIXES["xsd"]}integer>'


@pytest.mark.parametrize(
    ("text", "datatype"),
    [
        ("300", "byte"),
        ("32768", "short"),
        ("-1", "nonNegativeInteger"),
        ("0", "positiveInteger"),
        ("1", "nonPositiveInteger"),
        ("infinity", "double"),
        ("nan", "double"),
    ],
)
def test_what_does_not_fit_its_datatype_stays_as_written_to_be_refused(text: str, datatype: str) -> None:
    """The engine would make a valid number of another datatype of it."""
    assert stored(text, datatype) == f'"{text}"^^<{PREFIXES["xsd"]}{datatype}>'
