"""A folder of tables, and the rows that benchmarks are made of."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[3]


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
