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
from kg.readers.reading import CellOptions, ReadingJob
from kg.readers.rml.mapping_reading import read_mapping
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


def test_a_word_for_missing_values_is_told_with_what_to_do(tmp_path, read_table, known) -> None:
    """Kept as text, not found as a country, or not a number: the way to say that it is missing is named."""
    columns = """<#rows> map:column [ map:name "c" ; map:lookup "iso3" ; map:reference "country" ] .
      <#one> rml:logicalSource <#rows> ; rr:subjectMap [ rr:template "https://x.example/{id}" ] ;
        rr:predicateObjectMap [ rr:predicate x:p ; rr:objectMap [ rml:reference "v" ] ] ,
          [ rr:predicate x:c ; rr:objectMap [ rml:reference "c" ] ] ,
          [ rr:predicate x:n ; rr:objectMap [
            rml:reference "n" ; rr:datatype <http://www.w3.org/2001/XMLSchema#decimal> ] ] ."""
    text = "id,v,country,n\n1,NA,IRN,1\n2,a,NA,1\n3,a,IRN,NA\n4,a,IRN,3\n"
    path, rules = tmp_path / "a.csv", tmp_path / "own.rml.ttl"
    path.write_text(text, encoding="utf-8")
    rules.write_text(HEAD + columns, encoding="utf-8")
    reader, faults = find_reader(path, None, "a.csv", mapping=rules), []
    job = ReadingJob(list(parts(path, "a.csv")), "a.csv", known, faults.append)
    assert len(list(reader.rows(job))) == 2
    (fault,) = faults
    assert (fault.line, fault.column) == (4, "n")
    kept = {note.line: note.text for note in job.notes.of("missing value")}
    (lookup,) = job.notes.of("lookup")
    assert sorted(kept) == [2, 3, 4] and lookup.line == 3
    assert all("--missing NA" in one for one in (fault.reason, lookup.text, *kept.values()))
    job = ReadingJob(
        list(parts(path, "a.csv")), "a.csv", known, faults.append, options=CellOptions(frozenset({"NA"}))
    )
    assert b'"NA"' not in b"".join(record.ntriples for record in reader.rows(job))
    assert len(faults) == 1 and not job.notes.found


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


def test_a_number_that_is_no_state_makes_no_country(tmp_path, read_table) -> None:
    """What depends on it is left out and counted, and no country is made up."""
    rows = [
        *("X,999,Nowhere,X,1838-01-01,1866-09-20,None", "X,999,Nowhere,X,1867-01-01,1868-09-20,None"),
        "IRN,630,Iran,Iran,1980-04-07,2024-12-31,None",
    ]
    read = read_table(missions(tmp_path, *rows))
    assert not read.faults
    assert not [record for record in read.records if record.kind == "Country"]
    assert [r.iri.removeprefix(ID) for r in read.records if r.kind == "DiplomaticMission"] == [
        "mission/usa-irn"
    ]
    (note,) = read.notes.of("lookup")
    assert (note.line, note.count) == (2, 2)
    assert "999" in note.text
    assert "COW" in note.text


def test_a_number_written_as_a_fraction(tmp_path, read_table) -> None:
    """Spreadsheets and pandas write 630.0; COW numbers are whole."""
    read = read_table(missions(tmp_path, "IRN,630.0,Iran,Iran,1980-04-07,2024-12-31,None"))
    assert not read.notes.of("lookup")
    assert read.value("mission/usa-irn", "dg:accreditedTo") == f"{ID}country/irn"


def test_a_number_of_two_states_is_read_by_its_date(tmp_path, read_table, reference) -> None:
    """COW gives Serbia the number of Yugoslavia, which existed from 1918-12-01 to 1992-04-26."""
    rows = [
        "YUG,345,Yugoslavia,X,1910-01-01,1918-11-30,None",
        "YUG,345,Yugoslavia,X,1921-01-01,1941-01-01,None",
        "YUG,345,Serbia,X,2006-06-05,2010-01-01,Embassy",
    ]
    read = read_table(missions(tmp_path, *rows), who=reference)
    to = (
        read.value("mission/usa-srb", "dg:accreditedTo"),
        read.value("mission/usa-cow-345", "dg:accreditedTo"),
    )
    assert to == (f"{ID}country/srb", f"{ID}country/cow-345")
    assert read.value("status/usa-srb-345-1910-01-01", "dg:statusOf") == f"{ID}mission/usa-srb"
    assert read.value("status/usa-cow-345-345-1921-01-01", "dg:statusOf") == f"{ID}mission/usa-cow-345"
    assert read.value("status/usa-srb-345-2006-06-05", "dg:statusOf") == f"{ID}mission/usa-srb"


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


