"""Codes of countries in the reference graph, where lists are known to differ."""

from __future__ import annotations

import pytest
from pyoxigraph import Literal

from kg.reference import reference_triples
from kg.terms import term


@pytest.mark.parametrize(
    ("name", "code", "slugs"),
    [
        ("iso2", "NA", {"nam"}),
        ("fips", "IZ", {"irq"}),
        ("fips", "GZ", {"pse"}),
        ("cameo", "ROM", {"rou"}),
        ("cameo", "WSB", {"pse"}),
        ("cow", "2", {"usa"}),
        ("cow", "300", {"cow-300"}),
        ("cowAbbreviation", "UKG", {"gbr"}),
        ("isoNumeric", "004", {"afg"}),
    ],
)
def test_a_code_stands_for_its_country(name: str, code: str, slugs: set[str]) -> None:
    found = {
        str(triple.subject)[1:-1].rpartition("/")[2]
        for triple in reference_triples()
        if triple.predicate == term(f"dg:{name}")
        and isinstance(triple.object, Literal)
        and triple.object.value == code
    }
    assert found == slugs
