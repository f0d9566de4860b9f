"""Names and codes by which datasets list countries lead to the country, and to no other."""

from __future__ import annotations

from collections.abc import Iterator

import pycountry
import pytest

from kg.load import install
from kg.reference.fact_tables import read_table
from kg.resolver import Resolver
from kg.store import EmbeddedStore
from kg.terms import ID


@pytest.fixture(scope="module")
def resolver() -> Iterator[Resolver]:
    store = EmbeddedStore()
    install(store)
    yield Resolver.of(store)
    store.close()


def country(slug: str) -> str:
    return f"{ID}country/{slug.lower()}"


def test_names_of_datasets(resolver: Resolver) -> None:
    rows = read_table("dataset_names.tsv").rows
    assert len(rows) > 200
    found = {row["name"]: resolver.country_named(row["name"]) for row in rows}
    assert found == {row["name"]: country(row["country"]) for row in rows}


def test_names_of_iso_3166_1(resolver: Resolver) -> None:
    for record in pycountry.countries:
        for kind in ("name", "common_name", "official_name"):
            if name := getattr(record, kind, None):
                assert resolver.country_named(name) == country(record.alpha_3), name


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Korea, Republic of", "kor"),
        ("Moldova, Republic of", "mda"),
        ("Iran, Islamic Republic of", "irn"),
        ("Congo, Democratic Republic of the", "cod"),
        # A sovereign state precedes the territories with the same demonym.
        ("American", "usa"),
        ("French", "fra"),
        ("Chinese", "chn"),
        ("Norwegian", "nor"),
        # A former state of its own.
        ("Yugoslavia", "cow-345"),
        ("Czechoslovakia", "cow-315"),
    ],
)
def test_other_names(resolver: Resolver, name: str, slug: str) -> None:
    assert resolver.country_named(name) == resolver.actor_named(name) == country(slug)


@pytest.mark.parametrize("name", ["Congolese", "Guiana", "Korea, Bavaria", ", "])
def test_names_without_one_country(resolver: Resolver, name: str) -> None:
    assert resolver.country_named(name) is None


@pytest.mark.parametrize(
    ("system", "code", "slug"),
    [
        # Serbia continues Yugoslavia's number in the Correlates of War project.
        ("cow", "345", "srb"),
        ("cow", "YUG", "srb"),
        ("cow", "315", "cow-315"),
        ("iso2", "XK", "xkx"),
        ("iso3", "XKX", "xkx"),
        ("numeric", "364", "irn"),
        ("numeric", "4", "afg"),
        # Numbers as spreadsheets and pandas write them.
        ("cow", "771.0", "bgd"),
        # Gleditsch and Ward, and Polity, where they differ from COW and where they do not.
        ("gw", "340", "srb"),
        ("gw", "345", "cow-345"),
        ("gw", "678", "yem"),
        ("gw", "630", "irn"),
        ("polity", "529", "eth"),
        ("polity", "ETI", "eth"),
        ("polity", "341", "xkx"),
        ("cow", "341", "mne"),
        ("polity", "365", "rus"),
        # Codes that ISO 3166 withdrew, and CAMEO's where it has none of its own.
        ("iso3", "SCG", "srb"),
        ("iso2", "SU", "rus"),
        ("cameo", "ROM", "rou"),
        ("cameo", "ROU", "rou"),
    ],
)
def test_codes(resolver: Resolver, system: str, code: str, slug: str) -> None:
    assert resolver.country(system, code) == country(slug)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("system", "code", "day", "slug"),
    [
        ("cow", "345", "1914-07-28", "srb"),
        ("cow", "345", "1918-12-01", "cow-345"),
        ("cow", "YUG", "1992-04-26", "cow-345"),
        ("cow", "345", "1992-04-27", "srb"),
        ("gw", "678", "1970-01-01", "cow-678"),
        ("gw", "678", "1990-05-22", "yem"),
        ("iso3", "YUG", "2000-01-01", "srb"),
        ("cow", "630", "1900-01-01", "irn"),
    ],
)
def test_codes_on_a_day(resolver: Resolver, system: str, code: str, day: str, slug: str) -> None:
    assert resolver.country(system, code, day) == country(slug)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "day", "slug"),
    [
        ("Yugoslavia", "1970-01-01", "cow-345"),
        ("Yugoslavia", "2000-01-01", "srb"),
        ("korea", "1905-01-01", "cow-730"),
        ("korea", "1990-01-01", "kor"),
        ("hawaii", "1850-01-01", "former-hawaii"),
        # The People's Republic was proclaimed on 1 October 1949.
        ("Republic of China", "1945-09-02", "chn"),
        ("Republic of China", "1949-10-01", "twn"),
        # As Gleditsch and Ward, Polity and V-Dem list them.
        ("Prussia", "1866-06-14", "deu"),
        ("Great Colombia", "1828-07-03", "former-gran-colombia"),
        ("Tibet", "1933-12-17", "former-tibet"),
        ("Transvaal", "1899-10-11", "former-transvaal"),
        ("Ottoman Empire", "1914-10-29", "tur"),
        ("Austrian Empire", "1859-04-26", "cow-300"),
        ("Kingdom of the Two Sicilies", "1860-05-11", "cow-329"),
        ("Papal States", "1867-10-25", "cow-327"),
        ("Piedmont-Sardinia", "1859-04-26", "former-sardinia"),
        ("Tuscany", "1848-03-01", "cow-337"),
        ("Nassau", "1850-01-01", "former-nassau"),
        ("United Arab Republic", "1960-01-01", "egy"),
    ],
)
def test_names_on_a_day(resolver: Resolver, name: str, day: str, slug: str) -> None:
    assert resolver.country_named(name, day) == country(slug)
    assert resolver.mistimed("name", name, day) is None