def test_real_missions(shared, read_table, reference) -> None:
    path = shared("us-missions/mission_status_range_cow_v0.1.csv")
    read = read_table(path, who=reference)
    assert not read.faults
    assert not read.notes.of("lookup")
    with path.open(encoding="utf-8", newline="") as file:
        told = Counter(row["us_mission_status"] for row in csv.DictReader(file))
    found = Counter(
        t.object.value.rpartition("/")[2] for t in read.triples if t.predicate == term("dg:status")
    )
    assert found == Counter({name.lower().replace(" ", "-"): count for name, count in told.items()})


def test_real_appointments(shared, read_table, reference) -> None:
    """Each row becomes a membership.

    Left out are one that ends before it begins, those without a date to Hawaii and Korea, which were states
    at some time only, and those to an office for negotiations, which is a mission to no organization.
    """
    path = shared("pocom/pocom_appointments.tsv")
    read = read_table(path, who=reference)
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    wrong = [
        n
        for n, row in enumerate(rows, 2)
        if row["started"] and row["ended"] and row["ended"] < row["started"]
    ]
    assert [fault.line for fault in read.faults] == wrong
    undated = [
        n for n, row in enumerate(rows, 2) if row["place"] in ("hawaii", "korea") and not row["started"]
    ]
    office = [n for n, row in enumerate(rows, 2) if row["place"] == "representative-to-usoarn"]
    # The office has neither an organization nor a name of one.
    assert sum(note.count for note in read.notes.of("lookup")) == len(undated) + 2 * len(office)
    assert (len(undated), len(office)) == (4, 2)
    assert read.job.rows.left_out == len({*wrong, *undated, *office})
    assert read.job.rows.stored == len(rows) - read.job.rows.left_out
    assert not [record for record in read.records if record.kind == "Country"]
    kept = {
        (r["appointment_id"], r["person_id"], r["role_title_id"], r["started"], r["ended"])
        for n, r in enumerate(rows, 2)
        if n not in (*wrong, *undated, *office)
    }
    assert len({record.iri for record in read.records if record.kind == MEMBERSHIP}) == len(kept)


def test_every_shipped_mapping_is_read() -> None:
    paths = list((ONTOLOGY_FOLDER / "mappings").glob("*.ttl"))
    assert {reader.name for reader in bundled_readers()} == {path.name.partition(".")[0] for path in paths}
    assert len(paths) >= 2
    texts = "".join(path.read_text(encoding="utf-8") for path in paths)
    assert all(f'rdfs:label "{reader.title}"@en' in texts for reader in bundled_readers())


VALUES = """<#s> rml:source "a" ; map:missing "-9" ; map:column
    [ map:name "kind" ; map:reference "code" ; %s
      map:value [ map:equals "1", "one" ; map:gives "first" ], [ map:equals "2" ; map:gives "second" ] ] ,
    [ map:name "span" ; map:begin "{year}-{month}-{day}" ] , [ map:name "own" ; map:mint "code" ] .
<#one> rml:logicalSource <#s> ; rr:subjectMap [ rr:template "https://x.example/{id}" ] ;
  rr:predicateObjectMap [ rr:predicate x:span ; rr:objectMap [ rml:reference "span" ] ] .
<#two> rml:logicalSource <#s> ; rr:subjectMap [ rr:template "https://x.example/{id}" ; rr:class x:Thing ] ;
  rr:predicateObjectMap [ rr:predicate x:kind ; rr:objectMap [ rml:reference "kind" ] ] ."""


