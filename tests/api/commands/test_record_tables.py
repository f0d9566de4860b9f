"""Tables of coding records on the command line: loaded, listed, rebuilt, checked, backed up and restored."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from api.commands.options import opened
from kg.reasoning import hermit
from kg.settings import Settings
from kg.table.current import current_tables, known_tables
from kg.terms import GRAPH
from tests.api.commands.test_cli import run
from tests.api.running import AUTHORITY, Served
from tests.kg.readers.conftest import gdelt_row

MINE = GRAPH + "mine"


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "20180101000000.export.CSV"
    path.write_text(gdelt_row() + "\n" + gdelt_row(id="900000002") + "\n", encoding="utf-8")
    return path


def graphs(folder: Path) -> list[str]:
    with opened(Settings(data=folder)) as store:
        return [one.graph for one in current_tables(store, folder / "tables")]


def files(folder: Path) -> list[Path]:
    return list((folder / "tables").glob("*"))


def test_the_life_of_a_table(
    folder: Path, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = run("load", "--yes", "--source", "mine", str(table))
    assert loaded.exit_code == 0, loaded.output
    (file,) = files(folder)
    assert file.stem == loaded.stdout.strip()
    listed = run("tables").stdout.splitlines()
    assert [line.split() for line in listed if "graph:mine" in line] == [
        ["graph:mine", file.stem, "2", f"{file.stat().st_size:,}", "yes"]
    ]

    # A backup carries the table, and its checksums.
    assert run("backup", str(tmp_path / "copy")).exit_code == 0
    assert f"tables/{file.name}" in (tmp_path / "copy" / "SHA256SUMS").read_text(encoding="utf-8")
    restored = tmp_path / "restored"
    assert run("restore", "--data", str(restored), str(tmp_path / "copy")).exit_code == 0
    assert graphs(restored) == [MINE]
    assert files(restored)[0].read_bytes() == file.read_bytes()
    copied = tmp_path / "copy" / "tables" / file.name
    damaged = bytearray(copied.read_bytes())
    damaged[30] ^= 1
    copied.unlink()
    copied.write_bytes(damaged)
    refused = run("restore", "--data", str(tmp_path / "third"), str(tmp_path / "copy"))
    assert refused.exit_code == 3
    assert f"tables/{file.name}" in refused.stderr

    # A table that was tampered with is found, and written anew.
    other = tmp_path / "20180102000000.export.CSV"
    other.write_text(gdelt_row(id="900000003") + "\n", encoding="utf-8")
    monkeypatch.setattr(hermit.shutil, "which", lambda name: None)
    assert run("load", "--yes", "--source", "other", str(other)).exit_code == 0
    file.write_bytes(damaged)
    checked = run("check")
    assert checked.exit_code == 1
    assert "Table: graph:other: 1 records, says the same as the graph" in checked.stdout
    assert f"table of graph:mine: {file.name} was changed" in checked.stderr
    rebuilt = run("tables", "--rebuild", "graph:mine")
    assert rebuilt.exit_code == 0, rebuilt.output
    assert "graph:mine: 2 records" in rebuilt.stderr
    assert file not in files(folder)
    assert sorted(graphs(folder)) == [MINE, GRAPH + "other"]


def test_a_load_as_quads_is_turned_over_by_command(folder: Path, table: Path) -> None:
    assert run("load", "--yes", "--records", "quads", "--source", "mine", str(table)).exit_code == 0
    assert files(folder) == []
    assert "no: it was loaded without a table" in run("tables").stdout
    assert run("tables", "--rebuild").exit_code == 0
    assert graphs(folder) == [MINE]
    assert run("load", "--records", "rows", str(table)).exit_code == 2


def test_through_a_server(folder: Path, server: Served, table: Path) -> None:
    assert run("load", "--yes", "--source", "mine", str(table)).exit_code == 0
    assert run("load", "--yes", "--records", "quads", "--source", "plain", str(table)).exit_code == 0
    assert len(files(folder)) == 1
    assert graphs(folder) == [MINE]
    update = f"INSERT DATA {{ GRAPH <{MINE}> {{ <x:s> <x:p> 1 }} }}"
    assert server.update(update).status_code == 204
    assert graphs(folder) == []
    assert "no: the graph was changed at" in run("tables", "mine").stdout
    assert run("tables", "--rebuild", "mine").exit_code == 0
    assert graphs(folder) == [MINE]
    wrong = httpx.post(
        f"{server.url}/load", params={"name": "x.csv", "records": "rows"}, content=b"x", headers=AUTHORITY
    )
    assert wrong.status_code == 400
    assert "both or quads" in wrong.text
    assert httpx.get(f"{server.url}/health").status_code == 200
    with opened(Settings(data=folder)) as store:
        assert len(known_tables(store)) == 2
