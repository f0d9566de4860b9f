"""Bad files for every reader: refused, or reported with line, column and reason; a bad row gives nothing."""

from __future__ import annotations

import gzip
import json
import re
import zipfile
from pathlib import Path

import openpyxl
import pytest

from kg.errors import DiplographError, TooLargeError
from kg.readers.gdelt.code_columns import NAMES
from kg.readers.gdelt.mentions import COLUMNS as MENTIONS
from kg.readers.icews import COLUMNS as ICEWS
from kg.readers.polecat import COLUMNS as POLECAT
from tests.kg.readers.conftest import Outcome, gdelt_row

MENTION = {
    "GlobalEventID": "7", "EventTimeDate": "20180101000000", "MentionTimeDate": "20180101001500",
    "MentionIdentifier": "https://news.example/a",
}  # fmt: skip
NAMED = {"Event ID": "7", "Event Date": "2018-01-01", "CAMEO Code": "043", "Source Name": "Iran"}
CODED = {"Event ID": "7", "Event Date": "2018-01-01", "Event Type": "CONSULT", "Actor Name": "Iran"}
TABLES = {
    "gdelt": (list(NAMES), gdelt_row(id="7").replace("Tehran, ", "").split("\t")),
    "gdelt-mentions": (list(MENTIONS), [MENTION.get(name, "") for name in MENTIONS]),
    "icews": (list(ICEWS), [NAMED.get(name, "") for name in ICEWS]),
    "polecat": (list(POLECAT), [CODED.get(name, "") for name in POLECAT]),
    "events": (["label", "actors", "type", "date"], ["Talks", "IRN", "043", "2018-01-01"]),
}
pytestmark = pytest.mark.parametrize("form", TABLES)


def text(form: str, *rows: list[str], separator: str = ",") -> str:
    return "".join(separator.join(f'"{c}"' for c in row) + "\n" for row in (TABLES[form][0], *rows))


def read(tmp_path: Path, form: str, data: bytes, name: str = "a.csv") -> Outcome:
    path = tmp_path / name
    path.write_bytes(data)
    return Outcome(path, form)


def refused(tmp_path: Path, form: str, data: bytes, name: str = "a.csv") -> DiplographError:
    with pytest.raises(DiplographError) as caught:
        read(tmp_path, form, data, name)
    assert caught.value.mend and caught.value.where and caught.value.where.startswith("a.csv")
    return caught.value


def test_a_good_row(tmp_path: Path, form: str) -> None:
    for separator in ",;\t|":
        done = read(tmp_path, form, text(form, TABLES[form][1], separator=separator).encode())
        assert (done.faults, done.job.rows.read, done.job.rows.stored) == ([], 1, 1)


def test_empty(tmp_path: Path, form: str) -> None:
    assert "empty" in refused(tmp_path, form, b"").detail
    assert "empty" in refused(tmp_path, form, b"\n \n").detail


def test_only_a_header(tmp_path: Path, form: str) -> None:
    done = read(tmp_path, form, text(form).encode())
    assert (done.faults, done.job.rows.read) == ([], 0)
    assert not [record for record in done.records if record.line]


def test_one_column(tmp_path: Path, form: str) -> None:
    try:
        done = read(tmp_path, form, b"x\ny\nz\n")
    except DiplographError as error:
        assert "no column" in error.detail and error.where == "a.csv, line 1"
    else:
        assert [fault.line for fault in done.faults] == [1, 2, 3]
        assert "1 columns in place of" in done.faults[0].reason
        assert (done.job.rows.read, done.job.rows.left_out) == (3, 3)


@pytest.mark.parametrize("numbers", [["1"], []], ids=["numbered", "unnumbered"])
def test_cells_separated_by_spaces(tmp_path: Path, form: str, numbers: list[str]) -> None:
    """R's write.table with its defaults, and without the numbers of rows."""
    header, row = TABLES[form]
    lines = [" ".join(f'"{cell}"' for cell in cells) for cells in (header, [*numbers, *row])]
    for named in (form, None):
        with pytest.raises(DiplographError, match="separated by spaces") as caught:
            path = tmp_path / "a.txt"
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            Outcome(path, named)
        assert "row.names = FALSE" in (caught.value.mend or "") and caught.value.where == "a.txt"


