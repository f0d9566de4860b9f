"""Tables by a mapping, shipped or of one's own: the shapes are applied, and findings have row and column."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import UnreadableRowsError, ValidationFailedError
from kg.load import LoadRequest, install
from kg.load.staged.staging_tables import Duplicates, write_raw
from kg.load.staged.table_reading import TableReading
from kg.readers.detect import find_reader
from kg.store import EmbeddedStore
from tests.kg.load.desks import Desk, data

MAPPING = """
@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix ql: <http://semweb.mmlab.be/ns/ql#> .
@prefix map: <https://w3id.org/diplograph/mapping#> .
@prefix dg: <https://w3id.org/diplograph/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<#rows> rml:source "x.csv" ; rml:referenceFormulation ql:CSV ;
  map:column [ map:name "country" ; map:lookup "name" ; map:reference "who" ] ,
    [ map:name "held" ; map:begin "day" ] .
<#event> a rr:TriplesMap ; rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://w3id.org/diplograph/id/event/x-{id}" ; rr:class dg:Event ] ;
  rr:predicateObjectMap %s .
"""
# An actor that is a string, a date in place of an interval, no label and no type.
BAD = """[ rr:predicate dg:actor ; rr:objectMap [ rml:reference "who" ] ] ,
  [ rr:predicate dg:time ; rr:objectMap [ rml:reference "day" ; rr:datatype xsd:date ] ]"""
GOOD = """[ rr:predicate rdfs:label ; rr:objectMap [ rml:reference "what" ; rr:language "en" ] ] ,
  [ rr:predicate dg:eventType ; rr:object <https://w3id.org/diplograph/id/event-type/plover-consult> ] ,
  [ rr:predicate dg:actor ;
    rr:objectMap [ rr:template "https://w3id.org/diplograph/id/country/{country}" ] ] ,
  [ rr:predicate dg:time ; rr:objectMap [ rr:template "https://w3id.org/diplograph/id/time/{held}" ] ]"""
ROWS = "id,who,day,what\n1,Iran,2018-01-30,Talks\n2,Qatar,2018-02-01,Talks\n"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    store = EmbeddedStore()
    install(store)
    yield Desk(store, tmp_path)
    store.close()


def mapping(tmp_path: Path, pairs: str) -> Path:
    path = tmp_path / "own.rml.ttl"
    path.write_text(MAPPING % pairs, encoding="utf-8")
    return path


def test_a_mapping_whose_records_break_the_shapes(desk: Desk, tmp_path: Path) -> None:
    before = data(desk.store)
    with pytest.raises(UnreadableRowsError) as caught:
        desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, BAD))
    found = caught.value.findings
    assert caught.value.detail.startswith("2 rows would break the shapes")
    assert data(desk.store) == before
    for line in (2, 3):
        assert any(f"x.csv, line {line}, column who: " in one and "dg:actor" in one for one in found)
        assert any(f"x.csv, line {line}, column day: " in one and "dg:time" in one for one in found)
        assert any(f"x.csv, line {line}: " in one and "dg:eventType" in one for one in found)
        assert any(f"x.csv, line {line}: " in one and "rdfs:label" in one for one in found)
    assert "mapping" in str(caught.value.mend)


def test_a_term_that_the_ontology_lacks(desk: Desk, tmp_path: Path) -> None:
    wrong = GOOD.replace("dg:actor ;", "dg:actr ;")
    with pytest.raises(UnreadableRowsError) as caught:
        desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, wrong))
    assert any("line 2, column who: " in one and "dg:actor?" in one for one in caught.value.findings)


def test_a_mapping_whose_records_conform(desk: Desk, tmp_path: Path) -> None:
    _, preview = desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, GOOD))
    assert preview.unknown == ()
    # A warning, which does not prevent the load.
    assert [one[:14] for one in preview.findings if "No claim" in one] == ["x.csv, line 2:", "x.csv, line 3:"]
    assert len(preview.findings) == 2
    desk.load(ROWS, "x.csv", mapping=mapping(tmp_path, GOOD))
    country = "<https://w3id.org/diplograph/id/country/qat>"
    event = "<https://w3id.org/diplograph/id/event/x-2>"
    actor = "<https://w3id.org/diplograph/ontology#actor>"
    assert desk.store.query(f"ASK {{ ?g ?p ?o . {event} {actor} {country} }}").truth()


def test_a_name_that_is_not_found_is_a_note(desk: Desk, tmp_path: Path) -> None:
    rows = ROWS + "3,Atlantis,2018-01-31,Talks\n4,Atlantis,2018-02-01,Talks\n"
    _, preview = desk.preview(rows, "x.csv", mapping=mapping(tmp_path, GOOD))
    assert [note for note in preview.notes if "Atlantis" in note and "2 rows, first on line 4" in note]
    events = [count for count in preview.counts if count.type.endswith("#Event")]
    assert [count.new for count in events] == [2]


def test_an_equal_table_changes_nothing(desk: Desk, tmp_path: Path) -> None:
    desk.load(ROWS, "x.csv", mapping=mapping(tmp_path, GOOD))
    _, preview = desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, GOOD))
    assert preview.unchanged


@pytest.mark.parametrize("packed", [False, True])
def test_progress_counts_rows_and_estimates_all_of_them(desk: Desk, tmp_path: Path, packed: bool) -> None:
    number = 20_000
    rows = "".join(f"{n},Iran,2018-01-{n % 28 + 1:02},Talks\n" for n in range(number))
    text = f"id,who,day,what\n{rows}".encode()
    path = tmp_path / "x.csv"
    path.write_bytes(gzip.compress(text) if packed else text)
    told: list[tuple[int, int | None]] = []

    def progress(phase: str, done: int, total: int | None = None) -> None:
        if phase == "reading rows" and done:
            told.append((done, total))

    request = LoadRequest(path, path.name, mapping=mapping(tmp_path, GOOD))
    reader = find_reader(path, None, path.name, mapping=request.mapping)
    assert reader is not None
    with TableReading(desk.store, reader, request, lambda fault: None, tmp_path) as table:
        write_raw(table.records(), tmp_path / "raw.nt", table.counting(progress), Duplicates())
        assert table.rows.read == number
    assert len(told) > 3
    assert all(total is not None and done <= total for done, total in told)
    # A megabyte is read at a time, and packed data ahead of it.
    assert all(total is not None and total < 3 * number for _, total in told)


def test_what_is_wrong_in_every_row_is_a_fault_of_the_mapping(desk: Desk, tmp_path: Path) -> None:
    constant = """<#source> a rr:TriplesMap ; rml:logicalSource <#rows> ;
      rr:subjectMap [ rr:constant <https://w3id.org/diplograph/id/source/x> ; rr:class dg:Dataset ] ."""
    path = mapping(tmp_path, GOOD + " .\n" + constant.removesuffix("."))
    with pytest.raises(ValidationFailedError) as caught:
        desk.preview(ROWS, "x.csv", mapping=path, max_errors=9)
    assert [one.partition(": ")[0] for one in caught.value.findings] == ["x.csv"]


def test_two_values_of_one_thing_are_a_fault_of_the_later_row(desk: Desk, tmp_path: Path) -> None:
    """Both lines are named; the row can be left out, and the first one stays."""
    person = """ .
      <#person> a rr:TriplesMap ; rml:logicalSource <#rows> ;
      rr:subjectMap [ rr:template "https://w3id.org/diplograph/id/person/{who}" ; rr:class dg:Person ] ;
      rr:predicateObjectMap
        [ rr:predicate rdfs:label ; rr:objectMap [ rml:reference "what" ; rr:language "en" ] ]"""
    path = mapping(tmp_path, GOOD + person)
    rows = ROWS + "3,Iran,2018-01-31,Other talks\n"
    with pytest.raises(UnreadableRowsError) as caught:
        desk.preview(rows, "x.csv", mapping=path)
    (finding,) = caught.value.findings
    assert finding.startswith("x.csv, line 4, column what: id:person/Iran rdfs:label")
    assert finding.endswith("Line 2 has another value.")
    folder, preview = desk.preview(rows, "x.csv", mapping=path, max_errors=1)
    assert (preview.rows_read, preview.rows_stored, preview.rows_left_out) == (3, 2, 1)
    assert b"Other talks" not in folder.added.read_bytes()


TABLES = Path(__file__).parents[3] / "fixtures" / "tables"


def changed(name: str, *changes: dict[str, str]) -> str:
    """A table of the fixtures with copies of its first row in which some cells differ."""
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows([*rows, *({**rows[0], **change} for change in changes)])
    return out.getvalue()


AGENTS = """
<#agent> rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://w3id.org/diplograph/id/actor/x-{id}" ; rr:class dg:Agent ] ;
  rr:predicateObjectMap [ rr:predicate rdfs:label ; rr:objectMap [ rml:reference "id" ; rr:language "en" ] ] ,
    [ rr:predicate dg:country ;
      rr:objectMap [ rr:template "https://w3id.org/diplograph/id/country/{country}" ] ] .
<#rows> rml:source "x.csv" ;
  map:column [ map:name "country" ; map:lookup "cow" ; map:reference "number" ; map:date "day" ] .
"""


def test_an_agent_of_two_countries_is_a_fault_of_the_second_row(desk: Desk, tmp_path: Path) -> None:
    """The number 345 was Yugoslavia in 1991 and is Serbia in 1999."""
    prefixes = MAPPING.partition("<#rows>")[0]
    own = tmp_path / "own.rml.ttl"
    own.write_text(prefixes + AGENTS, encoding="utf-8")
    text = "id,number,day\n118,345,1991-09-01\n118,345,1991-10-01\n118,345,1999-03-01\n"
    with pytest.raises(UnreadableRowsError) as caught:
        desk.preview(text, "x.csv", mapping=own)
    (finding,) = caught.value.findings
    assert finding.startswith("x.csv, line 4, column number and day: id:actor/x-118 dg:country: ")
    assert finding.endswith("Line 2 has another value.")
    own.write_text(own.read_text("utf-8").replace("x-{id}", "x-{id}-{country}"), encoding="utf-8")
    assert desk.preview(text, "x.csv", mapping=own)[1].rows_stored == 3


@pytest.fixture
def shipped(article_store: EmbeddedStore, tmp_path: Path) -> Desk:
    """A desk for previews, which change nothing."""
    return Desk(article_store, tmp_path)


@pytest.mark.parametrize(
    ("name", "change", "column"),
    [
        ("acled.csv", {"event_id_cnty": "NEW7", "sub_event_type": ""}, "sub_event_type"),
        ("acled.csv", {"event_id_cnty": ""}, "event_id_cnty"),
        ("ucdp-ged.csv", {"id": "NEW7", "type_of_violence": ""}, "type_of_violence"),
        ("ucdp-dyadic.csv", {"dyad_id": "NEW7", "side_b": ""}, "side_b"),
        ("cow-mid.csv", {"dispnum": "NEW7", "hostlev": "-9"}, "hostlev"),
        ("cow-mid-dyadic.csv", {"disno": "NEW7", "hihost": "-9"}, "hihost"),
        ("unga-votes.csv", {"rcid": "NEW7", "vote": ""}, "vote"),
        ("unga-votes.csv", {"ccode": "NA"}, "ccode"),
    ],
)
def test_a_row_of_a_shipped_mapping_without_a_necessary_cell(
    shipped: Desk, name: str, change: dict[str, str], column: str
) -> None:
    text = changed(name, change)
    line = text.count("\n")
    with pytest.raises(UnreadableRowsError) as caught:
        shipped.preview(text, name)
    assert caught.value.detail.startswith("1 row ")
    assert all(one.startswith(f"{name}, line {line}, column {column}: ") for one in caught.value.findings)
    folder, rest = shipped.preview(text, name, max_errors=1)
    assert (rest.fault_count, rest.rows_left_out, rest.rows_stored) == (1, 1, line - 2)
    assert "NEW7" not in folder.added.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "change", "there", "left_out"),
    [
        (
            "acled.csv",
            {"event_id_cnty": "SRB1", "fatalities": ""},
            "record/acled-SRB1",
            "quantity/acled-SRB1",
        ),
        ("ucdp-ged.csv", {"id": "1", "best": ""}, "record/ucdp-ged-1", "quantity/ucdp-ged-1"),
        ("acled.csv", {"event_id_cnty": "SRB1", "actor1": ""}, "record/acled-SRB1", "codedActor"),
    ],
)
def test_an_optional_part_without_its_cell_is_left_out(
    shipped: Desk, name: str, change: dict[str, str], there: str, left_out: str
) -> None:
    folder, preview = shipped.preview(changed(name, change), name)
    assert preview.rows_left_out == 0 and preview.faults == ()
    own = [line for line in folder.added.read_text(encoding="utf-8").splitlines() if there in line]
    assert own
    assert not [line for line in own if left_out in line]


