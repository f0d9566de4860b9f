"""Tables by an RML mapping: the shipped ones on rows of our own and on the real files; what is refused."""

from __future__ import annotations

import csv
import re
from collections import Counter
from pathlib import Path

import pytest

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.readers.archives import parts
from kg.readers.detect import bundled_readers, find_reader
from kg.readers.reading import ReadingJob
from kg.readers.rml.mapping import read_mapping
from kg.terms import ID, PREFIXES, term

MEMBERSHIP = PREFIXES["org"] + "Membership"

HEAD = """
@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix ql: <http://semweb.mmlab.be/ns/ql#> .
@prefix map: <https://w3id.org/diplograph/mapping#> .
@prefix x: <https://x.example/> .
<#rows> rml:source "a.csv" ; rml:referenceFormulation ql:CSV .
"""
ONE = """<#one> rml:logicalSource <#rows> ;
  rr:subjectMap [ rr:template "https://x.example/{id}" ; rr:class x:Thing ] ;
  rr:predicateObjectMap [ rr:predicate x:p ; rr:objectMap [ %s ] ] ."""
MISSIONS = (
    "country_abbrev_cow,country_code_cow,country_name_cow,country_name_usdos,"
    "date_start,date_end,us_mission_status"
)
POCOM = [
    "kind",
    "place",
    "appointment_id",
    "person_id",
    "person_name",
    "role_title_id",
    "contemporary_territory",
    "appointed",
    "started",
    "ended",
    "ended_note",
    "note",
]


def mapped(tmp_path: Path, mapping: str, text: str, read_table, known):
    """Read a table by a mapping given as Turtle."""
    path, rules = tmp_path / "a.csv", tmp_path / "own.rml.ttl"
    path.write_text(text, encoding="utf-8")
    rules.write_text(HEAD + mapping, encoding="utf-8")
    faults = []
    job = ReadingJob(list(parts(path, "a.csv")), "a.csv", known, faults.append)
    records = list(find_reader(path, None, "a.csv", mapping=rules).rows(job))
    return b"".join(record.ntriples for record in records).decode(), faults, records


@pytest.mark.parametrize(
    ("term_map", "cell", "made"),
    [
        ('rml:reference "v"', "NA", '"NA"'),
        ('rml:reference "v"', "None", '"None"'),
        ('rml:reference "v"', "", None),
        ('rml:reference "v" ; rr:language "fr"', "été", '"été"@fr'),
        ('rr:template "{v} of {id}" ; rr:termType rr:Literal', "x", '"x of 7"'),
        ('rr:template "https://y.example/{v}"', "a b/ç", "<https://y.example/a%20b%2Fç>"),
        ('rr:template "https://y.example/\\\\{{v}\\\\}"', "a", None),
        ('rml:reference "v" ; rr:termType rr:IRI', "urn:a", "<urn:a>"),
        ('rr:constant x:c', "a", "<https://x.example/c>"),
        ('rr:constant "c"@en', "a", '"c"@en'),
        ('rml:reference "v" ; rr:datatype <http://www.w3.org/2001/XMLSchema#int>', "007", '"7"^^<http://www.w3.org/2001/XMLSchema#integer>'),
        ('rml:reference "v" ; rr:datatype <http://www.w3.org/2001/XMLSchema#decimal>', "1.50", '"1.5"^^<http://www.w3.org/2001/XMLSchema#decimal>'),
    ],
)  # fmt: skip
def test_term_maps(tmp_path, read_table, known, term_map, cell, made) -> None:
    data, faults, _ = mapped(tmp_path, ONE % term_map, f'id,v\n7,"{cell}"\n', read_table, known)
    if "\\\\{" in term_map:
        assert [fault.column for fault in faults] == ["v"], "braces are no characters of an IRI"
        return
    assert not faults
    found = re.findall(r"<https://x.example/7> <https://x.example/p> (.*) \.", data)
    assert found == ([made] if made else [])


@pytest.mark.parametrize(
    ("term_map", "cell"),
    [
        ('rml:reference "v" ; rr:datatype <http://www.w3.org/2001/XMLSchema#date>', "2018-02-31"),
        ('rml:reference "v" ; rr:datatype <http://www.w3.org/2001/XMLSchema#integer>', "1.5"),
        ('rml:reference "v" ; rr:termType rr:IRI', "no iri"),
    ],
)
def test_a_cell_that_does_not_fit_is_reported(tmp_path, read_table, known, term_map, cell) -> None:
    _, faults, records = mapped(tmp_path, ONE % term_map, f"id,v\n7,{cell}\n8,\n", read_table, known)
    assert [(fault.line, fault.column) for fault in faults] == [(2, "v")]
    assert [record.iri for record in records] == ["https://x.example/8"]


TWO = """<#a> rml:logicalSource <#rows> ; rr:subjectMap [ rr:template "https://x.example/a{id}" ] ;
  rr:predicateObjectMap [ rr:predicate x:p ; rr:objectMap [ rr:parentTriplesMap <#b> ] ] .
<#b> rml:logicalSource <#rows> ; rr:subjectMap [ rr:template "https://x.example/b{id}" ] %s ."""


