"""Updates that compute a text that is too long to be read again."""

from __future__ import annotations

import pytest

from kg.errors import QuerySyntaxError, TooLargeError
from kg.settings import LITERAL_LIMIT
from kg.store import EmbeddedStore, QueryDataset
from kg.store.computed_texts import refusing_long_texts

# 128 bytes, and how often doubling them exceeds the limit.
WORD = "é" * 64
DOUBLE = "DELETE { ?s ?p ?o } INSERT { ?s ?p ?t } WHERE { ?s ?p ?o BIND(CONCAT(?o, ?o) AS ?t) }"
START = f"INSERT DATA {{ <a:s> <a:p> '{WORD}' }}"


def sizes(store: EmbeddedStore) -> list[int]:
    return [len(str(quad.object).encode()) for quad in store.engine]


@pytest.fixture
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    store.update(START)
    return store


def test_a_text_that_doubles_stops_below_the_limit(store: EmbeddedStore) -> None:
    with pytest.raises(TooLargeError, match="8 MiB") as caught:
        for _ in range(20):
            store.update(f"# doubled\n{DOUBLE}")
    assert (caught.value.line, caught.value.column) == (2, DOUBLE.index("CONCAT") + 1)
    (size,) = sizes(store)
    assert LITERAL_LIMIT // 2 < size <= LITERAL_LIMIT


@pytest.mark.parametrize(
    "update",
    [
        # What precedes it in the request is not carried out either.
        "INSERT DATA { <a:t> <a:p> 1 } ; " + " ; ".join([DOUBLE] * 17),
        f"INSERT {{ <a:s> <a:q> ?t }} WHERE {{ {{ SELECT (GROUP_CONCAT(?n; separator='{'x' * 999}') AS ?t) {{"
        " VALUES ?a { 1 2 3 4 5 6 7 8 9 0 } VALUES ?b { 1 2 3 4 5 6 7 8 9 0 } "
        "VALUES ?c { 1 2 3 4 5 6 7 8 9 0 } VALUES ?d { 1 2 3 4 5 6 7 8 9 0 } BIND('' AS ?n) } } }",
        f"INSERT {{ GRAPH ?g {{ ?s <a:p> 1 }} }} WHERE {{ ?s ?p ?o BIND(<a:g> AS ?g) }} ;"
        f"INSERT {{ GRAPH <a:g> {{ ?i ?p 1 . ?unbound ?p 2 }} }} USING <a:g> WHERE {{ ?s ?p ?o "
        f"BIND(IRI(CONCAT('a:', REPLACE('{'x' * 9000}', 'x', '{'x' * 1000}'))) AS ?i) }} ;",
    ],
)
def test_nothing_of_such_a_request_is_stored(store: EmbeddedStore, update: str) -> None:
    with pytest.raises(TooLargeError, match="8 MiB"):
        store.update(update)
    assert sizes(store) == [len(WORD.encode()) + 2] and list(store.engine.named_graphs()) == []


def test_shorter_texts_are_stored_as_ever(store: EmbeddedStore) -> None:
    store.update(f"{DOUBLE} ; {DOUBLE} ; # the end")
    store.update(
        "WITH <a:g> INSERT { ?s ?p ?tooLong } USING NAMED <a:h> WHERE { BIND(UCASE('a') AS ?tooLong) }"
    )
    store.update(
        "INSERT { ?s <a:q> ?t } WHERE { ?s ?p ?o BIND(REPLACE('ab', 'b', 'c') AS ?t) }", QueryDataset()
    )
    assert sorted(sizes(store)) == [4, 4 * len(WORD.encode()) + 2]
    assert list(store.engine.named_graphs()) == []


def test_a_fault_is_placed_in_the_text_as_sent(store: EmbeddedStore) -> None:
    faulty = DOUBLE.replace("AS ?t", "AS 1")
    with pytest.raises(QuerySyntaxError) as caught:
        store.update(faulty)
    with pytest.raises(SyntaxError, match=f"1:{caught.value.column}"):
        store.engine.update(faulty)


@pytest.mark.parametrize(
    "update", [START, "INSERT DATA { <a:s> <a:p> 'concat' }", DOUBLE.replace("CONCAT", "STRBEFORE")]
)
def test_other_updates_are_not_changed(update: str) -> None:
    assert refusing_long_texts(update) == update
