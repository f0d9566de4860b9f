"""Rows by a mapping: what a row is about, what is left out with it, rows that repeat, columns not read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kg.errors import DataSyntaxError
from kg.readers.archives import parts
from kg.readers.detect import find_reader
from kg.readers.reading import ReadingJob
from kg.readers.record import RowFault
from kg.readers.rml.mapped_rows import read_each_row
from kg.resolver import Resolver

HEAD = """@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix map: <https://w3id.org/diplograph/mapping#> .
@prefix x: <https://x.example/> .
"""
# A meeting that has a room and, where they are counted, a number of guests.
MEETINGS = """<#rows> rml:source "a" ; map:whole "id" ;
  map:column [ map:name "kind" ; map:reference "code" ; map:value [ map:equals "1" ; map:gives "talks" ] ] .
<#counted> rml:source "a" ; map:only [ map:reference "guests" ] .
<#meeting> map:main true ; rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://x.example/meeting/{id}" ; rr:class x:Meeting ] ;
  rr:predicateObjectMap [ rr:predicate x:kind ; rr:objectMap [ rml:reference "kind" ] ] ,
    [ rr:predicate x:day ; rr:objectMap [ rml:reference "day" ] ] ,
    [ rr:predicate x:guests ; rr:objectMap [ rr:parentTriplesMap <#guests> ] ] ,
    [ rr:predicate x:room ; rr:objectMap [ rr:parentTriplesMap <#room> ] ] .
<#room> rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://x.example/room/{room}" ; rr:class x:Room ] .
<#guests> rml:logicalSource <#counted> ;
  rr:subjectMap [ rr:template "https://x.example/guests/{id}" ; rr:class x:Number ] ;
  rr:predicateObjectMap [ rr:predicate x:value ; rr:objectMap [ rml:reference "guests" ] ] .
"""
HEADER = "id,code,day,room,guests,colour,paper\n"


class Read:
    def __init__(self, folder: Path, rules: str, text: str, known: Resolver) -> None:
        path, file = folder / "a.csv", folder / "own.rml.ttl"
        path.write_text(text, encoding="utf-8")
        file.write_text(HEAD + rules, encoding="utf-8")
        reader = find_reader(path, None, "a.csv", mapping=file)
        assert reader is not None and reader.mapping is not None
        self.mapping, self.parts, self.known = reader.mapping, list(parts(path, "a.csv")), known
        self.faults: list[RowFault] = []
        self.job = ReadingJob(self.parts, "a.csv", known, self.faults.append)
        self.records = list(reader.rows(self.job))

    @property
    def things(self) -> list[str]:
        return [record.iri.removeprefix("https://x.example/") for record in self.records]

    @property
    def sum(self) -> tuple[int, int, int]:
        rows = self.job.rows
        assert rows.read == rows.stored + rows.left_out
        return rows.read, rows.stored, rows.left_out

    def notes(self, kind: str) -> list[tuple[str, int, int]]:
        return [(note.text, note.line, note.count) for note in self.job.notes.of(kind)]  # type: ignore[arg-type]


@pytest.fixture
def read(tmp_path: Path, known: Resolver):
    return lambda *rows: Read(tmp_path, MEETINGS, HEADER + "".join(f"{row}\n" for row in rows), known)


def test_a_part_whose_cell_is_empty_is_left_out_alone(read) -> None:
    found = read("1,1,2018-01-30,blue,7,,", "2,1,2018-01-31,blue,,,")
    assert set(found.things) == {"meeting/1", "room/blue", "guests/1", "meeting/2"}
    with_number, without = (r.ntriples for r in found.records if "/meeting/" in r.iri)
    assert b"<https://x.example/guests/1>" in with_number
    assert b"x.example/guests>" not in without
    assert found.sum == (2, 2, 0)


def test_a_row_goes_with_what_it_is_about(read) -> None:
    """Nothing else of the row is kept, and each row left out is counted with its reason."""
    found = read("1,1,2018-01-30,blue,7,,", "2,9,2018-01-31,red,8,,", "3,9,2018-01-31,red,8,,")
    assert set(found.things) == {"meeting/1", "room/blue", "guests/1"}
    assert found.sum == (3, 1, 2)
    ((text, line, count),) = found.notes("lookup")
    assert (line, count) == (3, 2)
    assert "“9”" in text and "the row was left out" in text
    assert not found.faults


def test_a_row_without_its_identifier_is_a_fault(read) -> None:
    found = read(",1,2018-01-30,blue,7,,", "2,1,2018-01-31,red,8,,")
    assert [(fault.line, fault.column) for fault in found.faults] == [(2, "id")]
    assert "the cell is empty" in found.faults[0].reason
    assert set(found.things) == {"meeting/2", "room/red", "guests/2"}
    assert found.sum == (2, 1, 1)


def test_equal_rows_are_one_and_different_ones_a_fault(read) -> None:
    """A column that is not read makes no difference; 1.0 is the whole number 1."""
    rows = ("1,1,2018-01-30,blue,7,red,x", "1.0,1,2018-01-30,blue,7,green,y", "1,1,2018-02-01,blue,7,,")
    found = read(*rows)
    assert found.things.count("meeting/1") == 1
    ((text, line, count),) = found.notes("repeated row")
    assert (line, count) == (3, 1)
    assert "repeats an earlier one" in text
    (fault,) = found.faults
    assert (fault.line, fault.column) == (4, "id")
    assert "meeting/1" in fault.reason and "line 2" in fault.reason
    assert found.sum == (3, 1, 2)


def test_things_that_several_rows_describe_are_joined(tmp_path: Path, known: Resolver) -> None:
    """Without map:main, rows may each say a part."""
    rules = MEETINGS.replace("map:main true ;", "")
    found = Read(tmp_path, rules, f"{HEADER}1,1,2018-01-30,blue,,,\n1,1,2018-02-01,red,,,\n", known)
    days = re.findall(rb'x.example/day> "(.*?)"', b"".join(r.ntriples for r in found.records))
    assert days == [b"2018-01-30", b"2018-02-01"]
    assert not found.faults and found.sum == (2, 2, 0)


def test_columns_that_are_not_read_are_noted_once(read) -> None:
    found = read("1,1,2018-01-30,blue,7,red,x", "2,1,2018-01-30,blue,7,red,x")
    ((text, _, count),) = found.notes("column")
    assert text.endswith(": colour, paper")
    assert count == 1


def test_rows_that_are_longer_than_the_header(read) -> None:
    """A separator at the end of a row is no column; the numbers that R writes are told."""
    found = read("7,1,2018-01-30,blue,7,,,", "2,2,1,2018-01-30,blue,7,,red")
    assert "meeting/7" in found.things and found.sum == (2, 1, 1)
    assert [(fault.line, "row.names = FALSE" in fault.reason) for fault in found.faults] == [(3, True)]


def test_a_column_twice_is_refused(tmp_path: Path, known: Resolver) -> None:
    with pytest.raises(DataSyntaxError, match="day stands twice"):
        Read(tmp_path, MEETINGS, HEADER.replace("paper", "day") + "1,1,a,blue,7,red,b\n", known)


def test_each_row_is_read_again_with_its_cells(read) -> None:
    """Rows that repeat others are among them; the rows to skip are not."""
    found = read("1,1,2018-01-30,blue,,,", "1,1,2018-01-30,blue,,,", "2,1,2018-01-30,blue,,,")
    skipped = frozenset({("a.csv", 4)})
    job = ReadingJob(found.parts, "a.csv", found.known, found.faults.append, skipped=skipped)
    again = [one for one in read_each_row(job, found.mapping) if "/meeting/" in one.record.iri]
    assert [(one.file, one.record.line, one.cells["guests"]) for one in again] == [
        ("a.csv", 2, ""),
        ("a.csv", 3, ""),
    ]
    assert job.rows.left_out == 1
