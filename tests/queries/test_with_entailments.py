"""Counts do not lie: no question gives another answer because what follows has been worked out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyoxigraph
import pytest

from kg.catalogue import read_catalogue
from kg.load import install
from kg.reasoning import AssertedStore, Entailments
from kg.store import EmbeddedStore, Store
from kg.terms import ID

FIXTURES = Path(__file__).parents[1] / "fixtures"
CATALOGUE = read_catalogue()
# Values for what a question needs.
NEEDED = {"iri": ID + "country/irn", "string": "Iran", "date": "2018-01-05", "integer": "1"}


@pytest.fixture(scope="module")
def stores() -> Iterator[tuple[EmbeddedStore, EmbeddedStore]]:
    """The same graphs, with and without entailments."""
    plain, reasoned = EmbeddedStore(), EmbeddedStore()
    install(plain)
    for name in sorted({question.fixture for question in CATALOGUE.values()} - {"article"}):
        plain.engine.load(path=FIXTURES / name, format=pyoxigraph.RdfFormat.TRIG)
    reasoned.engine.bulk_extend(plain.engine)
    Entailments().rebuild(reasoned)
    yield plain, reasoned
    plain.close()
    reasoned.close()


def rows(store: Store, name: str) -> list[dict[str, str]]:
    question = CATALOGUE[name]
    values = {p.name: NEEDED[p.kind] for p in question.parameters if p.required}
    found = store.query(question.fill(values)).rows()
    return [{key: str(value) for key, value in row.items()} for row in found]


@pytest.mark.parametrize("name", CATALOGUE)
def test_a_question_gives_the_same_rows(name: str, stores: tuple[EmbeddedStore, EmbeddedStore]) -> None:
    plain, reasoned = stores
    assert rows(reasoned, name) == rows(plain, name)


@pytest.mark.parametrize("name", CATALOGUE)
def test_leaving_entailments_out_gives_them_too(
    name: str, stores: tuple[EmbeddedStore, EmbeddedStore]
) -> None:
    plain, reasoned = stores
    assert rows(AssertedStore(reasoned), name) == rows(plain, name)


def test_no_statement_is_counted_twice_for_being_entailed(
    stores: tuple[EmbeddedStore, EmbeddedStore],
) -> None:
    _, reasoned = stores
    twice = "SELECT ?s ?p ?o { GRAPH <https://w3id.org/diplograph/graph/entailments> { ?s ?p ?o }"
    twice += " GRAPH ?g { ?s ?p ?o } FILTER(?g != <https://w3id.org/diplograph/graph/entailments>) }"
    assert list(reasoned.query(twice).rows()) == []
