"""Records of a user's own mapping: the shapes are applied, and findings have row and column."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.errors import ValidationFailedError
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
    with pytest.raises(ValidationFailedError) as caught:
        desk.preview(ROWS, "x.csv", mapping=mapping(tmp_path, BAD))
    found = caught.value.findings
    assert data(desk.store) == before
    for line in (2, 3):
        assert any(f"x.csv, line {line}, column who: " in one and "dg:actor" in one for one in found)
        assert any(f"x.csv, line {line}, column day: " in one and "dg:time" in one for one in found)
        assert any(f"x.csv, line {line}: " in one and "dg:eventType" in one for one in found)
        assert any(f"x.csv, line {line}: " in one and "rdfs:label" in one for one in found)
    assert "mapping" in str(caught.value.mend)


def test_a_term_that_the_ontology_lacks(desk: Desk, tmp_path: Path) -> None:
    wrong = GOOD.replace("dg:actor ;", "dg:actr ;")
    with pytest.raises(ValidationFailedError) as caught:
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
