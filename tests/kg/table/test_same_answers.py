"""Random queries have the same answers from tables and from quads."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyoxigraph import NamedNode

from bench.rows import rows
from kg.load import store_load
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY
from tests.kg.load.desks import Desk
from tests.kg.table.both_ways import BothWays, open_both
from tests.kg.table.random_queries import RandomQuery
from tests.kg.table.rich_queries import RichQuery

QUERIES = 60
SOURCE = f"{GRAPH}rows"
# Share of the records that lack a property, in percent.
GAPS = {
    "codedQuadClass": 20,
    "goldstein": 25,
    "mentionCount": 10,
    "articleCount": 10,
    "averageTone": 15,
    "isRootEvent": 30,
    "codedPlace": 30,
    "addedOn": 20,
    "recipientName": 10,
}


@pytest.fixture(scope="module")
def both(article_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BothWays]:
    folder = tmp_path_factory.mktemp("both")
    store = EmbeddedStore()
    store.engine.bulk_extend(article_store.engine)
    desk = Desk(store, folder)
    load, _ = desk.preview("".join(rows(300)), "rows.export.CSV", source="rows")
    assert store_load(store, desk.loads, load) is not None
    random = Random(1)
    for quad in list(store.engine.quads_for_pattern(None, None, None, NamedNode(SOURCE))):
        missing = GAPS.get(quad.predicate.value.removeprefix(ONTOLOGY), 0)
        if str(quad.subject).startswith(f"<{ID}record/") and random.randrange(100) < missing:
            store.engine.remove(quad)
    found = open_both(folder, store.engine, SOURCE)
    store.close()
    yield found
    found.close()


@settings(max_examples=QUERIES, derandomize=True, database=None, deadline=None)
@given(seed=st.integers(0, 2**48))
def test_random_queries(both: BothWays, seed: int) -> None:
    for kind in (RandomQuery, RichQuery):
        query = kind(Random(seed))
        if both.is_routed(query.text):
            both.same(query.text)


def test_most_random_queries_are_routed(both: BothWays) -> None:
    routed = [both.is_routed(RandomQuery(Random(seed)).text) for seed in range(50)]
    assert routed.count(True) >= 40
