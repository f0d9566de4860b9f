"""Words for missing values and dates as people write them: read where they are clear, else asked."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from pyoxigraph import Literal

from kg.rdf import ntriples as nt
from kg.rdf.literals import literal_fault
from kg.readers.code_lookup import coordinate_fault
from kg.readers.icews import COLUMNS as ICEWS
from kg.readers.periods import period, written_day
from kg.readers.polecat import COLUMNS as POLECAT
from kg.readers.reading import NO_OPTIONS, CellOptions
from kg.resolver import Resolver
from kg.terms import ID, term
from tests.kg.readers.conftest import Outcome, gdelt_row

TABLES = Path(__file__).parents[3] / "fixtures" / "tables"
HEAD = ["label", "actors", "type", "date", "place", "id"]


def events(tmp_path: Path, *rows: list[str], cells: CellOptions = NO_OPTIONS) -> Outcome:
    out = io.StringIO()
    csv.writer(out).writerows([HEAD, *rows])
    path = tmp_path / "mine.csv"
    path.write_text(out.getvalue(), encoding="utf-8")
    return Outcome(path, cells=cells)


def test_na_is_namibia_and_told_unless_it_is_said_to_be_missing(tmp_path: Path) -> None:
    rows = [["Talks", f"IRN; {word}", "043", "", "", str(n)] for n, word in enumerate(["NA", "NA", "USA"])]
    read = events(tmp_path, *rows)
    assert read.values("event/mine-0", "dg:actor") == [f"{ID}country/irn", f"{ID}country/nam"]
    (note,) = read.notes.of("missing value")
    assert (note.count, note.line) == (2, 2)
    assert note.text.startswith("NA was read as ") and "nam" in note.text.lower()
    read = events(tmp_path, *rows, cells=CellOptions(frozenset({"NA"})))
    assert read.values("event/mine-0", "dg:actor") == [f"{ID}country/irn"]
    assert not read.notes.of("missing value")


@pytest.mark.parametrize(
    ("word", "column"),
    [
        (word, column)
        for word in ("NA", "N/A", "NULL", "\\N", "nan", "None", "-", "--", "-9", ".")
        for column in ("place", "label", "date", "actors")
        if (word, column) != ("NA", "actors")  # the code of Namibia, tested above
    ],
)
def test_nothing_is_called_by_a_word_for_missing(tmp_path: Path, word: str, column: str) -> None:
    row = ["Talks", "IRN", "043", "2018-01-01", "Doha", "a"]
    row[HEAD.index(column)] = word
    read = events(tmp_path, row)
    (fault,) = read.faults
    assert (fault.line, fault.column) == (2, column)
    assert "--missing" in fault.reason
    read = events(tmp_path, row, cells=CellOptions(frozenset({word})))
    assert f'"{word}"'.encode() not in read.data
    needed = column in ("label", "actors")
    assert [fault.reason for fault in read.faults] == (["the cell is empty"] if needed else [])


@pytest.mark.parametrize("word", ["NA", "NULL", "None", "\\N", "."])
def test_icews_and_polecat_call_nothing_by_such_a_word(tmp_path: Path, word: str) -> None:
    kept = {
        "icews": (
            ICEWS,
            {"Event ID": "1", "Event Date": "2018-01-01", "CAMEO Code": "043", "Source Name": "Iran"},
        ),
        "polecat": (
            POLECAT,
            {"Event ID": "1", "Event Date": "2018-01-01", "Event Type": "CONSULT", "Actor Name": "Iran"},
        ),
    }
    for form, (columns, values) in kept.items():
        path = tmp_path / f"{form}.tab"
        rows = [columns, [values.get(name, word) for name in columns]]
        path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
        read = Outcome(path)
        assert (read.reader.name, read.faults, len(read.rows)) == (form, [], 1)
        assert f'"{word}"'.encode() not in read.data
        noted = sum(note.count for note in read.notes.of("missing value"))
        assert noted == len(columns) - 4


def test_a_word_in_a_list_is_no_sector(tmp_path: Path) -> None:
    path = tmp_path / "a.tab"
    values = {
        "Event ID": "1", "Event Date": "2018-01-01", "CAMEO Code": "043", "Source Name": "Iran",
        "Source Sectors": "Government,NA",
    }  # fmt: skip
    rows = [ICEWS, [values.get(name, "") for name in ICEWS]]
    path.write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")
    assert Outcome(path).values("record/icews-1", "dg:actorSector") == ["Government"]


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("20170731", "2017-07-31", ""),
        ("2017-07-31", "2017-07-31", ""),
        ("2017-07-31 00:00:00.000", "2017-07-31", ""),
        ("2017-07-31T00:00:00Z", "2017-07-31", ""),
        ("2017-07-31T13:45:00+02:00", "2017-07-31", "13:45:00"),
        ("2017-07-31 13:45:00 UTC", "2017-07-31", "13:45:00"),
        ("20170731134500", "2017-07-31", "13:45:00"),
        ("2017/7/31", "2017-07-31", ""),
        ("30 June 2022", "2022-06-30", ""),
        ("30-Jun-2022", "2022-06-30", ""),
        ("30JUN2022", "2022-06-30", ""),
        ("June 30, 2022", "2022-06-30", ""),
        ("Sept. 1st, 2022", "2022-09-01", ""),
    ],
)
def test_days_that_have_one_reading(text: str, day: str, clock: str) -> None:
    found = written_day(text)
    assert not isinstance(found, str), found
    assert (found.day, found.clock) == (day, clock)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1/30/2018", "order of dates"),
        ("30.1.2018", "order of dates"),
        ("1/2/2018", "order of dates"),
        ("1/2/18", "two digits"),
        ("31 Feb 2018", "not a date"),
        ("30 Juni 2018", "not a date"),
        ("43130", "spreadsheet"),
        ("yesterday", "not a date"),
        ("Jan 2018", "has no day"),
        ("2018-01", "has no day"),
        ("2018", "has no day"),
        ("2018-02-30T00:00:00", "not a date"),
    ],
)
def test_days_that_are_not_read(text: str, says: str) -> None:
    found = written_day(text)
    assert isinstance(found, str)
    assert says in found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("3,5", "write 3.5 with a decimal point"),
        ("1,234", "write 1.234 with a decimal point or 1234 without separators"),
        ("1,234,567.5", "write 1234567.5 without separators"),
        ("1.234,5", "write 1234.5 without separators"),
        ("1 234 567", "write 1234567 without separators"),
        ("three", ""),
    ],
)
def test_numbers_as_people_write_them_get_a_hint(tmp_path: Path, text: str, says: str) -> None:
    for write in (nt.decimal, nt.integer):
        with pytest.raises(ValueError, match=r"is not a (whole )?number") as caught:
            write(text)
        assert says in str(caught.value)
    for kind in ("decimal", "double", "integer"):
        assert says in (literal_fault(Literal(text, datatype=term(f"xsd:{kind}"))) or "")
    assert says in (coordinate_fault(text, "1") or "")
    path = tmp_path / "a.export.CSV"
    path.write_text(gdelt_row(mentions=text))
    (fault,) = Outcome(path).faults
    assert fault.column == "NumMentions" and says in fault.reason


def test_the_order_of_day_and_month_is_what_people_say(tmp_path: Path) -> None:
    for order, day in (("mdy", "2018-01-02"), ("dmy", "2018-02-01")):
        read = events(tmp_path, ["T", "IRN", "043", "1/2/2018", "", "a"], cells=CellOptions(date_order=order))  # type: ignore[arg-type]
        assert read.value("event/mine-a", "dg:time") == f"{ID}time/{day}"
    assert isinstance(written_day("1/30/2018", "dmy"), str)
    assert not isinstance(written_day("1/30/2018 12:00 AM", "mdy"), str)
    (fault,) = events(tmp_path, ["T", "IRN", "043", "1/2/2018", "", "a"]).faults
    assert (fault.line, fault.column) == (2, "date") and "--date-order" in fault.reason


def test_a_month_by_its_name() -> None:
    found = period("June 2022")
    assert not isinstance(found, str)
    assert (found.slug, found.begin, found.end, found.precision) == (
        "2022-06",
        "2022-06-01",
        "2022-06-30",
        "month",
    )


@pytest.mark.parametrize("form", ["events", "gdelt", "acled"])
def test_times_of_day_and_years_out_of_reach_are_kept_in_view(tmp_path: Path, form: str) -> None:
    days = ["2017-07-31 13:45:00", "0025-01-01", "9999-12-31", "2018-01-01 00:00:00", "2017-07-31 13:45:00"]
    if form == "events":
        read = events(tmp_path, *(["T", "IRN", "043", day, "", str(n)] for n, day in enumerate(days)))
    elif form == "acled":
        header, row, *_ = csv.reader((TABLES / "acled.csv").read_text(encoding="utf-8").splitlines())
        path = tmp_path / "acled.csv"
        rows = [header, *([f"X{n}", day, *row[2:]] for n, day in enumerate(days))]
        path.write_text("\n".join("\t".join(cells) for cells in rows), encoding="utf-8")
        read = Outcome(path)
    else:
        path = tmp_path / "a.export.CSV"
        path.write_text("\n".join(gdelt_row(id=str(n), day=day) for n, day in enumerate(days, 1)))
        read = Outcome(path)
    assert read.faults == []
    first = 1 if form == "gdelt" else 2
    (dropped,) = read.notes.of("dropped value")
    assert (dropped.count, dropped.line) == (2, first) and "13:45" in dropped.text
    assert {(note.value, note.count) for note in read.notes.of("date")} == {("0025", 1), ("9999", 1)}


def test_a_month_is_not_out_of_reach(tmp_path: Path) -> None:
    assert not events(tmp_path, ["T", "IRN", "043", "Jan 2018", "", "a"]).notes.of("date")


def test_a_time_that_a_spreadsheet_rounded_is_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.export.CSV"
    path.write_text(
        "\n".join(gdelt_row(id=str(n), added="2.02E+13" if n > 1 else "20180101000000") for n in (1, 2, 3))
    )
    read = Outcome(path)
    (note,) = read.notes.of("dropped value")
    assert (note.count, note.line) == (2, 2)
    assert "DATEADDED" in note.text and "2.02E+13" in note.text
    assert read.values("record/gdelt-1", "dg:addedOn") and not read.values("record/gdelt-2", "dg:addedOn")


def test_a_place_with_two_points_keeps_the_first(tmp_path: Path) -> None:
    path = tmp_path / "a.export.CSV"
    place = "4\tTehran, Tehran, Iran\tIR\tIR26\t41130\t{}\t51.5148\t10074674"
    rows = [
        gdelt_row(id=str(n), place=place.format(lat)) for n, lat in enumerate(["35.75", "36.5", "35.75"], 1)
    ]
    path.write_text("\n".join(rows))
    read = Outcome(path)
    where = read.value("record/gdelt-2", "dg:codedPlace").removeprefix(ID)
    assert read.values(where, "dg:latitude") == ["35.75"]
    (note,) = read.notes.of("place")
    assert note.line == 2 and "point" in note.text


def coded(tmp_path: Path, form: str, day: str) -> Path:
    """A row about Yugoslavia and Iran, by code or name, and one of another day about Iran."""
    path = tmp_path / f"{form}.tab"
    if form == "gdelt":
        rows = [gdelt_row(id="1", day=day, a1="YUG", a1name="YUGOSLAVIA", a1country="YUG"), gdelt_row(id="2")]
        path.write_text("\n".join(rows), encoding="utf-8")
        return path
    columns, kind, who = {
        "icews": (ICEWS, {"CAMEO Code": "043"}, {"Source Name": "Yugoslavia"}),
        "polecat": (POLECAT, {"Event Type": "CONSULT"}, {"Actor Name": "Yugoslavia", "Country": "YUG"}),
    }[form]
    cells = [
        {"Event ID": "1", "Event Date": day, **kind, **who},
        {"Event ID": "2", "Event Date": day, **kind},
    ]
    rows = ["\t".join(columns), *("\t".join(row.get(name, "") for name in columns) for row in cells)]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["gdelt", "icews", "polecat"])
@pytest.mark.parametrize(
    ("day", "slug", "told"),
    [("1985-05-01", "cow-345", 0), ("1998-05-01", "srb", 0), ("2005-05-01", "srb", 1)],
)
def test_a_country_is_the_one_of_the_day(
    tmp_path: Path, reference: Resolver, form: str, day: str, slug: str, told: int
) -> None:
    read = Outcome(coded(tmp_path, form, day), who=reference)
    assert read.faults == []
    assert read.value(f"record/{form}-1", "dg:codedActor") == f"{ID}country/{slug}"
    notes = read.notes.of("country code")
    assert [note.line for note in notes] == [{"gdelt": 1}.get(form, 2)] * told * (
        2 if form == "polecat" else 1
    )
    assert all("until 2003-02-03" in note.text for note in notes)
