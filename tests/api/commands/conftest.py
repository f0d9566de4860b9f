"""A data folder, and a server on it, for tests of commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.running import TOKEN, Served, start


@pytest.fixture
def folder(installed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(installed))
    return installed


@pytest.fixture
def server(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    served = start(folder, FRONTS="1", WORKERS="1")
    monkeypatch.setenv("DIPLOGRAPH_TOKEN", TOKEN)
    yield served
    served.stop()
