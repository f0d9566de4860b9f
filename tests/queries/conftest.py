"""The stores that the questions are asked of."""

from __future__ import annotations

import pyoxigraph
import pytest

from kg.store import EmbeddedStore
from tests.queries.asking import CATALOGUE, FIXTURES


@pytest.fixture(scope="module")
def article(article_store: EmbeddedStore) -> pyoxigraph.Store:
    return article_store.engine


@pytest.fixture(scope="module")
def everything(article: pyoxigraph.Store) -> pyoxigraph.Store:
    """The article and every fixture that a question names."""
    store = pyoxigraph.Store()
    store.bulk_extend(article)
    for name in sorted({question.fixture for question in CATALOGUE.values()} - {"article"}):
        store.load(path=FIXTURES / name)
    return store
