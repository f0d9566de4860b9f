"""Tables of GDELT, ICEWS and POLECAT as programs save them give what the published form gives."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import openpyxl
import pytest

from kg.errors import DataSyntaxError
from kg.readers.cells.columns import MISSING
from kg.readers.gdelt.code_columns import NAMES
from kg.terms import ID
from tests.kg.readers.conftest import Outcome, gdelt_row

ROWS = [
    gdelt_row().split("\t"),
    gdelt_row(
        id="900000002", a1="GOV", a1name='the "wise", men; and | others', a1country="", a1type="GOV"
    ).split("\t"),
    gdelt_row(id="900000003", code="174", family="17", quad="4", goldstein="-5.0", url="").split("\t"),
]
SWAPPED = [name.replace("Actor1", "X").replace("Actor2", "Actor1").replace("X", "Actor2") for name in NAMES]


def arranged(names: list[str], rows: list[list[str]] = ROWS) -> list[list[str]]:
    places = [NAMES.index(name) if name in NAMES else -1 for name in names]
    return [[row[at] if at >= 0 else "extra" for at in places] for row in rows]


def write(rows: list[list[str]], separator: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=quoting, lineterminator="\n").writerows(rows)
    return out.getvalue().encode()


def lines(rows: list[list[str]], end: str = "") -> bytes:
    return "".join("\t".join(row) + end + "\n" for row in rows).encode()


HEAD = [list(NAMES)]
NAMED = HEAD + ROWS
NUMBERED = [[str(number), *row] for number, row in enumerate(ROWS, 1)]
FORMS: dict[str, tuple[str, bytes]] = {
    "tab with header": ("t.tsv", lines(NAMED)),
    "comma": ("t.csv", write(NAMED)),
    "semicolon": ("t.csv", write(NAMED, ";")),
    "pipe": ("t.txt", write(NAMED, "|")),
    "comma without header": ("t.csv", write(ROWS)),
    "pipe without header": ("part-00000", write(ROWS, "|")),
    "every cell quoted": ("t.csv", write(NAMED, ",", csv.QUOTE_ALL)),
    "every cell quoted, tab": ("t.tab", write(NAMED, "\t", csv.QUOTE_ALL)),
    "texts quoted, tab, without header": ("t.txt", write(ROWS, "\t", csv.QUOTE_ALL)),
    "trailing tab": ("t.CSV", lines(ROWS, "\t")),
    "trailing tab with header": ("t.CSV", lines(NAMED, "\t")),
    "trailing tab but in the header": ("t.CSV", lines(HEAD) + lines(ROWS, "\t")),
    "index of pandas": ("t.csv", write([["", *NAMES], *NUMBERED])),
    "index without header": ("t.csv", write(NUMBERED)),
    "names of rows of R": ("t.tsv", write(HEAD + NUMBERED, "\t", csv.QUOTE_ALL)),
    "other order": ("t.csv", write([list(reversed(NAMES)), *arranged(list(reversed(NAMES)))])),
    "actors swapped": ("t.tsv", lines([SWAPPED, *arranged(SWAPPED)])),
    "lower case": ("t.csv", write([[name.lower() for name in NAMES], *ROWS])),
    "R's dots": ("t.csv", write([[name.replace("_", ".") for name in NAMES], *ROWS])),
    "snake case": ("t.csv", write([[name.replace("Code", "_code") for name in NAMES], *ROWS])),
    "byte order mark and CRLF": ("t.csv", b"\xef\xbb\xbf" + write(NAMED, ";").replace(b"\n", b"\r\n")),
    "JSON lines": (
        "t.jsonl",
        b"".join(json.dumps({k: v for k, v in zip(NAMES, r) if v}).encode() + b"\n" for r in ROWS),  # noqa: B905
    ),
    "whole numbers of pandas": (
        "t.csv",
        write([*HEAD, *([f"{c}.0" if at in (0, 25, 31, 51) else c for at, c in enumerate(r)] for r in ROWS)]),
    ),
}  # fmt: skip


def read_bytes(tmp_path: Path, name: str, data: bytes) -> Outcome:
    path = tmp_path / name
    path.write_bytes(data)
    return Outcome(path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    read = read_bytes(tmp_path_factory.mktemp("original"), "t.export.CSV", lines(ROWS))
    assert (read.faults, len(read.rows)) == ([], 3)
    return read.data


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same(tmp_path: Path, original: bytes, form: str) -> None:
    read = read_bytes(tmp_path, *FORMS[form])
    assert read.faults == []
    assert read.reader.name == "gdelt"
    assert read.data == original
    assert (read.job.rows.read, read.job.rows.stored, read.job.rows.left_out) == (3, 3, 0)


def test_who_acts_is_read_from_the_name_of_the_column(tmp_path: Path) -> None:
    """With the columns of the actors swapped, the United States still act towards Iran."""
    read = read_bytes(tmp_path, *FORMS["actors swapped"])
    assert read.value("record/gdelt-900000001", "dg:codedActor") == f"{ID}country/usa"
    assert read.value("record/gdelt-900000001", "dg:codedRecipient") == f"{ID}country/irn"


def test_a_workbook_and_parquet(tmp_path: Path, original: bytes) -> None:
    book = openpyxl.Workbook()
    for row in NAMED:
        book.active.append(row)
    book.save(tmp_path / "t.xlsx")
    assert Outcome(tmp_path / "t.xlsx").data == original
    (tmp_path / "t.csv").write_bytes(write(NAMED))
    path = tmp_path / "t.parquet"
    duckdb.sql(f"COPY (FROM read_csv('{tmp_path / 't.csv'}', all_varchar = true)) TO '{path}'")
    assert Outcome(path).data == original
    path.write_bytes(path.read_bytes()[:-40] + b"\0" * 40)
    with pytest.raises(DataSyntaxError, match="Parquet"):
        Outcome(path)


def test_lists_of_parquet_are_several_values(tmp_path: Path) -> None:
    path = tmp_path / "mine.parquet"
    cells = "'Talks' AS label, 'CONSULT' AS type, DATE '2018-01-05' AS date"
    rows = "(1, ['IRN', 'USA'], 'Doha'), (2, ['IRN; USA'], 'Doha')"
    duckdb.sql(f"COPY (SELECT {cells}, * FROM (VALUES {rows}) AS t(id, actors, place)) TO '{path}'")
    read = Outcome(path)
    assert read.values("event/mine-1", "dg:actor") == [f"{ID}country/irn", f"{ID}country/usa"]
    (fault,) = read.faults
    assert (fault.line, fault.column) == (3, "actors")
    assert "a list" in fault.reason


def test_sheets_with_the_same_columns_are_read_and_others_told(tmp_path: Path, original: bytes) -> None:
    book = openpyxl.Workbook()
    sheets = {"Sheet": NAMED[:3], "February": [NAMED[0], NAMED[3]], "Notes": [["by", "when"], ["me", "now"]]}
    for title, rows in sheets.items():
        sheet = book.active if title == "Sheet" else book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    book.save(tmp_path / "t.xlsx")
    read = Outcome(tmp_path / "t.xlsx")
    assert len(read.rows) == 3
    (note,) = read.notes.of("file")
    assert "Notes" in note.text and "2 rows" in note.text


SUBSET = ["GLOBALEVENTID", "SQLDATE", "Actor1CountryCode", "Actor2CountryCode", "EventCode", "AvgTone"]


def test_a_subset_gives_what_is_there_and_tells_once_what_is_not(tmp_path: Path) -> None:
    read = read_bytes(tmp_path, "t.csv", write([SUBSET, *arranged(SUBSET)]))
    assert read.faults == []
    assert read.value("record/gdelt-900000001", "dg:codedActor") == f"{ID}country/usa"
    assert read.value("record/gdelt-900000001", "dg:codedRecipient") == f"{ID}country/irn"
    assert read.value("record/gdelt-900000001", "dg:eventType") == f"{ID}event-type/cameo-043"
    assert read.values("record/gdelt-900000001", "dg:goldstein") == []
    (note,) = read.notes.of("column")
    assert "6 of the 61 columns" in note.text and "MonthYear" in note.text


@pytest.mark.parametrize("name", ["GLOBALEVENTID", "SQLDATE", "EventCode"])
def test_a_table_without_a_needed_column_is_refused(tmp_path: Path, name: str) -> None:
    names = [one for one in SUBSET if one != name]
    with pytest.raises(DataSyntaxError, match=f"no column {name}") as caught:
        read_bytes(tmp_path, "t.csv", write([names, *arranged(names)]))
    assert caught.value.where == "t.csv, line 1"
    assert caught.value.mend


def test_further_columns_are_told_and_repeated_ones_refused(tmp_path: Path, original: bytes) -> None:
    names = ["Comment", *NAMES, "Count"]
    read = read_bytes(tmp_path, "t.csv", write([names, *arranged(names)]))
    assert read.data == original
    (note,) = read.notes.of("column")
    assert "Comment, Count" in note.text
    names = [*NAMES, "SQLDATE"]
    with pytest.raises(DataSyntaxError, match="SQLDATE stands twice in the header, as columns 2 and 62"):
        read_bytes(tmp_path, "t.csv", write([names, *arranged(names)]))


def test_names_of_the_r_package(tmp_path: Path) -> None:
    names = ["idGlobalEvent", "dateEvent", "codeEvent", "codeActor1", "nameActor1", "codeISOActor1"]
    rows = [["900000001", "2018-01-01", "043", "IRN", "IRAN", "IRN"]]
    read = read_bytes(tmp_path, "t.csv", write([names, *rows]))
    assert read.value("record/gdelt-900000001", "dg:codedActor") == f"{ID}country/irn"
    assert read.value("record/gdelt-900000001", "dg:time") == f"{ID}time/2018-01-01"


def test_version_1_is_known_by_its_header(tmp_path: Path) -> None:
    names = [name for name in NAMES if "ADM2" not in name]
    read = read_bytes(tmp_path, "t.csv", write([names, *arranged(names)]))
    assert read.reader.name == "gdelt1"
    assert {row.iri for row in read.rows} == {f"{ID}record/gdelt1-90000000{n}" for n in (1, 2, 3)}


@pytest.mark.parametrize("word", sorted(MISSING))
@pytest.mark.parametrize("make", [lines, write])
def test_words_for_missing_values(
    tmp_path: Path, original: bytes, word: str, make: Callable[[list[list[str]]], bytes]
) -> None:
    """They give what an empty cell gives, and are counted by column."""
    rows = [[cell or word for cell in row] for row in ROWS]
    read = read_bytes(tmp_path, "t.csv", make(HEAD + rows))
    assert read.data == original
    counts = {note.text: (note.count, note.line) for note in read.notes.of("missing value")}
    assert counts[f"{word} was read as missing in Actor1EthnicCode"] == (3, 2)
    assert sum(count for count, _ in counts.values()) == sum(not cell for row in ROWS for cell in row)


def test_lines_of_rows_after_cells_of_several_lines(tmp_path: Path) -> None:
    rows = [
        ROWS[0],
        [c if at != 6 else "of\ntwo" for at, c in enumerate(ROWS[1])],
        [*ROWS[2][:26], "x", *ROWS[2][27:]],
    ]
    read = read_bytes(tmp_path, "t.csv", write(HEAD + rows))
    assert [row.line for row in read.rows] == [2, 3]
    assert [(fault.line, fault.column) for fault in read.faults] == [(5, "EventCode")]
    assert read.value("record/gdelt-900000002", "dg:actorName") == "of two"
    assert (read.job.rows.read, read.job.rows.stored, read.job.rows.left_out) == (3, 2, 1)
