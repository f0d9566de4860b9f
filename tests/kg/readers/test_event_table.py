"""A plain table of events: curated events, each with the claim of its source."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import openpyxl
import pytest

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.readers.detect import find_reader
from kg.readers.event_table import COLUMNS, write_template
from kg.readers.periods import open_period, period
from kg.resolver import Resolver
from kg.terms import ID, term

NAMES = [name for name, _, _ in COLUMNS]
BASE = {
    "label": "Talks in Tehran",
    "date": "2018-01-05",
    "actors": "United States; Iran",
    "type": "CONSULT",
    "id": "talks",
    "place": "Doha",
    "latitude": "25.28",
    "longitude": "51.53",
    "source": "Ferries and talks",
    "url": "https://news.example/talks",
    "publisher": "The Invented Times",
    "published": "2018-01-06",
}
EVENT, CLAIM = "event/mine-talks", "claim/mine-talks"


def table(tmp_path: Path, *rows: dict[str, str], name: str = "mine.csv", delimiter: str = ",") -> Path:
    path = tmp_path / name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(NAMES)
        writer.writerows([{**BASE, **row}.get(column, "") for column in NAMES] for row in rows)
    return path


@pytest.mark.parametrize(("name", "delimiter"), [("mine.csv", ","), ("mine.csv", ";"), ("mine.tsv", "\t")])
def test_a_row_becomes_an_event_and_its_claim(tmp_path, read_table, name, delimiter) -> None:
    read = read_table(table(tmp_path, {}, name=name, delimiter=delimiter))
    assert not read.faults
    assert read.reader.name == "events"
    assert read.values(EVENT, "dg:actor") == [f"{ID}country/irn", f"{ID}country/usa"]
    assert read.value(EVENT, "dg:eventType") == f"{ID}event-type/plover-consult"
    assert read.value(EVENT, "dg:time") == f"{ID}time/2018-01-05"
    assert read.value(read.value(EVENT, "dg:place").removeprefix(ID), "rdfs:label") == "Doha"
    assert read.value(CLAIM, "dg:about") == ID + EVENT
    facts = [fact.removeprefix(ID) for fact in read.values(CLAIM, "dg:states")]
    assert {read.value(fact, "dg:subject") for fact in facts} == {ID + EVENT}
    stated = {(read.value(fact, "dg:predicate"), read.value(fact, "dg:object")) for fact in facts}
    properties = [term(f"dg:{name}").value for name in ("actor", "eventType", "place", "time", "tookPlace")]
    assert {prop for prop, _ in stated} == set(properties)
    assert (properties[-1], "true") in stated
    assert (properties[0], f"{ID}country/irn") in stated
    assert read.value(CLAIM, "dg:modality") == f"{ID}modality/happened"
    source = read.value(CLAIM, "dg:statedIn").removeprefix(ID)
    assert read.value(source, "dcterms:title") == "Ferries and talks"
    assert read.value(source, "dg:url") == "https://news.example/talks"
    assert read.value(source, "dcterms:issued") == "2018-01-06"
    assert read.value(CLAIM, "dg:saidBy") == ID + source
    (event,) = [record for record in read.records if record.kind == "Event"]
    assert (event.line, event.day) == (2, "2018-01-05")


@pytest.mark.parametrize(
    ("modality", "told", "stated"),
    [
        ("", True, 5), ("asserted", True, 5), ("realised", True, 5),
        ("planned", False, 5), ("projected", False, 5), ("possible", False, 5), ("Denied", False, 1),
    ],
)  # fmt: skip
def test_whether_it_took_place(tmp_path, read_table, modality, told, stated) -> None:
    """A denial is of the event as a whole; of its actor, type and day it says nothing."""
    read = read_table(table(tmp_path, {"actors": "Iran", "modality": modality}))
    assert read.values(EVENT, "dg:tookPlace") == ["true"] * told
    assert read.value(EVENT, "dg:actor") == f"{ID}country/irn"
    facts = [fact.removeprefix(ID) for fact in read.values(CLAIM, "dg:states")]
    assert len(facts) == stated
    said = {read.value(fact, "dg:predicate"): read.value(fact, "dg:object") for fact in facts}
    assert said[term("dg:tookPlace").value] == "true"
    assert read.value(CLAIM, "dg:modality") == f"{ID}modality/{modality.lower() or 'happened'}"


FORMER = {
    ("Yugoslavia", "1985-05-01"): "cow-345",
    ("Yugoslavia", "1998-05-01"): "srb",
    ("YUG", "1985"): "cow-345",
    ("YUG", "1998-05"): "srb",
    ("CS", "1990"): "cow-315",
    ("Czechoslovakia", "1990"): "cow-315",
    ("USSR", "1985"): "rus",
    ("Zaire", "1980"): "cod",
    ("Serbia and Montenegro", "2004"): "srb",
    ("Serbia and Montenegro", "2003"): "srb",  # from February on
    ("Germany", "1985"): "deu",
    ("West Germany", "1985"): "deu",
    ("East Germany", "1985"): "cow-265",
    ("Yemen Arab Republic", "1985"): "cow-678",
    ("Yemen", "1985"): "cow-678",  # which the United Nations and ISO 3166 listed as Yemen
    ("YEM", "1995"): "yem",
    ("the Korea", "1905"): "cow-730",
    ("Korea", "1995"): "kor",
}


@pytest.mark.parametrize(("name", "date"), FORMER)
def test_a_name_stands_for_the_state_that_had_it_then(tmp_path, read_table, reference, name, date) -> None:
    cells = {"date": date, "actors": name, "place": "", "latitude": "", "longitude": ""}
    read = read_table(table(tmp_path, cells), who=reference)
    assert read.values(EVENT, "dg:actor") == [f"{ID}country/{FORMER[name, date]}"]
    assert not read.notes.of("country code")


@pytest.mark.parametrize(
    ("name", "date", "slug", "days"),
    [
        ("Yugoslavia", "2005", "srb", "until 2003-02-03"),
        ("YUG", "2005-05-01", "srb", "until 2003-02-03"),
        ("USSR", "1995", "rus", "until 1991-12-25"),
        ("East Germany", "1995", "cow-265", "until 1990-10-02"),
        ("Swaziland", "2020", "swz", "until 2018-04-18"),
    ],
)
def test_a_name_of_another_time_is_told(tmp_path, read_table, reference, name, date, slug, days) -> None:
    row = {"date": date, "actors": name, "recipients": name, "latitude": "", "longitude": ""}
    row["place"] = "" if name.isupper() else name
    read = read_table(table(tmp_path, {"id": "1"}, row, row | {"id": "b"}), who=reference)
    assert read.values(EVENT, "dg:actor") == [f"{ID}country/{slug}"]
    assert read.values(EVENT, "dg:place") == ([f"{ID}country/{slug}"] if row["place"] else [])
    (note,) = read.notes.of("country code")
    assert name in note.text and days in note.text
    assert (note.line, note.count) == (3, 6 if row["place"] else 4)


def test_a_code_that_may_have_lost_its_zero_is_told(tmp_path, read_table) -> None:
    """20 is an unconventional mass violence or, without its zero, 020, an appeal; 43 can only be 043."""
    lost = table(tmp_path, {"id": "1", "type": "20"}, {"id": "2", "type": "20"}, {"id": "3", "type": "43"})
    (note,) = read_table(lost).notes.of("lost zero")
    assert (note.line, note.count) == (2, 2)
    assert "20 may be 020" in note.text and note.text.endswith("read as 20")
    kept = table(tmp_path, {"id": "1", "type": "20"}, {"id": "2", "type": "043"}, name="kept.csv")
    assert not read_table(kept).notes.of("lost zero")


def test_a_workbook(tmp_path, read_table) -> None:
    """Numbers and dates of cells; a code of which the sheet made a number gets its zero back."""
    import datetime

    path = tmp_path / "mine.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["label", "date", "actors", "type", "id"])
    book.active.append(["Visit", datetime.datetime(2018, 1, 5), "IRN", 43, 7])
    book.save(path)
    read = read_table(path)
    assert not read.faults
    assert read.value("event/mine-7", "dg:time") == f"{ID}time/2018-01-05"
    assert read.value("event/mine-7", "dg:eventType") == f"{ID}event-type/cameo-043"
    assert read.value("event/mine-7", "dg:actor") == f"{ID}country/irn"
    assert [note.value for note in read.notes.of("repaired code")] == ["43"]


def test_a_workbook_that_is_none(tmp_path, read_table) -> None:
    path = tmp_path / "mine.xlsx"
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(DataSyntaxError):
        read_table(path)
    path.write_bytes(b"label,actors,type\n")
    with pytest.raises(DataSyntaxError, match="workbook"):
        read_table(path)


def test_namibia_by_its_iso_code(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"actors": "NA"}))
    assert read.value(EVENT, "dg:actor") == f"{ID}country/nam"


def test_an_unknown_actor_is_minted_and_listed(tmp_path, read_table, known) -> None:
    read = read_table(table(tmp_path, {"actors": "Untied States"}))
    assert read.value(EVENT, "dg:actor").startswith(f"{ID}actor/mine-untied-states-")
    assert known.suggest("Untied States")[0] == ("United States", f"{ID}country/usa")


@pytest.mark.parametrize("ids", [("A-1", "A 1"), ("1.10", "1-10"), ("Ab1", "aB1"), ("Peña", "Pena")])
def test_ids_that_differ_make_different_events(tmp_path, read_table, ids) -> None:
    read = read_table(table(tmp_path, *({"id": one} for one in ids)))
    assert not read.faults
    assert len({record.iri for record in read.records if record.kind == "Event"}) == 2


@pytest.mark.parametrize("names", [("Ana Peña", "Ana Pena"), ("Group A-1", "Group A 1"), ("aB1", "Ab1")])
def test_names_that_differ_make_different_actors(tmp_path, read_table, names) -> None:
    read = read_table(table(tmp_path, {"actors": ";".join(names)}))
    actors = [one.removeprefix(ID) for one in read.values(EVENT, "dg:actor")]
    assert sorted(read.value(actor, "rdfs:label") for actor in actors) == sorted(names)


def test_a_place_without_a_name_is_named_by_its_point(tmp_path, read_table) -> None:
    cells = {"place": "", "latitude": "25.5", "longitude": "51.25"}
    read = read_table(table(tmp_path, cells))
    assert not read.faults
    place = read.value(EVENT, "dg:place").removeprefix(ID)
    assert read.value(place, "rdfs:label") == "25.5°, 51.25°"
    assert read.value(place, "dg:latitude") == "25.5"


@pytest.mark.parametrize(
    ("latitude", "longitude", "known"), [("", "", True), ("35.7", "51.4", True), ("-35.7", "151.4", False)]
)
def test_a_place_with_a_point_elsewhere_is_another_place(
    tmp_path, read_table, latitude, longitude, known
) -> None:
    cells = {"place": "Newtown", "latitude": latitude, "longitude": longitude}
    who = Resolver(
        names=[
            ("Newtown", f"{ID}place/newtown"),
            ("United States", f"{ID}country/usa"),
            ("Iran", f"{ID}country/irn"),
        ],
        types=[f"{ID}event-type/plover-consult"],
        points=[("35.69", "51.39", f"{ID}place/newtown")],
    )
    read = read_table(table(tmp_path, cells), who=who)
    place = read.value(EVENT, "dg:place")
    assert (place == f"{ID}place/newtown") is known
    if not known:
        assert read.value(place.removeprefix(ID), "dg:latitude") == latitude


def test_the_point_of_a_country_is_left_out_with_a_note(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"place": "Iran", "latitude": "32", "longitude": "53"}))
    assert read.value(EVENT, "dg:place") == f"{ID}country/irn"
    assert any("point 32, 53 was left out" in note.text for note in read.notes.of("place"))


@pytest.mark.parametrize(
    ("written", "stored", "datatype"),
    [
        ("Jan 2018", "2018-01", "gYearMonth"), ("2018-01", "2018-01", "gYearMonth"),
        ("2018", "2018", "gYear"), ("31 January 2018", "2018-01-31", "date"),
    ],
)  # fmt: skip
def test_a_source_may_be_of_a_month_or_year(tmp_path, read_table, written, stored, datatype) -> None:
    read = read_table(table(tmp_path, {"published": written}))
    assert not read.faults
    (issued,) = [t.object for t in read.triples if t.predicate == term("dcterms:issued")]
    assert (issued.value, issued.datatype) == (stored, term(f"xsd:{datatype}"))


def test_a_row_that_is_repeated_with_its_id_is_kept_once(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, {"id": "first"}, {"id": "first"}))
    assert not read.faults
    assert (read.job.rows.read, read.job.rows.left_out) == (2, 1)


def lines_of_json(tmp_path: Path, *rows: dict[str, object]) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_text("".join(json.dumps({**BASE, **row}) + "\n" for row in rows), encoding="utf-8")
    return path


def test_json_lines_may_end_in_json(tmp_path, read_table) -> None:
    """As BigQuery exports them; JSON-LD of that ending is still RDF."""
    path = lines_of_json(tmp_path, {"actors": "Iran", "date": "2018.0"}).rename(tmp_path / "mine.json")
    read = read_table(path)
    assert not read.faults
    assert read.value(EVENT, "dg:time") == f"{ID}time/2018"
    path.write_text('{"@id": "http://x.example/a", "http://x.example/p": "b"}', encoding="utf-8")
    assert find_reader(path, None, path.name) is None


def test_a_list_of_json_is_several_values(tmp_path, read_table) -> None:
    path = lines_of_json(
        tmp_path, {"actors": ["Iran", "USA"], "recipients": ["ROU"], "type": ["CONSULT", 43]}
    )
    read = read_table(path)
    assert not read.faults
    assert read.values(EVENT, "dg:actor") == [f"{ID}country/irn", f"{ID}country/usa"]
    assert read.values(EVENT, "dg:recipient") == [f"{ID}country/rou"]
    assert read.values(EVENT, "dg:eventType") == [
        f"{ID}event-type/cameo-043", f"{ID}event-type/plover-consult",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("place", ["Doha", "Tehran"], '["Doha", "Tehran"] is a list; the column has one value'),
        ("place", {"name": "Doha"}, '{"name": "Doha"} is an object; the column has one value'),
        ("actors", ["Iran; Iraq", "USA"], "write texts without “;” in a list"),
        ("actors", [["Iran"], "USA"], "write texts without “;” in a list"),
        ("actors", {"name": "Iran"}, "is an object"),
    ],
)
def test_what_one_cell_cannot_hold_is_reported(tmp_path, read_table, column, value, says) -> None:
    read = read_table(lines_of_json(tmp_path, {"id": "1"}, {"id": "2", column: value}))
    (fault,) = read.faults
    assert (fault.line, fault.column) == (2, column)
    assert says in fault.reason
    assert (read.job.rows.read, read.job.rows.stored, read.job.rows.left_out) == (2, 1, 1)


def test_without_a_source_the_table_is_the_source(tmp_path, read_table) -> None:
    read = read_table(table(tmp_path, dict.fromkeys(("source", "url", "publisher", "published"), "")))
    source = read.value(CLAIM, "dg:statedIn").removeprefix(ID)
    assert read.value(source, "rdf:type") == term("dg:Dataset").value


def test_text_of_several_lines(tmp_path, read_table) -> None:
    text = 'They said "yes".\n\nThen, "no".'
    read = read_table(table(tmp_path, {"description": text}, {"id": "b"}))
    assert read.value(EVENT, "rdfs:comment") == text
    assert [record.line for record in read.records if record.kind == "Event"] == [2, 5]


def test_an_id_keeps_the_event_where_its_text_is_edited(tmp_path, read_table) -> None:
    iris = {read_table(table(tmp_path, {"label": label})).records[-1].iri for label in ("one", "another")}
    assert len(iris) == 1
    without = {
        read_table(table(tmp_path, {"id": "", "label": label})).records[-1].iri
        for label in ("one", "another")
    }
    assert len(without) == 2


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ({"label": ""}, "label"),
        ({"actors": ""}, "actors"),
        ({"actors": "https://nobody.example/x"}, "actors"),
        ({"type": ""}, "type"),
        ({"type": "DANCE"}, "type"),
        ({"type": "999"}, "type"),
        ({"type": "1739"}, "type"),
        ({"date": "20180231"}, "date"),
        ({"date": "05/01/2018"}, "date"),
        ({"end_date": "2018-01-01"}, "date"),
        ({"date": "", "end_date": "2018-01-01"}, "date"),
        ({"latitude": "99"}, "latitude"),
        ({"longitude": ""}, "longitude"),
        ({"modality": "maybe"}, "modality"),
        ({"url": "news.example"}, "url"),
        ({"published": "2018-13"}, "published"),
        ({"id": "first", "label": "another event"}, "id"),
    ],
)
def test_bad_cells(tmp_path, read_table, cells, column) -> None:
    read = read_table(table(tmp_path, {"id": "first"}, {"id": "second", **cells}, {"id": "third"}))
    (fault,) = read.faults
    assert (fault.line, fault.column) == (3, column)
    events = [record.iri for record in read.records if record.kind == "Event"]
    assert events == [f"{ID}event/mine-first", f"{ID}event/mine-third"]


def test_headers(tmp_path, read_table) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("label,actors,type,colour\na,IRN,CONSULT,red\n", encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="colour"):
        read_table(path)
    path.write_text("label,actors\na,IRN\n", encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="no column type"):
        read_table(path, "events")
    path.write_text("date,actors,target\n2018,IRN,USA\n", encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="no column label and no column type") as error:
        read_table(path)
    assert "date, actors, target" in str(error.value.mend)
    path.write_text("Label,Actors,TYPE,End Date\na,IRN,CONSULT,,\nb,IRN,CONSULT,,x\n", encoding="utf-8")
    read = read_table(path)
    assert [fault.line for fault in read.faults] == [3]


def test_broken_quotes(tmp_path, read_table) -> None:
    path = tmp_path / "mine.csv"
    path.write_text('label,actors,type\na,IRN,CONSULT\n"b,IRN,CONSULT\nc,IRN,CONSULT\n', encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="quotation mark") as caught:
        read_table(path)
    assert caught.value.line == 3


@pytest.mark.parametrize("ending", ["csv", "tsv", "xlsx"])
def test_the_template_is_a_table_without_rows(tmp_path, read_table, ending) -> None:
    path = tmp_path / f"events.{ending}"
    write_template(path)
    assert find_reader(path, None, path.name).name == "events"
    read = read_table(path)
    assert (read.records, read.faults) == ([], [])
    with pytest.raises(FileExistsError):
        write_template(path)


def test_a_template_of_another_kind(tmp_path) -> None:
    with pytest.raises(UnsupportedFormatError):
        write_template(tmp_path / "events.ods")


def test_every_column_is_told_in_the_docs() -> None:
    text = (Path(__file__).parents[3] / "docs" / "loading-tables.md").read_text(encoding="utf-8")
    for name in NAMES:
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("text", "last", "slug", "begin", "end", "precision"),
    [
        ("2018-01-05", "", "2018-01-05", "2018-01-05", "2018-01-05", "day"),
        ("2016-02", "", "2016-02", "2016-02-01", "2016-02-29", "month"),
        ("2018", "", "2018", "2018-01-01", "2018-12-31", "year"),
        ("2018-01-05", "2018-02-01", "2018-01-05--2018-02-01", "2018-01-05", "2018-02-01", "day"),
        ("2018-01", "2018-03", "2018-01--2018-03", "2018-01-01", "2018-03-31", "month"),
        ("2018", "2018-03", "2018--2018-03", "2018-01-01", "2018-03-31", "year"),
    ],
)
def test_periods(text, last, slug, begin, end, precision) -> None:
    found = period(text, last)
    assert (found.slug, found.begin, found.end, found.precision) == (slug, begin, end, precision)


@pytest.mark.parametrize(
    ("text", "last"), [("2018-13", ""), ("0000", ""), ("x", ""), ("2018", "x"), ("2018", "2017")]
)
def test_no_periods(text, last) -> None:
    assert isinstance(period(text, last), str)


def test_open_period() -> None:
    found = open_period("2018-01", "2018-01-01")
    assert (found.slug, found.begin, found.end, found.precision) == (
        "2018-01--open",
        "2018-01-01",
        "",
        "open",
    )


def test_output_conforms(tmp_path, conform) -> None:
    rows = [
        {"id": "1"},
        {"id": "2", "date": "2018-02", "place": ""} | {"latitude": "", "longitude": ""},
        {"id": "3", "actors": "Nobody Known; QAT", "recipients": "IRN"},
        {"id": "4", "source": "", "published": ""},
        {"id": "5", "source": "", "url": "", "publisher": "", "published": ""},
        {"id": "6", "url": "", "date": ""},
        {"id": "7", "type": "COERCE deport; 174", "modality": "planned", "place": "Qatar"},
    ]
    conform(table(tmp_path, *rows), "events")
