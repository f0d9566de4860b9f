"""Stores, applications and servers that tests share."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from api.app import create_app
from api.doors import home
from api.folder.data_folder import open_folder
from kg.load import install
from kg.settings import Settings
from kg.store import EmbeddedStore
from tests.live import serve_app

home.PATIENCE = 60.0

# Each server of a test is half a dozen processes; without bytecode on disk each compiles our modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Stores wait for the disk at each commit. A process that is killed loses nothing of what it has written to
# memory, so that tests need no disk where there is memory enough.
_IN_MEMORY = Path("/dev/shm")
if _IN_MEMORY.is_dir() and shutil.disk_usage(_IN_MEMORY).free > 4 << 30:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_IN_MEMORY))

# The files that take longest begin first, so that none of them is left for one worker at the end.
_LONGEST = (
    "test_engine_pages.py",
    "test_engines.py",
    "test_completeness.py",
    "test_front_processes.py",
    "test_durability.py",
    "test_load_worker.py",
    "test_serving.py",
    "test_bulk_changes.py",
    "test_plain_queries.py",
    "test_backups.py",
    "test_load_interrupts.py",
    "test_load_crash.py",
    "test_writer.py",
    "test_store.py",
    "test_virtuoso_limits.py",
    "test_contract.py",
    "test_cli.py",
    "test_piecewise.py",
    "test_protocol_suite.py",
    "test_openapi.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: place.get(item.path.name, len(place)))


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


@pytest.fixture(scope="session")
def copy_installed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """A function that makes a new data folder, as two openings leave an empty one, and returns its path."""
    installed = tmp_path_factory.mktemp("installed") / "data"
    # The second opening sorts what the first wrote to its log, which every later one would do otherwise.
    for _ in range(2):
        open_folder(Settings(data=installed)).close()

    def copy(folder: Path) -> Path:
        return Path(shutil.copytree(installed, folder))

    return copy


@pytest.fixture
def installed(tmp_path: Path, copy_installed: Callable[[Path], Path]) -> Path:
    """A data folder with the ontology, the countries and the article."""
    return copy_installed(tmp_path / "data")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path / "data", token="test-token")


@pytest.fixture
def app(store: EmbeddedStore, settings: Settings) -> Flask:
    return create_app(store, settings)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="module")
def reading_app(article_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Flask:
    folder = tmp_path_factory.mktemp("reading") / "data"
    return create_app(article_store, Settings(data=folder, token="test-token"))


@pytest.fixture
def reading(reading_app: Flask) -> FlaskClient:
    """A client of an application that other tests ask as well: it must change nothing."""
    return reading_app.test_client()


@pytest.fixture(scope="module")
def reading_server(reading_app: Flask) -> Iterator[str]:
    """The address of `reading_app` behind a real server."""
    with serve_app(reading_app) as url:
        yield url


@pytest.fixture
def live_server(app: Flask) -> Iterator[str]:
    """The address of `app` behind a real server on the loopback interface, without a slash at its end."""
    with serve_app(app) as url:
        yield url
