"""A country is found by whatever somebody calls it: by SPARQL, and by the names that commands take."""

from __future__ import annotations

import pyoxigraph
import pytest

from kg.search import resolve, search
from kg.store import EmbeddedStore
from kg.terms import ID, PREFIXES

DG = PREFIXES["dg"]


@pytest.mark.parametrize(
    ("pattern", "slug"),
    [
        (f'?s <{DG}iso2> "IR"', "irn"),
        (f'?s <{DG}isoNumeric> "364"', "irn"),
        (f'?s <{DG}fips> "IZ"', "irq"),
        (f'?s <{DG}cow> "630"', "irn"),
        (f'?s <{DG}cowAbbreviation> "GMY"', "deu"),
        (f'?s <{DG}cameo> "ROM"', "rou"),
        ('?s <http://www.w3.org/2000/01/rdf-schema#label> "إيران"@ar', "irn"),
        ('?s <http://www.w3.org/2000/01/rdf-schema#label> "美国"@zh', "usa"),
        ('?s <http://www.w3.org/2000/01/rdf-schema#label> "Катар"@ru', "qat"),
        ("?s <http://www.w3.org/2004/02/skos/core#exactMatch> <http://www.wikidata.org/entity/Q846>", "qat"),
    ],
)
def test_sparql_finds_the_country(pattern: str, slug: str, article_store: EmbeddedStore) -> None:
    solutions = article_store.engine.query(
        f"SELECT DISTINCT ?s WHERE {{ {pattern} }}", use_default_graph_as_union=True
    )
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    assert [row["s"].value for row in solutions] == [f"{ID}country/{slug}"]


@pytest.mark.parametrize(
    ("name", "thing"),
    [
        ("IRN", "country/irn"),
        ("Iranian", "country/irn"),
        ("British", "country/gbr"),
        ("Burma", "country/mmr"),
        ("UAE", "country/are"),
        ("伊朗", "country/irn"),
        ("Катар", "country/qat"),
        ("إيران", "country/irn"),
        ("NATO", "organization/nato"),
        ("欧盟", "organization/european-union"),
        ("North Atlantic Treaty Organization", "organization/nato"),
        ("Western Asia", "place/m49-145"),
        ("Prohibir", None),
        ("Sancionar", "event-type/plover-sanction"),
    ],
)
def test_a_name_means_the_thing(name: str, thing: str | None, article_store: EmbeddedStore) -> None:
    if thing is None:
        with pytest.raises(Exception, match="nothing is called"):
            resolve(article_store, name)
    else:
        assert resolve(article_store, name) == ID + thing


def test_search_finds_by_demonym_and_says_what_it_is(article_store: EmbeddedStore) -> None:
    hits = search(article_store, "Qatari")
    assert (hits[0].iri, hits[0].label, hits[0].type_label) == (ID + "country/qat", "Qatar", "country")
