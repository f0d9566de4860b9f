"""`diplograph index` and `diplograph search`: the index lies in the data folder and can be made anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import main


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "data").mkdir()
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(tmp_path / "data"))
    return tmp_path / "data"


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(main, list(arguments))
    assert result.exit_code == 0, result.output
    return result


def test_search_keeps_its_index_in_the_data_folder(folder: Path) -> None:
    assert "country/irn" in run("search", "irn").stdout
    assert (folder / "search.sqlite").is_file()
    assert "country/irn" in run("search", "irân").stdout


def test_the_index_is_made_anew_by_command(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(installed))
    first = run("index").stdout
    names = int(first.split()[0].replace(",", ""))
    assert names > 500 and "names are indexed" in first
    for ending in ("", "-wal", "-shm"):
        (installed / f"search.sqlite{ending}").unlink(missing_ok=True)
    (installed / "search.sqlite").write_bytes(b"damaged")
    assert run("index").stdout == first
    assert "country/irn" in run("search", "iran").stdout
