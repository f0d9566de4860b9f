"""ICEWS rows: names in place of codes."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kg.readers.icews import COLUMNS
from kg.terms import ID, term

RECORD = "record/icews-26001"
BASE = {
    "Event ID": "26001",
    "Event Date": "2014-03-05",
    "Source Name": "Iran",
    "Source Sectors": "",
    "Source Country": "Iran",
    "Event Text": "Meet at a place of one's own",
    "CAMEO Code": "043",
    "Intensity": "2.8",
    "Target Name": "Hassan Rouhani",
    "Target Sectors": "Executive,Government",
    "Target Country": "Iran",
    "Story ID": "777001",
    "Sentence Number": "3",
    "Publisher": "The Invented Times",
    "City": "Tehran",
    "District": "",
    "Province": "Ostan-e Tehran",
    "Country": "Iran",
    "Latitude": "35.6944",
    "Longitude": "51.4215",
}


def table(tmp_path: Path, *rows: dict[str, str], header: bool = True) -> Path:
    path = tmp_path / "events.2014.tab"
    lines = ["\t".join({**BASE, **row}[name] for name in COLUMNS) for row in rows]
    path.write_text("\n".join(["\t".join(COLUMNS)] * header + lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("header", [True, False])
def test_a_row_becomes_a_record(tmp_path, read_table, header) -> None:
    read = read_table(table(tmp_path, {}, header=header))
    assert not read.faults
    assert read.reader.name == "icews"
    assert read.value(RECORD, "rdf:type") == term("dg:CodingRecord").value
    assert read.value(RECORD, "dg:codedActor") == f"{ID}country/irn"
    assert read.value(RECORD, "dg:codedRecipient") == f"{ID}person/hassan-rouhani"
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-043"
    assert read.values(RECORD, "dg:recipientSector") == ["Executive", "Government"]
    assert Decimal(read.value(RECORD, "dg:goldstein")) == Decimal("2.8")
    assert read.value(RECORD, "dg:sentenceNumber") == "3"
    assert read.value(RECORD, "dg:time") == f"{ID}time/2014-03-05"
    place = read.value(RECORD, "dg:codedPlace").removeprefix(ID)
    assert read.value(place, "rdfs:label") == "Tehran, Ostan-e Tehran"
    assert read.value(place, "dg:latitude") == "35.6944"
    story = read.value(RECORD, "dg:codedFrom").removeprefix(ID)
    assert "The Invented Times" in read.value(story, "rdfs:label")
    (record,) = read.rows
    assert record.line == 1 + header


def test_one_event_id_can_stand_on_two_rows(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {}, {"CAMEO Code": "046", "Intensity": "7"}, {}))
    assert not read.faults
    assert len(read.rows) == 2
    assert len({record.iri for record in read.rows}) == 2
    assert Decimal(read.value(RECORD, "dg:goldstein")) == Decimal("2.8")
    assert [note.value for note in read.notes.of("repeated id")] == ["26001"]
    again = read_table(table(tmp_path, {}, {"CAMEO Code": "046", "Intensity": "7"}, {}))
    assert again.data == read.data


def test_lost_zeros(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"CAMEO Code": "43"}))
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-043"
    assert [note.value for note in read.notes.of("repaired code")] == ["43"]


def test_a_name_that_is_not_known_is_minted_for_its_country(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"Source Name": "Citizen (Iran)"}))
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert actor.startswith("actor/icews-")
    assert read.value(actor, "rdfs:label") == "Citizen (Iran)"
    assert read.value(actor, "dg:country") == f"{ID}country/irn"


def test_a_wire_service(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"Source Name": "Reuters", "Source Country": "United States"}))
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert read.values(actor, "dg:country") == []
    assert read.value(actor, "dg:codedCountry") == f"{ID}country/usa"
    assert [note.value for note in read.notes.of("wire service")] == ["Reuters"]


def variant(tmp_path: Path, header: list[str], row: list[str], form: str) -> Path:
    path = tmp_path / "events.1995.20150313082510.tab"
    lines = ["\t".join(form.format(cell) for cell in cells) for cells in (header, row)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("form", ["{}", '"{}"'], ids=["plain", "quoted"])
@pytest.mark.parametrize("more", [[], ["Event Sentence", "Version"]], ids=["20", "more"])
@pytest.mark.parametrize("lacking", ["", "CAMEO Code"], ids=["code", "text"])
def test_official_files_of_several_years(tmp_path, read_table, reference, form, more, lacking) -> None:
    """With or without the column of the code, quotes around cells, and further columns."""
    cells = {**BASE, "Event Text": "Make statement", "CAMEO Code": "010", "Target Name": "Iran"}
    header = [name for name in COLUMNS if name != lacking]
    path = variant(tmp_path, [*header, *more], [*(cells[name] for name in header), *more], form)
    read = read_table(path, who=reference)
    assert not read.faults
    assert read.reader.name == "icews"
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/cameo-010"
    assert read.value(RECORD, "dg:codedActor") == f"{ID}country/irn"


def test_a_text_that_names_no_event_type(tmp_path, read_table, reference) -> None:
    header = [name for name in COLUMNS if name != "CAMEO Code"]
    read = read_table(variant(tmp_path, header, [BASE[name] for name in header], "{}"), who=reference)
    assert [(fault.line, fault.column) for fault in read.faults] == [(2, "Event Text")]


def test_identifiers_that_differ_make_different_records(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, *({"Event ID": one} for one in ("Ab1", "aB1"))))
    assert len({record.iri for record in read.rows}) == 2


def test_a_row_without_a_narrower_place_means_the_country(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"City": "", "Province": ""}))
    assert read.value(RECORD, "dg:codedPlace") == f"{ID}country/irn"


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"Event Date": "2014-02-30"}, "Event Date"),
        ({"CAMEO Code": "Meet"}, "CAMEO Code"),
        ({"Intensity": "-11"}, "Intensity"),
        ({"Intensity": "x"}, "Intensity"),
        ({"Sentence Number": "third"}, "Sentence Number"),
        ({"Latitude": "91"}, "Latitude"),
        ({"Longitude": "-181"}, "Longitude"),
        ({"Event ID": ""}, "Event ID"),
    ],
)
def test_bad_cells(tmp_path, read_table, cells, column) -> None:
    read = read_table(table(tmp_path, {"Event ID": "1"}, {"Event ID": "2", **cells}, {"Event ID": "3"}))
    (fault,) = read.faults
    assert (fault.line, fault.column) == (3, column)
    assert len(read.rows) == 2


def test_a_row_of_19_columns(tmp_path, read_table) -> None:
    path = table(tmp_path, {}, {"Event ID": "2"})
    path.write_text(path.read_text(encoding="utf-8").rstrip("\n").rpartition("\t")[0], encoding="utf-8")
    read = read_table(path)
    (fault,) = read.faults
    assert "19 columns" in fault.reason


def test_output_conforms(tmp_path, conform) -> None:
    rows = [
        {"Event ID": "1"},
        {"Event ID": "2", "Source Name": "Reuters"},
        {"Event ID": "3", "Source Name": "Nobody Known"},
        {"Event ID": "4", "CAMEO Code": "1739"},
        {"Event ID": "5", "Story ID": "", "Country": "", "City": ""},
        {"Event ID": "6", "Source Name": "", "Intensity": ""},
    ]
    conform(table(tmp_path, *rows), "icews")