@pytest.mark.parametrize("name", ["Hawaii", "Texas", "Sardinia", "Bavaria", "Tuscany", "Hamburg", "Tibet"])
def test_the_name_of_a_place_of_today_is_no_former_state(resolver: Resolver, name: str) -> None:
    assert resolver.country_named(name, "2018-01-01") is None


@pytest.mark.parametrize(
    ("system", "code", "slug", "words"),
    [
        ("name", "Republic of China", "twn", "China from 1912-01-01 until 1949-09-30"),
        ("name", "Yemen", "yem", "Yemen Arab Republic until 1990-05-21"),
        ("cow", "345", "srb", "Yugoslavia from 1918-12-01 until 1992-04-26"),
        ("name", "Tuscany", "cow-337", "Tuscany until 1860-03-22"),
    ],
)
def test_without_a_day_it_is_said_what_else_it_meant(
    resolver: Resolver, system: str, code: str, slug: str, words: str
) -> None:
    found = resolver.country_named(code) if system == "name" else resolver.country(system, code)  # type: ignore[arg-type]
    note = resolver.mistimed(system, code, "") or ""  # type: ignore[arg-type]
    assert found == country(slug)
    assert f"was used for {words}; the row has no date" in note


@pytest.mark.parametrize("name", ["Iran", "USSR", "Czechoslovakia", "Korea", "Tibet", "Atlantis"])
def test_a_name_of_one_country_only_needs_no_day(resolver: Resolver, name: str) -> None:
    assert resolver.mistimed("name", name, "") is None


def test_tables_of_codes(resolver: Resolver) -> None:
    rows = read_table("dataset_codes.tsv").rows
    always = [row for row in rows if not (row["from"] or row["to"])]
    assert len({(row["system"], row["code"]) for row in always}) == len(always)
    for row in rows:
        assert row["from"] <= row["to"] or not row["to"]
        day = row["to"] or row["from"]
        if row["system"] == "name":
            found = resolver.country_named(row["code"], day)
        else:
            found = resolver.country(row["system"], row["code"], day)  # type: ignore[arg-type]
        assert found == (country(row["country"]) if row["country"] else None), row


@pytest.mark.parametrize(
    ("code", "region"),
    [("AFR", "m49-002"), ("EUR", "m49-150"), ("WAF", "m49-011"), ("WST", "the-west"), ("CAU", "caucasus")],
)
def test_regions_of_cameo(resolver: Resolver, code: str, region: str) -> None:
    assert resolver.region(code) == f"{ID}place/{region}"
    assert resolver.country("cameo", code) is None
