"""The reference countries: codes and names as ISO 3166-1 has them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.countries import common_name, country_triples
from kg.terms import ID, compact, term

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[3] / "shared")


def values(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for t in country_triples():
        if t.predicate == term(name) and isinstance(t.subject, NamedNode):
            text = t.object.value if isinstance(t.object, Literal | NamedNode) else ""
            found.setdefault(t.subject.value.removeprefix(ID + "country/"), set()).add(text)
    return found


def test_all_of_iso_3166_1_is_there() -> None:
    countries = [t.subject for t in country_triples() if t.object == term("dg:Country")]
    assert len(countries) == len(set(countries)) == 249


def test_iris_are_the_alpha_3_code_in_lower_case() -> None:
    assert all({slug.upper()} == codes for slug, codes in values("dg:iso3").items())


@pytest.mark.parametrize(
    ("slug", "label"),
    [
        ("irn", "Iran"),
        ("usa", "United States"),
        ("qat", "Qatar"),
        ("kor", "South Korea"),
        ("prk", "North Korea"),
        ("bol", "Bolivia"),
        ("ven", "Venezuela"),
        ("syr", "Syria"),
        ("twn", "Taiwan"),
        ("cod", "Democratic Republic of the Congo"),
        ("cog", "Congo"),
        ("vgb", "British Virgin Islands"),
        ("vir", "U.S. Virgin Islands"),
        ("bes", "Bonaire, Sint Eustatius and Saba"),
    ],
)
def test_labels_are_the_names_people_use(slug: str, label: str) -> None:
    assert values("rdfs:label")[slug] == {label}


def test_inverted_and_official_names_are_aliases() -> None:
    aliases = values("skos:altLabel")
    assert {"Iran, Islamic Republic of", "Islamic Republic of Iran"} <= aliases["irn"]
    assert "United States of America" in aliases["usa"]
    assert "Congo, The Democratic Republic of the" in aliases["cod"]


def test_no_label_is_inverted_or_shared() -> None:
    labels = [label for found in values("rdfs:label").values() for label in found]
    assert [label for label in labels if ", " in label and " and " not in label] == []
    assert [label for label, count in Counter(labels).items() if count > 1] == []


def test_wikidata_only_where_verified() -> None:
    assert {slug: compact(iri) for slug, (iri,) in values("skos:exactMatch").items()} == {
        "irn": "wd:Q794", "usa": "wd:Q30", "qat": "wd:Q846",
    }  # fmt: skip


def test_the_graph_says_where_it_is_from() -> None:
    sources = [t.object for t in country_triples() if t.predicate == term("dcterms:source")]
    assert [s.value.split()[0] for s in sources if isinstance(s, Literal)] == ["pycountry"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"name": "Bland, Kingdom of"}, "Kingdom of Bland"),
        ({"name": "Bland, The Isles of"}, "Isles of Bland"),
        ({"name": "Bland, Kingdom of", "common_name": "Blandia"}, "Blandia"),
        ({"name": "One, Two and Three"}, "One, Two and Three"),
        ({"name": "Bland"}, "Bland"),
    ],
)
def test_common_name(record: dict[str, str], expected: str) -> None:
    assert common_name(SimpleNamespace(**record)) == expected


def test_codes_agree_with_another_list() -> None:
    path = SHARED / "data" / "countries" / "countries_permissive.csv"
    if not path.is_file():
        pytest.skip(
            "countries_permissive.csv is not here; set DIPLOGRAPH_SHARED to the folder that has data/"
        )
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["iso3"].strip()]
    ours2, ours3, numeric = values("dg:iso2"), values("dg:iso3"), values("dg:isoNumeric")
    wikidata = {slug: compact(iri).removeprefix("wd:") for slug, (iri,) in values("skos:exactMatch").items()}
    assert len(rows) > 200
    for row in rows:
        slug = row["iso3"].lower()
        assert ours3[slug] == {row["iso3"]}
        assert ours2[slug] == {row["iso2"]}
        assert numeric[slug] == {row["iso_num"].zfill(3)}
        assert wikidata.get(slug, row["wikidata"]) == row["wikidata"]


def test_triples_are_the_same_every_time() -> None:
    assert country_triples() is country_triples()
    assert all(isinstance(t, Triple) for t in country_triples())