def test_the_order_of_dates_is_asked_for(shipped: Desk) -> None:
    text = changed("acled.csv", {"event_id_cnty": "X1", "event_date": "1/2/2022"})
    with pytest.raises(UnreadableRowsError) as caught:
        shipped.preview(text, "acled.csv")
    assert (caught.value.mend or "").startswith("Give the order of dates")
    _, preview = shipped.preview(text, "acled.csv", date_order="mdy")
    assert preview.rows_stored == 4


def test_an_empty_vote_is_one_fault(shipped: Desk) -> None:
    with pytest.raises(UnreadableRowsError) as caught:
        shipped.preview(changed("unga-votes.csv", {"rcid": "NEW7", "vote": ""}), "unga-votes.csv")
    assert caught.value.findings == (
        "unga-votes.csv, line 6, column vote: the cell is empty, and the row needs it",
    )


def test_reasons_are_listed_where_no_row_is_left(desk: Desk, tmp_path: Path) -> None:
    with pytest.raises(ValidationFailedError, match="none of its 2 rows") as caught:
        desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, BAD), max_errors=2)
    assert [one for one in caught.value.findings if one.startswith("x.csv, line 3, column who: ")]


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("acled.csv", {"event_date": ""}, "event_date is empty, so the time is unknown"),
        ("acled.csv", {"latitude": ""}, "latitude is empty, so the place was left out"),
        ("ucdp-ged.csv", {"date_start": "", "date_end": ""}, "date_start is empty, so the time is unknown"),
        ("ucdp-ged.csv", {"latitude": "", "longitude": ""}, "latitude and longitude are empty, so the place"),
        ("cow-mid.csv", {"styear": "-9", "endyear": "-9"}, "styear, stmon and stday are empty"),
    ],
)
def test_an_empty_date_or_point_is_noted(
    shipped: Desk, name: str, changes: dict[str, str], words: str
) -> None:
    key = changed(name).partition(",")[0]
    text = changed(name, {key: "7001", **changes}, {key: "7002", **changes})
    _, preview = shipped.preview(text, name)
    (note,) = [note for note in preview.notes if note.startswith(words)]
    assert note.endswith(f"(2 rows, first on line {text.count(chr(10)) - 1})")


def test_the_sum_of_the_rows_of_votes(shipped: Desk) -> None:
    """Two states that were no members, a code that is unknown, and a number written in two ways."""
    rows = ({"ccode": "20", "vote": "9"}, {"ccode": "40", "vote": "9"}, {"ccode": "999"}, {"ccode": "2.0"})
    _, preview = shipped.preview(changed("unga-votes.csv", *rows), "unga-votes.csv")
    assert preview.row_sum == "8 rows read = 4 stored + 4 left out"
    ballots = [count for count in preview.counts if count.type.endswith("#Ballot")]
    assert [count.new for count in ballots] == [4]
    assert [note for note in preview.notes if "“9”" in note and "(2 rows, first on line 6)" in note]
    assert [note for note in preview.notes if "“999”" in note and "the row was left out (line 8)" in note]
    assert [note for note in preview.notes if "repeats an earlier one" in note and "(line 9)" in note]
    assert any("not read" in note and "session" in note for note in preview.notes)