def test_a_parent_gives_its_subject(tmp_path, read_table, known) -> None:
    data, _, _ = mapped(tmp_path, TWO % "", "id\n7\n", read_table, known)
    assert "<https://x.example/a7> <https://x.example/p> <https://x.example/b7> ." in data


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        (
            TWO % "; rr:predicateObjectMap [ rr:predicate x:q ; rr:objectMap [ rr:parentTriplesMap <#a> ] ]",
            "itself",
        ),
        (ONE % "rr:parentTriplesMap <#one>", "itself"),
        (
            "<#one> rml:logicalSource <#one> ; rr:subjectMap [ rr:template 'https://x.example/{id}' ] .",
            "itself",
        ),
        (
            "<#s> rml:source 'a' ; map:column [ map:name 'm' ; map:slug 'm' ] . "
            "<#one> rml:logicalSource <#s> ; rr:subjectMap [ rr:template 'https://x.example/{m}' ] .",
            "computed columns",
        ),
        (
            ONE % "rr:parentTriplesMap <#x> ; rr:joinCondition [ rr:child 'a' ; rr:parent 'b' ]",
            "joinCondition",
        ),
        (ONE % "rr:template 'https://x.example/{v}' ; rml:reference 'v'", "2 of template"),
        (ONE % "rml:reference 'v' ; rr:termType rr:BlankNode", "blank"),
        (ONE % "rr:parentTriplesMap <#nowhere>", "no subject map"),
        ("<#one> rml:logicalSource <#rows> .", "0 subject maps"),
        ("", "no triples map"),
        ("<#one> a ", "own.rml.ttl"),
        (
            "<#s> rml:source 'a' ; map:column [ map:name 'm' ; map:lookup 'phone' ] . "
            "<#one> rml:logicalSource <#s> ; rr:subjectMap [ rr:template 'https://x.example/{m}' ] .",
            "phone",
        ),
    ],
)
def test_mappings_that_are_refused(tmp_path, mapping, says) -> None:
    path = tmp_path / "own.rml.ttl"
    path.write_text(HEAD + mapping, encoding="utf-8")
    with pytest.raises(DataSyntaxError) as caught:
        read_mapping(path)
    assert says in str(caught.value)
    assert caught.value.mend


def test_a_column_that_the_table_lacks(tmp_path, read_table, known) -> None:
    with pytest.raises(DataSyntaxError, match="no column v"):
        mapped(tmp_path, ONE % 'rml:reference "v"', "id,w\n7,8\n", read_table, known)


def test_a_row_of_another_width(tmp_path, read_table, known) -> None:
    _, faults, records = mapped(tmp_path, ONE % 'rml:reference "v"', "id,v\n7\n8,9\n", read_table, known)
    assert [fault.line for fault in faults] == [2]
    assert len(records) == 1


def missions(tmp_path: Path, *rows: str) -> Path:
    path = tmp_path / "missions.csv"
    path.write_text("\n".join([MISSIONS, *rows]) + "\n", encoding="utf-8")
    return path


def test_none_is_a_rank(tmp_path, read_table) -> None:
    rows = ["IRN,630,Iran,Iran,1980-04-07,2024-12-31,None", "IRN,630,Iran,Iran,1944-03-24,1980-04-06,Embassy"]
    read = read_table(missions(tmp_path, *rows))
    assert not read.faults
    assert read.reader.name == "us-missions"
    status = "status/usa-irn-630-1980-04-07"
    assert read.value(status, "rdf:type") == term("dg:MissionStatus").value
    assert read.value(status, "dg:status") == f"{ID}mission-status/none"
    assert read.value(status, "dg:statusOf") == f"{ID}mission/usa-irn"
    assert read.value("mission/usa-irn", "dg:accreditedTo") == f"{ID}country/irn"
    assert read.value("mission/usa-irn", "dg:country") == f"{ID}country/usa"
    assert read.values("time/1980-04-07--open", "dg:end") == [], "the data end in 2024, not the status"
    assert read.value("time/1944-03-24--1980-04-06", "dg:end") == "1980-04-06"


def test_a_state_that_is_no_more(tmp_path, read_table) -> None:
    read = read_table(missions(tmp_path, "HAN,240,Hanover,Hanover,1838-01-01,1866-09-20,None"))
    assert read.value("mission/usa-us-missions-240", "dg:accreditedTo") == f"{ID}country/us-missions-240"
    assert read.value("country/us-missions-240", "rdfs:label") == "Hanover"
    assert [note.value for note in read.notes.of("country code")] == ["240"]


def test_a_state_that_is_renamed_keeps_one_label(tmp_path, read_table) -> None:
    rows = [
        "YUG,345,Yugoslavia,X,1921-01-01,1941-01-01,None",
        "SRB,345,Serbia,X,2006-06-05,2010-01-01,Embassy",
    ]
    read = read_table(missions(tmp_path, *rows))
    assert read.values("country/us-missions-345", "rdfs:label") == ["Yugoslavia"]
    assert len(read.values("mission/usa-us-missions-345", "rdfs:label")) == 1