def valued(tmp_path, read_table, known, option: str, *rows: str):
    table = "id,code,year,month,day\n" + "".join(f"{row}\n" for row in rows)
    data, faults, records = mapped(tmp_path, VALUES % option, table, read_table, known)
    kinds = dict(re.findall(r'<https://x.example/(\w+)> <https://x.example/kind> "(.*)" \.', data))
    return kinds, faults, records, data


def test_a_table_of_values(tmp_path, read_table, known) -> None:
    rows = ["a,1,2018,1,1", "b,one,2018,1,1", "c,2.0,2018,1,1", "d,,2018,1,1", "e,-9,2018,1,1"]
    kinds, faults, _, _ = valued(tmp_path, read_table, known, "", *rows)
    assert kinds == {"a": "first", "b": "first", "c": "second"}
    assert not faults


@pytest.mark.parametrize(
    ("option", "kind", "classes"),
    [
        # The triples map that needs the value gives nothing; the other one does.
        ("", {}, 0),
        # Only the value is missing.
        ("map:optional true ;", {}, 1),
        ('map:otherwise "else" ;', {"a": "else"}, 1),
    ],
)
def test_a_value_that_the_table_lacks(tmp_path, read_table, known, option, kind, classes) -> None:
    kinds, faults, _, data = valued(tmp_path, read_table, known, option, "a,7,2018,1,1")
    assert kinds == kind
    assert data.count("rdf-syntax-ns#type> <https://x.example/Thing>") == classes
    assert '<https://x.example/a> <https://x.example/span> "2018-01-01"' in data
    assert not faults


@pytest.mark.parametrize(
    ("cells", "span"),
    [
        ("2018,1,31", "2018-01-31"),
        ("2018.0,12.0,-9", "2018-12"),
        ("2018,-9,31", "2018"),
        ("2018,,", "2018"),
        ("-9,-9,-9", "unknown"),
    ],
)
def test_a_date_of_several_columns(tmp_path, read_table, known, cells, span) -> None:
    _, faults, _, data = valued(tmp_path, read_table, known, "", f"a,1,{cells}")
    assert not faults
    assert f'<https://x.example/span> "{span}"' in data


def test_a_date_of_several_columns_that_is_none(tmp_path, read_table, known) -> None:
    _, faults, _, _ = valued(tmp_path, read_table, known, "", "a,1,2018,2,31")
    assert [(fault.line, fault.column) for fault in faults] == [(2, "year and month and day")]


def test_two_values_for_one_text(tmp_path) -> None:
    path = tmp_path / "own.rml.ttl"
    more = 'map:value [ map:equals "1" ; map:gives "other" ] ;'
    path.write_text(HEAD + VALUES % more, encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="two values"):
        read_mapping(path)


def test_a_table_without_a_header(tmp_path, read_table, known) -> None:
    source = '<#s> rml:source "a" ; map:header "id v" .\n' + ONE.replace("<#rows>", "<#s>")
    data, _, _ = mapped(tmp_path, source % 'rml:reference "v"', "7,eight\n", read_table, known)
    assert '<https://x.example/7> <https://x.example/p> "eight" .' in data


def test_missions_to_organizations_conform(tmp_path, conform) -> None:
    """Those of the graph of organizations are accredited to it; another one is described by the table."""
    row = {"kind": "missions-orgs", "role_title_id": "representative-to-nato"}
    rows = [
        {**row, "place": f"representative-to-{name}", "appointment_id": name} for name in ("nato", "icao")
    ]
    read = conform(pocom(tmp_path, *rows), "pocom")
    assert read.value("mission/usa-representative-to-nato", "dg:accreditedTo") == f"{ID}organization/nato"
    assert read.value("organization/icao", "rdfs:label") == "ICAO"
    assert read.values("organization/nato", "rdfs:label") == []


def test_a_condition_on_a_computed_column_is_refused(tmp_path) -> None:
    path = tmp_path / "own.rml.ttl"
    source = VALUES.replace('map:missing "-9" ;', 'map:only [ map:reference "kind" ] ;')
    path.write_text(HEAD + source % "", encoding="utf-8")
    with pytest.raises(DataSyntaxError, match="computed column kind"):
        read_mapping(path)
