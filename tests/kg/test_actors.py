"""Who and where a code or a name means."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.resolver import Resolver, fold
from kg.store import EmbeddedStore
from kg.terms import GRAPH_COUNTRIES, ID, term

GRAPH = NamedNode("urn:g")
NAMES = [
    ("United States", "country/usa"),
    ("United States of America", "country/usa"),
    ("Côte d'Ivoire", "country/civ"),
    ("Georgia", "country/geo"),
    ("Georgia", "place/georgia"),
    ("REUTERS (USAMED)", "actor/gdelt-usamed-reuters"),
]


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(
        codes=[
            ("cow", "002", f"{ID}country/usa"),
            ("cow", "USA", f"{ID}country/usa"),
            ("iso2", "NA", f"{ID}country/nam"),
        ],
        names=[(name, ID + iri) for name, iri in NAMES],
        types=[f"{ID}event-type/cameo-17", f"{ID}event-type/cameo-174"],
    )


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("UNITED STATES", "country/usa"),
        ("  united   states ", "country/usa"),
        ("United States of America", "country/usa"),
        ("COTE D’IVOIRE", "country/civ"),
        ("Georgia", None),
        ("Reuters (USAMED)", None),
        ("", None),
        ("Atlantis", None),
    ],
)
def test_names(resolver: Resolver, name: str, iri: str | None) -> None:
    """One thing or none: what several bear, and what a dataset minted, is no answer."""
    assert resolver.named(name) == (ID + iri if iri else None)


def test_a_name_of_a_country_and_of_a_town(resolver: Resolver) -> None:
    """A place does not act, so an actor of that name is the country; as a bare name it stays open."""
    assert resolver.named("Georgia") is None
    assert resolver.actor_named("Georgia") == resolver.country_named("GEORGIA") == f"{ID}country/geo"
    assert resolver.country_named("Reuters") is None


@pytest.mark.parametrize("name", ["cote-divoire", "united-states-america", "the United States"])
def test_slugs_of_names(resolver: Resolver, name: str) -> None:
    assert resolver.named(name) in (f"{ID}country/civ", f"{ID}country/usa")


def test_organizations_have_cameo_codes_too() -> None:
    both = [("cameo", "EEC", f"{ID}organization/eu"), ("cameo", "USA", f"{ID}country/usa")]
    resolver = Resolver(codes=both)
    assert (resolver.organization("EEC"), resolver.country("cameo", "EEC")) == (f"{ID}organization/eu", None)
    assert (resolver.organization("USA"), resolver.country("cameo", "USA")) == (None, f"{ID}country/usa")


def test_codes(resolver: Resolver) -> None:
    assert resolver.country("cow", "2") == resolver.country("cow", "usa") == f"{ID}country/usa"
    assert resolver.country("iso2", "NA") == f"{ID}country/nam"
    assert resolver.country("iso2", "USA") is None
    assert resolver.country("fips", "US") is None


def test_suggestions(resolver: Resolver) -> None:
    assert resolver.suggest("Untied States")[0] == ("United States", f"{ID}country/usa")
    assert resolver.suggest("qqqq") == []
    assert resolver.suggest_type("1749") == ["174", "17"]
    assert resolver.suggest_type("999") == []


def test_what_a_store_knows(tmp_path: Path) -> None:
    usa, kind = term("id:country/usa"), term("id:event-type/cameo-174")
    store = EmbeddedStore(tmp_path / "store")
    try:
        store.change(
            (),
            [
                Quad(usa, term("rdf:type"), term("dg:Country"), GRAPH_COUNTRIES),
                Quad(usa, term("rdfs:label"), Literal("United States", language="en"), GRAPH),
                Quad(usa, term("skos:altLabel"), Literal("Estados Unidos", language="es"), GRAPH),
                Quad(usa, term("dg:iso3"), Literal("USA"), GRAPH),
                Quad(usa, NamedNode(term("dg:iso3").value.replace("iso3", "fips")), Literal("US"), GRAPH),
                # A load of a table minted this one for a number that it could not resolve.
                Quad(term("id:country/table-345"), term("rdf:type"), term("dg:Country"), GRAPH),
                Quad(term("id:country/table-345"), term("rdfs:label"), Literal("Serbia"), GRAPH),
                Quad(term("id:claim/x"), term("rdf:type"), term("dg:Claim"), GRAPH),
                Quad(term("id:claim/x"), term("rdfs:label"), Literal("A claim"), GRAPH),
                Quad(kind, term("rdf:type"), term("dg:EventType"), GRAPH),
                Quad(kind, term("skos:inScheme"), term("id:scheme/cameo"), GRAPH),
            ],
        )
        resolver = Resolver.of(store)
    finally:
        store.close()
    assert resolver.named("estados unidos") == usa.value
    assert resolver.named("a claim") is None
    assert resolver.country_named("Serbia") is None
    assert resolver.country("fips", "US") == resolver.country("iso3", "USA") == usa.value
    assert resolver.event_type(kind.value)
    assert not resolver.event_type(term("id:event-type/cameo-999").value)


def test_fold() -> None:
    assert fold("São Tomé, & Príncipe!") == "sao tome principe"
    assert fold("ایران") == "ایران"
