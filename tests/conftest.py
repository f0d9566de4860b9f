"""Stores, applications and servers that tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.doors import home
from kg.load import install
from kg.settings import Settings
from kg.store import EmbeddedStore
from tests.live import serve_app

home.PATIENCE = 60.0


@pytest.fixture(scope="session")
def article_store() -> Iterator[EmbeddedStore]:
    """The reference graphs and the article's, in memory; to be read only."""
    store = EmbeddedStore()
    install(store)
    yield store
    store.close()


@pytest.fixture
def store(article_store: EmbeddedStore) -> Iterator[EmbeddedStore]:
    """A copy of `article_store` that a test may change."""
    copy = EmbeddedStore()
    copy.engine.bulk_extend(article_store.engine)
    yield copy
    copy.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", token="test-token")


@pytest.fixture
def app(store: EmbeddedStore, settings: Settings) -> Flask:
    return create_app(store, settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The address of `app` behind a real server on the loopback interface, without a slash at its end."""
    with serve_app(app) as url:
        yield url