def pocom(tmp_path: Path, *rows: dict[str, str]) -> Path:
    path = tmp_path / "pocom.tsv"
    base = {
        "kind": "missions-countries", "place": "iran", "appointment_id": "ir-1", "person_id": "doe-ann",
        "person_name": "Ann Doe", "role_title_id": "ambassador-e-p",
        "started": "1950-02-01", "ended": "1951-03",
    }  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, POCOM, delimiter="\t", restval="")
        writer.writeheader()
        writer.writerows({**base, **row} for row in rows)
    return path


HOME = {
    "kind": "positions-principals",
    "place": "secretary",
    "role_title_id": "secretary",
    "appointment_id": "s-1",
}


def test_an_appointment_is_a_membership(tmp_path, read_table) -> None:
    read = read_table(pocom(tmp_path, {}))
    assert not read.faults
    (membership,) = [record.iri.removeprefix(ID) for record in read.records if record.kind == MEMBERSHIP]
    assert read.value(membership, "org:member") == f"{ID}person/pocom-doe-ann"
    assert read.value(membership, "org:organization") == f"{ID}mission/usa-irn"
    post = read.value(membership, "dg:post").removeprefix(ID)
    assert read.value(post, "org:postIn") == f"{ID}mission/usa-irn"
    assert read.value(post, "rdfs:label").startswith("Ambassador e p")
    during = read.value(membership, "org:memberDuring").removeprefix(ID)
    assert (read.value(during, "dg:begin"), read.value(during, "dg:end")) == ("1950-02-01", "1951-03-31")
    assert read.value("person/pocom-doe-ann", "org:holds") == ID + post


def test_open_and_unknown_intervals(tmp_path, read_table) -> None:
    cells = [("a", "1950-02", ""), ("b", "", "1951"), ("c", "", "")]
    rows = [{"appointment_id": key, "started": begin, "ended": end} for key, begin, end in cells]
    read = read_table(pocom(tmp_path, *rows))
    assert read.value("time/1950-02--open", "dg:begin") == "1950-02-01"
    assert read.values("time/1950-02--open", "dg:end") == []
    assert read.value("time/until--1951", "dg:end") == "1951-12-31"
    assert read.value("time/unknown", "dg:precision") == f"{ID}time-precision/unknown"


def test_posts_at_home_are_no_countries(tmp_path, read_table) -> None:
    read = read_table(pocom(tmp_path, HOME))
    assert not read.notes.of("country code")
    assert not [record for record in read.records if record.kind == "DiplomaticMission"]


def test_an_end_before_the_beginning(tmp_path, read_table) -> None:
    read = read_table(
        pocom(tmp_path, {"started": "1886-07-27", "ended": "1886-07-22"}, {"appointment_id": "b"})
    )
    (fault,) = read.faults
    assert (fault.line, fault.column) == (2, "ended")
    assert len([record for record in read.records if record.kind == MEMBERSHIP]) == 1


def test_memberships_conform(tmp_path, conform) -> None:
    conform(
        pocom(
            tmp_path, HOME, {**HOME, "appointment_id": "2", "ended": ""}, {**HOME, "started": "", "ended": ""}
        ),
        "pocom",
    )


def test_missions_conform(tmp_path, conform) -> None:
    conform(pocom(tmp_path, {}, {"place": "ruritania", "appointment_id": "2"}), "pocom")
    rows = [
        "IRN,630,Iran,Iran,1980-04-07,2024-12-31,None",
        "HAN,240,Hanover,Hanover,1838-01-01,1866-09-20,None",
    ]
    conform(missions(tmp_path, *rows), "us-missions")


def test_real_missions(shared, read_table) -> None:
    path = shared("us-missions/mission_status_range_cow_v0.1.csv")
    read = read_table(path)
    assert not read.faults
    with path.open(encoding="utf-8", newline="") as file:
        told = Counter(row["us_mission_status"] for row in csv.DictReader(file))
    found = Counter(
        t.object.value.rpartition("/")[2] for t in read.triples if t.predicate == term("dg:status")
    )
    assert found == Counter({name.lower().replace(" ", "-"): count for name, count in told.items()})


def test_real_appointments(shared, read_table) -> None:
    """All but one, which ends before it begins, become memberships; equal rows of the table are one."""
    path = shared("pocom/pocom_appointments.tsv")
    read = read_table(path)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [
        n
        for n, row in enumerate(rows, 2)
        if row["started"] and row["ended"] and row["ended"] < row["started"]
    ]
    assert [fault.line for fault in read.faults] == wrong
    kept = {
        (r["appointment_id"], r["role_title_id"], r["started"], r["ended"])
        for n, r in enumerate(rows, 2)
        if n not in wrong
    }
    assert len({record.iri for record in read.records if record.kind == MEMBERSHIP}) == len(kept)


def test_every_shipped_mapping_is_read() -> None:
    paths = list((ONTOLOGY_FOLDER / "mappings").glob("*.ttl"))
    assert {reader.name for reader in bundled_readers()} == {path.name.partition(".")[0] for path in paths}
    assert len(paths) >= 2
    texts = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert all(f'rdfs:label "{reader.title}"@en' in texts for reader in bundled_readers())