def test_ten_thousand_columns(tmp_path: Path, form: str) -> None:
    names, row = TABLES[form]
    more = [f"c{n}" for n in range(10_000)]
    data = (",".join([*names, *more]) + "\n" + ",".join([*row, *more]) + "\n").encode()
    if form == "events":
        assert "the column c0 is unknown" in refused(tmp_path, form, data).detail
    else:
        done = read(tmp_path, form, data)
        (note,) = done.notes.of("column")
        assert "and 9988 more" in note.text
        assert done.job.rows.stored == 1


def test_a_row_of_50_mb(tmp_path: Path, form: str) -> None:
    error = refused(tmp_path, form, text(form, TABLES[form][1]).encode() + b"x" * 50_000_000)
    assert (error.line, "longer than" in error.detail) == (3, True)


@pytest.mark.parametrize(
    ("byte", "says"),
    [(b"\0", "U+0000"), (b"\x0b", "U+000B"), (b"\xff", "0xFF is not UTF-8"), (b"\xef\xbf\xbe", "U+FFFE")],
)
def test_bytes_that_are_no_text_far_down_in_the_file(
    tmp_path: Path, form: str, byte: bytes, says: str
) -> None:
    """A NUL near the beginning makes it a binary file; below that it spoils one row, as others do."""
    head, good = (",".join(row).encode() for row in TABLES[form])
    count = 1_100_000 // len(good) if byte == b"\0" else 3
    data = b"\n".join([head, *[good] * count, good.replace(b",", b"," + byte, 1), b""])
    done = read(tmp_path, form, data)
    (fault,) = done.faults
    assert (fault.line, fault.column) == (count + 2, "2")
    assert says in fault.reason
    rows = done.job.rows
    assert (rows.read, rows.stored, rows.left_out) == (count + 1, 1, count)


def test_utf_16(tmp_path: Path, form: str) -> None:
    error = refused(tmp_path, form, text(form, TABLES[form][1]).encode("utf-16"))
    assert "UTF-16" in error.detail and "UTF-8" in str(error.mend)


@pytest.mark.parametrize("code", ["utf-16-le", "utf-16-be", "utf-32"])
def test_other_encodings(tmp_path: Path, form: str, code: str) -> None:
    error = refused(tmp_path, form, text(form, TABLES[form][1]).encode(code))
    assert f"UTF-{code[4:6]}" in error.detail and "UTF-8" in str(error.mend)


def test_nul_at_the_beginning(tmp_path: Path, form: str) -> None:
    error = refused(tmp_path, form, text(form, TABLES[form][1]).encode() + b"ab\0\n")
    assert (error.line, error.where) == (3, "a.csv, line 3, byte 3")


def rows_of_json(form: str) -> bytes:
    names, row = TABLES[form]
    return json.dumps(dict(zip(names, row, strict=True))).encode() + b"\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[" * 100_000, "too deep"),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "too deep"),
        (b"[1]", "not a JSON object"),
        (b'{"label": 1', "not JSON"),
        (b'{"label": 1' + b"0" * 5_000 + b"}", "not JSON"),
        (None, "U+D800"),
        (None, "U+0000"),
    ],
)
def test_bad_lines_of_json(tmp_path: Path, form: str, line: bytes | None, says: str) -> None:
    good = rows_of_json(form)
    bad = good.replace(b': "', b': "\\u' + says[2:].encode(), 1) if line is None else line
    done = read(tmp_path, form, good + bad + b"\n", "a.jsonl")
    (fault,) = done.faults
    assert (fault.line, says in fault.reason) == (2, True)
    assert (done.job.rows.read, done.job.rows.stored) == (2, 1)


def test_a_list_of_objects(tmp_path: Path, form: str) -> None:
    error = refused(tmp_path, form, b"[" + rows_of_json(form).strip() + b"]", "a.csv.json")
    assert "list of JSON objects" in error.detail and "one object per line" in str(error.mend)


