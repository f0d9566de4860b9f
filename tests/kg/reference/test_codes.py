"""Codes lead to countries without a store, and say the same as the graph."""

from __future__ import annotations

from typing import get_args

import pytest
from pyoxigraph import Literal, NamedNode

from kg.reference import countries_by, organizations_by_cameo, reference_triples
from kg.reference.codes import CodeList
from kg.terms import ID, term

PROPERTIES = {
    "iso2": "dg:iso2", "iso3": "dg:iso3", "numeric": "dg:isoNumeric", "m49": "dg:unM49", "fips": "dg:fips",
    "cameo": "dg:cameo", "cow": "dg:cow", "cow_abbreviation": "dg:cowAbbreviation",
}  # fmt: skip


@pytest.mark.parametrize(
    ("code_list", "code", "slug"),
    [
        ("iso2", "NA", "nam"),
        ("fips", "IZ", "irq"),
        ("fips", "GZ", "pse"),
        ("cameo", "ROM", "rou"),
        ("cameo", "WSB", "pse"),
        ("cow", "2", "usa"),
        ("cow", "345", "srb"),
        ("cow", "300", "cow-300"),
        ("cow_abbreviation", "UKG", "gbr"),
        ("numeric", "004", "afg"),
    ],
)
def test_a_code_leads_to_its_country(code_list: CodeList, code: str, slug: str) -> None:
    assert countries_by(code_list)[code] == NamedNode(f"{ID}country/{slug}")


def test_lists_and_graph_agree() -> None:
    for code_list in get_args(CodeList):
        graph = {
            (t.object.value, t.subject) for t in reference_triples()
            if t.predicate == term(PROPERTIES[code_list]) and isinstance(t.object, Literal)
            and "/country/" in str(t.subject)
        }  # fmt: skip
        found = set(countries_by(code_list).items())
        assert found <= graph, code_list
        assert {code for code, _ in graph} == {code for code, _ in found}


def test_organizations() -> None:
    assert organizations_by_cameo()["NAT"] == NamedNode(ID + "organization/nato")
    assert "" not in organizations_by_cameo()
