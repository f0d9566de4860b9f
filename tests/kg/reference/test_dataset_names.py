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
    ],
)
def test_codes(resolver: Resolver, system: str, code: str, slug: str) -> None:
    assert resolver.country(system, code) == country(slug)  # type: ignore[arg-type]
