"""A folder of tables, and the rows that benchmarks are made of."""

from __future__ import annotations

import importlib.util
import re
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.readers.archives import parts
from kg.readers.detect import choose_parts, find_reader, has_rdf_media_type

ROOT = Path(__file__).parents[3]


def test_a_folder_of_days(tmp_path, read_table, row) -> None:
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "1.CSV").write_text(row(), encoding="utf-8")
    (folder / "2.CSV").write_text(f"{row(id='2')}\n{row(id='3', goldstein='x')}", encoding="utf-8")
    read = read_table(folder)
    assert len(read.rows) == 2
    assert [(fault.file, fault.line) for fault in read.faults] == [("days/2.CSV", 2)]


def test_what_lies_beside_tables_is_left_out_and_told(tmp_path, row) -> None:
    """As a download of GDELT leaves it: a list of files, a read-me, an empty file, a mark of Spark."""
    folder = tmp_path / "days"
    folder.mkdir()
    (folder / "20180101.export.CSV").write_text(row(), encoding="utf-8")
    (folder / "20180102.export.CSV").write_text("", encoding="utf-8")
    (folder / "lastupdate.txt").write_text("318084 6a9d http://data.example/20180101.export.CSV.zip\n")
    (folder / "README.md").write_text("# What this is\n\nRows, and what they mean.\n")
    (folder / "_SUCCESS").write_bytes(b"")
    (folder / "part-00000").write_text(row(id="2"), encoding="utf-8")
    (folder / "book.pdf").write_bytes(b"%PDF-1.7\n\0")
    reader = find_reader(folder, None, "days")
    assert reader is not None and reader.name == "gdelt"
    chosen, left = choose_parts(reader, list(parts(folder, "days")))
    assert [part.name for part in chosen] == ["days/20180101.export.CSV", "days/part-00000"]
    assert dict(left) == {
        "days/20180102.export.CSV": "it is empty",
        "days/_SUCCESS": "it is empty",
        "days/lastupdate.txt": "it is not a table of gdelt",
        "days/README.md": "it is not a table of gdelt",
        "days/book.pdf": "it is not a table of gdelt",
    }


def test_tables_of_two_formats_are_named_with_the_option_that_chooses(tmp_path, row) -> None:
    path = tmp_path / "both.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.export.CSV", row())
        archive.writestr("events.csv", "label,actors,type\nTalks,IRN,043\n")
    with pytest.raises(UnsupportedFormatError, match=r"a\.export\.CSV \(gdelt\) and .*events\.csv") as caught:
        find_reader(path, None, "both.zip")
    assert "--format gdelt" in str(caught.value.mend)
    reader = find_reader(path, "gdelt", "both.zip")
    assert reader is not None
    chosen, left = choose_parts(reader, list(parts(path, "both.zip")))
    assert [part.inside for part in chosen] == ["a.export.CSV"]
    assert left == [("both.zip/events.csv", "it is a table of events")]


@pytest.mark.parametrize(
    ("name", "data", "says", "mend"),
    [
        ("a.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook", ".xlsx"),
        ("a.rds", b"X\n\0\0\0\x03", "R data file", "write.csv"),
        ("a.dta", b"<stata_dta><header>", "Stata", "export delimited"),
        ("a.csv", b"<!doctype html><html>", "web page", "itself"),
        ("a.7z", b"7z\xbc\xaf\x27\x1c\0", "7z archive", "Unpack"),
        ("a.csv", b"a,b\rc,d\re,f\r", "carriage returns", "CSV UTF-8"),
        ("a.csv", b"one column\n1\n2\n", "1 column", "--format|format"),
        ("a.csv", b"a,b\n\0,d\n", "NUL", "text file"),
        ("a.csv", b"rcid,ccode,vote,session,date\n1,2,3,4,5\n", "for unga-votes they lack", "format"),
    ],
)
def test_what_is_not_read_is_named_with_a_way_out(tmp_path, name, data, says, mend) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises((DataSyntaxError, UnsupportedFormatError), match=says) as caught:
        find_reader(path, None, name)
    assert re.search(mend, str(caught.value.mend))


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


@pytest.mark.parametrize(
    ("media_type", "is_rdf"),
    [
        ("application/vnd.apache.parquet", False),
        ("application/x-ndjson", False),
        ("text/csv", False),
        ("text/turtle", True),
        ("p", True),
    ],
)
def test_a_body_without_an_ending_is_known_by_its_media_type(media_type: str, is_rdf: bool) -> None:
    assert has_rdf_media_type("body", media_type) is is_rdf
