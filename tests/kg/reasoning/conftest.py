"""What the tests of reasoning share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kg.ontology import reference_graphs
from kg.store import EmbeddedStore
from kg.terms import GRAPH_ONTOLOGY
from tests.kg.reasoning.graphs import named, put


@pytest.fixture
def small() -> Iterator[EmbeddedStore]:
    """The ontology alone."""
    store = EmbeddedStore()
    put(store, named(reference_graphs()[GRAPH_ONTOLOGY]), graph=GRAPH_ONTOLOGY)
    yield store
    store.close()
