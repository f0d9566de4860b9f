"""Readers bound to a store, and the rows that benchmarks are made of."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyoxigraph import BlankNode, Quad

from kg.errors import TooLargeError
from kg.ontology import reference_graphs
from kg.readers.detect import readers_of
from kg.readers.reading import Notes
from kg.store import EmbeddedStore, Store
from kg.terms import ID

ROOT = Path(__file__).parents[3]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = EmbeddedStore(tmp_path / "store")
    for graph, triples in reference_graphs().items():
        plain = [
            t for t in triples if not isinstance(t.subject, BlankNode) and not isinstance(t.object, BlankNode)
        ]
        store.change((), (Quad(t.subject, t.predicate, t.object, graph) for t in plain))
    yield store
    store.close()


def test_bound_readers_give_records_and_then_groups(tmp_path, store, row) -> None:
    path = tmp_path / "day.CSV"
    path.write_text("\n".join([row(), row(id="900000002"), row(id="900000003", day="x")]), encoding="utf-8")
    notes, faults = Notes(), []
    find = readers_of(store, tmp_path, notes)
    read = find(path, None, "day.CSV")
    assert read is not None
    records = list(read(path, "day.CSV", faults.append))
    assert [record.kind for record in records[-2:]] == ["CodingRecord", "RecordGroup"]
    assert [fault.column for fault in faults] == ["SQLDATE"]
    assert not (tmp_path / "grouping.sqlite").exists()
    assert find(path, "ttl", "day.CSV") is None
    assert records[0].iri == f"{ID}source/gdelt"


def test_a_reading_that_is_broken_off_leaves_nothing(tmp_path, store, row) -> None:
    path = tmp_path / "day.CSV"
    path.write_text("\n".join([row(), row(id="900000002", day="x")]), encoding="utf-8")

    def stop(fault: object) -> None:
        raise TooLargeError("enough")

    read = readers_of(store, tmp_path, Notes())(path, None, "day.CSV")
    with pytest.raises(TooLargeError):
        list(read(path, "day.CSV", stop))
    assert not (tmp_path / "grouping.sqlite").exists()


def test_a_folder_of_days(tmp_path, read_table, row) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.CSV").write_text(row(), encoding="utf-8")
    (folder / "2.CSV").write_text(f"{row(id='2')}\n{row(id='3', goldstein='x')}", encoding="utf-8")
    read = read_table(folder)
    assert len(read.rows) == 2
    assert [(fault.file, fault.line) for fault in read.faults] == [("days/2.CSV", 2)]


def test_rows_of_benchmarks(tmp_path, read_table) -> None:
    """The same rows each time, in the shape of GDELT, with the skew that is promised."""
    spec = importlib.util.spec_from_file_location("bench_rows", ROOT / "bench" / "rows.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    path = tmp_path / "rows.tsv"
    module.write_rows(path, 3000)
    assert list(module.rows(3000)) == path.read_text(encoding="utf-8").splitlines(keepends=True)
    read = read_table(path)
    assert (read.faults, len(read.rows)) == ([], 3000)
    cells = [line.rstrip("\n").split("\t") for line in module.rows(3000)]
    assert {len(row) for row in cells} == {61}
    frequent = {code for code, _, _ in module._FREQUENT}
    assert sum(bool({row[7], row[17]} & frequent) for row in cells) > len(cells) / 3
    repeated = Counter((row[1], *row[5:25], row[26], row[60]) for row in cells)
    assert 0.15 < sum(count - 1 for count in repeated.values()) / len(cells) < 0.25
