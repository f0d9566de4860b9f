"""POLECAT rows: PLOVER types, lists of actors and recipients."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from kg.readers.polecat import COLUMNS
from kg.terms import ID

RECORD = "record/polecat-20230105-1"
BASE = {
    **dict.fromkeys(COLUMNS, ""),
    "Event ID": "20230105-1",
    "Event Date": "2023-01-05",
    "Event Type": "CONSULT",
    "Event Mode": "",
    "Intensity": "1.5",
    "Quad Code": "VERBAL COOPERATION",
    "Contexts": "diplomatic;military",
    "Actor Name": "United States; Iran",
    "Actor Country": "USA; IRN",
    "Actor COW": "2; 630",
    "Actor Sectors": "GOV;MIL",
    "Recipient Name": "Hassan Rouhani",
    "Recipient Country": "IRN",
    "Recipient COW": "630",
    "City": "Doha",
    "Province": "Baladiyat ad Dawhah",
    "Country": "IRN",
    "Latitude": "25.28",
    "Longitude": "51.53",
    "GeoNames ID": "290030",
    "Source": "Invented Wire",
    "Version": "NGEC",
}


def table(tmp_path: Path, *rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> Path:
    path = tmp_path / "ngecEvents.DV.2023.txt"
    lines = ["\t".join({**BASE, **row}.get(name, "") for name in columns) for row in rows]
    path.write_text("\n".join(["\t".join(columns), *lines]) + "\n", encoding="utf-8")
    return path


def test_a_row_becomes_a_record(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {}))
    assert not read.faults
    assert read.reader.name == "polecat"
    assert read.values(RECORD, "dg:codedActor") == [f"{ID}country/irn", f"{ID}country/usa"]
    assert read.value(RECORD, "dg:codedRecipient") == f"{ID}person/hassan-rouhani"
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/plover-consult"
    assert read.values(RECORD, "dg:codedContext") == ["diplomatic", "military"]
    assert read.values(RECORD, "dg:actorSector") == ["GOV", "MIL"]
    assert read.value(RECORD, "dg:codedQuadClass") == f"{ID}quad-class/verbal-cooperation"
    assert Decimal(read.value(RECORD, "dg:intensity")) == Decimal("1.5")
    assert read.values(RECORD, "dg:goldstein") == [], "its intensity is on another scale"
    assert read.value(RECORD, "dg:codedPlace") == f"{ID}place/geonames-290030"
    assert read.value("place/geonames-290030", "skos:exactMatch") == "https://sws.geonames.org/290030/"


def test_a_mode_is_the_narrower_type(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"Event Type": "COERCE", "Event Mode": "deport"}))
    assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/plover-coerce-deport"


def test_an_unknown_mode_keeps_its_type_and_is_listed(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"Event Mode": "telepathy"}))
    (own,) = [record.iri for record in read.records if record.kind == "EventType"]
    assert own.startswith(f"{ID}event-type/polecat-consult-telepathy-")
    assert read.values(RECORD, "dg:eventType") == [f"{ID}event-type/plover-consult", own]
    assert read.value(own.removeprefix(ID), "skos:broader") == f"{ID}event-type/plover-consult"
    assert [note.value for note in read.notes.of("event type")] == ["CONSULT telepathy"]


@pytest.mark.parametrize("value", ["None", ""])
def test_none_stands_for_nothing(tmp_path, read_table, value) -> None:
    cells = {"Recipient Name": value, "Recipient Country": value, "Event Mode": value, "Contexts": value}
    read = read_table(table(tmp_path, {**cells, "Country": value, "GeoNames ID": value}))
    assert not read.faults
    assert read.values(RECORD, "dg:codedRecipient") == []
    assert read.values(RECORD, "dg:codedContext") == []
    assert not read.notes.of("country code")


def test_countries_belong_to_names_only_where_there_are_as_many(tmp_path, read_table) -> None:
    read = read_table(
        table(tmp_path, {"Actor Name": "Ann Onymous;Ben Eficiary", "Actor Country": "IRN", "Actor COW": ""})
    )
    for actor in read.values(RECORD, "dg:codedActor"):
        assert read.values(actor.removeprefix(ID), "dg:country") == []


def test_a_country_by_its_cow_number(tmp_path, read_table) -> None:
    read = read_table(
        table(tmp_path, {"Actor Name": "Ann Onymous", "Actor Country": "None", "Actor COW": "630"})
    )
    actor = read.value(RECORD, "dg:codedActor").removeprefix(ID)
    assert read.value(actor, "dg:country") == f"{ID}country/irn"


def test_columns_are_found_by_name(tmp_path, read_table) -> None:
    for columns in (tuple(reversed(COLUMNS)), (COLUMNS[0], *reversed(COLUMNS[1:]))):
        read = read_table(table(tmp_path, {}, columns=columns))
        assert not read.faults
        assert read.value(RECORD, "dg:eventType") == f"{ID}event-type/plover-consult"


def test_files_with_too_many_names_or_cells(tmp_path, read_table) -> None:
    """As some published files have it: names without cells, or empty cells without names."""
    path = table(tmp_path, {})
    header, row = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    for lines in ([header + "\tHeadline", row], [header, row + "\t\t"]):
        path.write_text("\n".join(lines), encoding="utf-8")
        read = read_table(path)
        assert not read.faults
        assert len(read.rows) == 1
    path.write_text("\n".join([header, row + "\tmore"]), encoding="utf-8")
    assert "41 columns" in read_table(path).faults[0].reason


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"Event Date": "2023-02-29"}, "Event Date"),
        ({"Event Type": ""}, "Event Type"),
        ({"Event ID": ""}, "Event ID"),
        ({"Quad Code": "FRIENDLY"}, "Quad Code"),
        ({"Intensity": "strong"}, "Intensity"),
        ({"Latitude": "-90.5"}, "Latitude"),
        ({"Longitude": "east"}, "Longitude"),
    ],
)
def test_bad_cells(tmp_path, read_table, cells, column) -> None:
    read = read_table(table(tmp_path, {"Event ID": "a"}, {"Event ID": "b", **cells}))
    (fault,) = read.faults
    assert (fault.line, fault.column) == (3, column)
    assert len(read.rows) == 1


def test_output_conforms(tmp_path, conform) -> None:
    rows = [
        {"Event ID": "1"},
        {"Event ID": "2", "Actor Name": "Ann Onymous;Ben Eficiary"},
        {"Event ID": "3", "Event Mode": "x"},
        {"Event ID": "4", "Event Type": "DANCE"},
        {"Event ID": "5", "Country": "None", "GeoNames ID": ""},
        {"Event ID": "6", "Source": "None", "Quad Code": "4"},
    ]
    conform(table(tmp_path, *rows), "polecat")


MENTION = "900000001\t20180101000000\t20180101001500\t1\tnews.example\thttps://news.example/a\t3\t12\t-1\t40\t1\t60\t2100\t-3.25\t\t"


def test_mentions(tmp_path, read_table) -> None:
    path = tmp_path / "20180101001500.mentions.CSV"
    path.write_text(f"{MENTION}\n{MENTION}\n{MENTION.replace('-3.25', 'sad')}\n", encoding="utf-8")
    read = read_table(path)
    assert read.reader.name == "gdelt-mentions"
    assert [(fault.line, fault.column) for fault in read.faults] == [(3, "MentionDocTone")]
    (mention,) = [record.iri.removeprefix(ID) for record in read.records if record.kind == "RecordMention"]
    assert read.value(mention, "dg:mentionOfRecord") == f"{ID}{'record/gdelt-900000001'}"
    assert read.value(mention, "dg:confidence") == "60"
    assert read.value(mention, "dg:actorOffset") == "12"
    assert read.values(mention, "dg:recipientOffset") == []
    assert read.value(mention, "dg:mentionedOn") == "2018-01-01T00:15:00Z"
    document = read.value(mention, "dg:foundIn").removeprefix(ID)
    assert read.value(document, "dg:url") == "https://news.example/a"