def test_json_without_the_columns(tmp_path: Path, form: str) -> None:
    wide = json.dumps({f"c{n}": n for n in range(10_000)}).encode() + b"\n"
    for data in (b'{"a": 1}\n', wide):
        assert "no column" in refused(tmp_path, form, data, "a.csv.jsonl").detail


def test_a_cell_without_end_is_not_repeated_in_the_message(tmp_path: Path, form: str) -> None:
    names, row = TABLES[form]
    wanted = row[0] if form == "gdelt-mentions" else "2018"
    at = next(at for at, cell in enumerate(row) if cell.startswith(wanted))
    for length, name in ((10_000, "a.csv"), (10_000, "a.jsonl"), (1_000_000, "a.jsonl")):
        bad = [*row[:at], "x" * length, *row[at + 1 :]]
        data = text(form, row, bad) if name == "a.csv" else ""
        data = data or "".join(json.dumps(dict(zip(names, one, strict=True))) + "\n" for one in (row, bad))
        done = read(tmp_path, form, data.encode(), name)
        (fault,) = done.faults
        assert fault.line == (3 if name == "a.csv" else 2)
        assert len(fault.reason) < 500
        assert (length > 100_000) == ("131,072 characters" in fault.reason)


def test_a_long_line_of_json(tmp_path: Path, form: str) -> None:
    """The first line may be longer than the sample by which a kind of file is found, and not without end."""
    wide = rows_of_json(form)[:-2] + b', "extra": "' + b"x" * 100_000 + b'"}\n'
    if form == "events":
        assert "the column extra is unknown" in refused(tmp_path, form, wide, "a.csv.jsonl").detail
    else:
        assert read(tmp_path, form, wide, "a.jsonl").job.rows.stored == 1
    error = refused(tmp_path, form, rows_of_json(form) + b"x" * 20_000_000, "a.csv.jsonl")
    assert (error.line, "longer than" in error.detail) == (2, True)


def test_a_workbook_with_a_wrong_range_of_cells(tmp_path: Path, form: str) -> None:
    """As some programs write it; openpyxl stops there unless it is told not to believe it."""
    book = openpyxl.Workbook()
    for row in TABLES[form]:
        book.active.append(row)
    book.save(tmp_path / "whole.xlsx")
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(tmp_path / "whole.xlsx") as whole, zipfile.ZipFile(path, "w") as out:
        for name in whole.namelist():
            out.writestr(name, re.sub(rb'(<dimension ref=")[A-Z0-9:]+', rb"\1A1:A1", whole.read(name)))
    done = Outcome(path, form)
    assert (done.faults, done.job.rows.read, done.job.rows.stored) == ([], 1, 1)


def test_a_workbook_that_is_a_bomb(tmp_path: Path, form: str) -> None:
    book = openpyxl.Workbook()
    book.save(tmp_path / "a.xlsx")
    with zipfile.ZipFile(tmp_path / "a.xlsx", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.bin", b"x" * 50_000_000)
    with pytest.raises(TooLargeError, match="unpacks from"):
        Outcome(tmp_path / "a.xlsx", form)


def test_half_a_gz(tmp_path: Path, form: str) -> None:
    packed = gzip.compress(text(form, *[TABLES[form][1]] * 5_000).encode())
    assert "cut off" in refused(tmp_path, form, packed[: len(packed) // 2], "a.csv.gz").detail


def test_a_bomb(tmp_path: Path, form: str) -> None:
    packed = gzip.compress(text(form, TABLES[form][1]).encode() + (b"x" * 4_000 + b"\n") * 10_000)
    assert "bomb" in refused(tmp_path, form, packed, "a.csv.gz").detail


def test_a_quotation_mark_that_is_not_closed(tmp_path: Path, form: str) -> None:
    data = text(form, TABLES[form][1]).encode() + b'"x,y\nz\n'
    assert refused(tmp_path, form, data).line == 3
