"""What is remembered of a table has bounds; beyond them the graph gets the same statements all the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bench.rows import write_rows
from kg import load as loading
from kg.load import LoadRequest, Loads, Preview
from kg.rdf.sorted_lines import read_lines
from kg.store import EmbeddedStore

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED", Path(__file__).parents[4] / "shared")) / "data"


@pytest.fixture(scope="module")
def store() -> EmbeddedStore:
    store = EmbeddedStore()
    loading.install(store)
    return store


def staged(store: EmbeddedStore, root: Path, table: Path) -> tuple[Preview, list[bytes]]:
    folder, _ = Loads(root).new(table.name)
    preview = loading.prepare(store, folder, LoadRequest(table, table.name))
    return preview, sorted(line.rstrip() for line in read_lines(folder.added))


def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kg.load.staged.staging_tables._IDS", 20)
    monkeypatch.setattr("kg.load.staged.staging_tables._SHARED", 3)
    monkeypatch.setattr("kg.readers.reading._REMEMBERED", 25)
    monkeypatch.setattr("kg.readers.reading._BLOCK", 20_000)
    monkeypatch.setattr("kg.readers.code_lookup._CACHE_LIMIT", 10)
    monkeypatch.setattr("kg.readers.gdelt.code_columns._CACHE_LIMIT", 10)
    monkeypatch.setattr("kg.readers.grouping.RUN_BYTES", 5_000)


def check(store: EmbeddedStore, tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch) -> Preview:
    preview, lines = staged(store, tmp_path / "whole", table)
    assert preview.added == len(lines) == len(set(lines))
    small_bounds(monkeypatch)
    bounded, others = staged(store, tmp_path / "bounded", table)
    assert set(others) == set(lines)
    assert bounded.added == len(others) == len(lines)
    assert bounded.records == preview.records
    return bounded


def test_rows_of_gdelt(store, tmp_path, monkeypatch) -> None:
    table = tmp_path / "rows.csv"
    write_rows(table, 1_000)
    check(store, tmp_path, table, monkeypatch)


@pytest.mark.parametrize("name", ["gdelt/20180101000000.export.CSV", "gdelt/gdelt1_58col_sample.csv"])
def test_real_files(store, tmp_path, monkeypatch, name) -> None:
    if not (SHARED / name).exists():
        pytest.skip(f"{name} is not beside this checkout (set DIPLOGRAPH_SHARED to its folder)")
    check(store, tmp_path, SHARED / name, monkeypatch)


def test_identifiers_that_are_too_far_apart_are_joined(store, tmp_path, monkeypatch) -> None:
    """Beyond the bound a row with the same identifier goes to the same record; nothing is counted twice."""
    table = tmp_path / "rows.csv"
    write_rows(table, 300)
    text = table.read_text(encoding="utf-8")
    table.write_text(text + text, encoding="utf-8")
    whole, lines = staged(store, tmp_path / "whole", table)
    assert whole.records == 300
    monkeypatch.setattr("kg.readers.reading._BLOCK", 20_000)
    monkeypatch.setattr("kg.readers.gdelt.blocks._ASCENDING", 100)
    monkeypatch.setattr("kg.readers.gdelt.blocks._IN_NO_ORDER", 100)
    bounded, others = staged(store, tmp_path / "bounded", table)
    assert others == lines
    assert bounded.added == len(lines)


def test_what_is_noted_of_several_places_is_said_once(store, tmp_path) -> None:
    rows = tmp_path / "rows.csv"
    write_rows(rows, 200)
    cells = [line.split("\t") for line in rows.read_text(encoding="utf-8").splitlines()]
    placed = [row for row in cells if row[51] == "4"][:2]
    assert len(placed) == 2
    for number, row in enumerate(placed):
        # FIPS 10-4 has no country OS; GDELT gives it to oceans.
        row[52:55] = [f"Ocean {number}, Oceans", "OS", "OS00"]
        row[58] = str(9_000_000 + number)
    rows.write_text("".join("\t".join(row) + "\n" for row in placed), encoding="utf-8")
    preview, _ = staged(store, tmp_path / "loads", rows)
    assert [note for note in preview.notes if "OS" in note] == [
        "OS is not a country in the FIPS list, so the country is missing (2 rows, first on line 1)"
    ]
