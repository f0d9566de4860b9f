"""Slugs of names: distinct ones differ whenever the names do."""

from __future__ import annotations

from itertools import combinations

import pytest
from pyoxigraph import NamedNode

from kg.terms import distinct_slug, encoded

NAMES = [
    *(
        ("A-1",),
        ("A 1",),
        ("a 1",),
        ("A.1",),
        ("1.10",),
        ("1-10",),
        ("Peña",),
        ("Pena",),
        ("PENA",),
        ("Ab1",),
    ),
    *(("aB1",), ("AB1",), ("GOV", ""), ("", "GOV"), ("GOV",), ("GOV", "PREMIER"), ("GOV PREMIER",), ("",)),
    *(("G", "OV PREMIER"), ("محمد",), ("محمد ",), ("n\u0303",), ("ñ",), ("x" * 100,), ("x" * 101,)),
]


@pytest.mark.parametrize("make", [distinct_slug, lambda *names: encoded("/".join(names))])
def test_names_that_differ_have_different_slugs(make) -> None:
    made = {names: make(*names) for names in NAMES}
    for one, other in combinations(NAMES, 2):
        assert made[one] != made[other], (one, other)
    for slug in made.values():
        NamedNode(f"https://x.example/{slug}")


def test_slugs_of_codes_are_readable() -> None:
    assert distinct_slug("IGOUNOKID", "UNICEF") == "igounokid-unicef"
    assert distinct_slug("Ana Peña").startswith("ana-pena-")
