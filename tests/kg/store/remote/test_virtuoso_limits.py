"""Results that Virtuoso stops or cuts at its own limits.

They have an engine of their own: on one that holds more, Virtuoso 7 cut half a million rows on their way
without a sign that the client could see.
"""

from __future__ import annotations

from contextlib import closing
from typing import Any

import pytest

from kg.errors import QueryStoppedError
from kg.rdf.formats import result_format
from kg.store.remote.client import RemoteStore

pytestmark = pytest.mark.server


class TestStoppedByVirtuoso:
    """A result that the engine stops or cuts at its own limit raises an error."""

    CROSS = "{ ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"

    @pytest.mark.parametrize(
        "query",
        [
            f"SELECT (COUNT(*) AS ?n) {CROSS}",
            # Rows that it began to send before its limit have no sign of it (docs/operations.md).
            f"CONSTRUCT {{ ?a ?b ?f }} {CROSS}",
        ],
    )
    def test_a_query_that_it_stops(self, virtuoso_engine: Any, query: str) -> None:
        url = f"{virtuoso_engine.query_url}?timeout=1000"
        with closing(RemoteStore(url, timeout=60)) as store, pytest.raises(QueryStoppedError) as caught:
            answer = store.query(query)
            list(answer.triples() if answer.kind == "graph" else answer.rows())
        assert "<sparql" not in str(caught.value)

    def test_rows_that_it_cuts(self, virtuoso_engine: Any) -> None:
        with closing(RemoteStore(f"{virtuoso_engine.query_url}?maxrows=10")) as store:
            with pytest.raises(QueryStoppedError):
                list(store.query("SELECT * { ?s ?p ?o }").rows())
            for form in ("xml", "csv"):
                with pytest.raises(QueryStoppedError):
                    list(store.query("SELECT * { ?s ?p ?o }").serialize(result_format("solutions", form)))
            assert len(list(store.query("SELECT * { ?s ?p ?o } LIMIT 9").rows())) == 9
