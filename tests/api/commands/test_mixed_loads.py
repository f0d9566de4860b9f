"""Datasets loaded one after the other, in any order: one country each, and records between two are found."""

from __future__ import annotations

import json
from itertools import islice, permutations
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from api.cli import main

TABLES = Path(__file__).parents[2] / "fixtures" / "tables"
MISSIONS = """country_abbrev_cow,country_code_cow,country_name_cow,country_name_usdos,\
date_start,date_end,us_mission_status
YUG,345,Yugoslavia,Serbia,1950-01-01,1991-12-31,Embassy
YUG,345.0,Serbia,Serbia,2006-06-05,2024-12-31,Embassy
BNG,771.0,Bangladesh,Bangladesh,1972-05-18,2024-12-31,Embassy
XXX,999,Nowhere,Nowhere,1972-05-18,1980-01-01,None
"""
POCOM_HEAD = [
    "kind",
    "place",
    "appointment_id",
    "person_id",
    "person_name",
    "role_title_id",
    "started",
    "ended",
]
POCOM = [
    *(
        POCOM_HEAD,
        ["missions-countries", "serbia", "sr-1", "doe-ann", "Ann Doe", "ambassador-e-p", "2010-01", "2012"],
    ),
    ["missions-countries", "bangladesh", "bg-1", "roe-bob", "Bob Roe", "ambassador-e-p", "2001", "2003"],
    ["missions-countries", "ruritania", "ru-1", "poe-cy", "Cy Poe", "ambassador-e-p", "1901", "1903"],
]
EVENTS = """label,actors,recipients,type,date
Serbia consults Kosovo,Serbia,Kosovo,040,2020-01-01
Bangladesh visits Serbia,Bangladesh,Serbia,042,2020-02-01
"""
PLACE = "1\tRomania\tRO\tRO\t\t46\t25\tRO"


def gdelt(number: str, one: str, name: str, other: str, country: str) -> str:
    """A row between a code whose country column is empty, and another actor."""
    actors = [one, name, *[""] * 8, other, "SOMEBODY", country, *[""] * 7]
    scores = ["1", "111", "111", "11", "3", "-2.0", "4", "2", "4", "-3.5"]
    places = [*PLACE.split("\t"), *PLACE.split("\t"), *PLACE.split("\t")]
    head = [number, "20180101", "201801", "2018", "2018.0027"]
    return "\t".join([*head, *actors, *scores, *places, "20180101000000", f"https://news.example/{number}"])


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    paths = {}
    for name, text in {
        "missions.csv": MISSIONS,
        "appointments.tsv": "".join("\t".join(row) + "\n" for row in POCOM),
        "own-events.csv": EVENTS,
        "rows.export.CSV": gdelt("1", "ROU", "ROMANIA", "GBR", "GBR")
        + "\n"
        + gdelt("2", "SRB", "SERBIA", "BGD", "BGD"),
    }.items():
        paths[name] = tmp_path / name
        paths[name].write_text(text, encoding="utf-8")
    return {**paths, "acled.csv": TABLES / "acled.csv"}


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, list(map(str, arguments)))


def rows(query: str) -> list[dict[str, str]]:
    prefixes = (
        "PREFIX dg: <https://w3id.org/diplograph/ontology#> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#>"
        " PREFIX id: <https://w3id.org/diplograph/id/> "
    )
    done = CliRunner().invoke(main, ["query", "-", "--format", "json"], input=prefixes + query)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["results"]["bindings"]
    return [{name: cell["value"].rpartition("/id/")[2] for name, cell in row.items()} for row in found]


# The first order, its reverse and one between.
ORDERS = list(islice(permutations(range(5)), 0, 120, 41))


@pytest.mark.parametrize("order", ORDERS, ids=str)
def test_one_serbia_and_one_bangladesh_in_any_order(
    installed: Path, monkeypatch: pytest.MonkeyPatch, sources: dict[str, Path], order: tuple[int, ...]
) -> None:
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(installed))
    before = rows("SELECT DISTINCT ?c { ?c a dg:Country }")
    paths = list(sources.values())
    notes = ""
    for number in order:
        done = run("load", paths[number], "--yes")
        assert done.exit_code == 0, done.output
        notes += done.stderr
    assert rows("SELECT DISTINCT ?c { ?c a dg:Country }") == before, "no load makes a country"
    assert "“999” is not a COW code" in notes
    assert "“ruritania” is not a name of one country" in notes
    of = {
        label: rows(f'SELECT DISTINCT ?c {{ ?c a dg:Country ; rdfs:label "{label}"@en }}')
        for label in ("Serbia", "Bangladesh")
    }
    assert of == {"Serbia": [{"c": "country/srb"}], "Bangladesh": [{"c": "country/bgd"}]}
    missions = rows("""SELECT DISTINCT ?c {
        ?m a dg:DiplomaticMission ; dg:accreditedTo ?c ; dg:country id:country\\/usa }""")
    assert {row["c"] for row in missions} == {"country/srb", "country/bgd", "country/cow-345"}
    events = rows("""SELECT ?a ?r {
        ?e a dg:Event ; dg:actor ?a ; dg:recipient ?r ; rdfs:label ?l FILTER(CONTAINS(?l, "Serbia")) }""")
    assert {(row["a"], row["r"]) for row in events} == {
        ("country/srb", "country/xkx"),
        ("country/bgd", "country/srb"),
    }
    places = rows("SELECT DISTINCT ?c { ?r dg:dataset id:source\\/acled ; dg:codedPlace/dg:country ?c }")
    assert {row["c"] for row in places} == {"country/srb", "country/bgd"}
    for one, other, number in (("Romania", "United Kingdom", "1"), ("Serbia", "Bangladesh", "2")):
        found = run(
            "query", "coding-records", "--param", f"a={one}", "--param", f"b={other}", "--format", "csv"
        )
        assert found.exit_code == 0, found.output
        assert f"gdelt-{number}" in found.stdout or f"GDELT 2.0 {number}:" in found.stdout


def test_a_mapping_that_breaks_the_shapes_stores_nothing(
    installed: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIPLOGRAPH_DATA", str(installed))
    (tmp_path / "bad1.csv").write_text("id,who,day\n1,Iran,2018-01-30\n")
    (tmp_path / "bad.rml.ttl").write_text("""
@prefix rr: <http://www.w3.org/ns/r2rml#> .
@prefix rml: <http://semweb.mmlab.be/ns/rml#> .
@prefix dg: <https://w3id.org/diplograph/ontology#> .
<#r> rml:source "x.csv" .
<#e> a rr:TriplesMap ; rml:logicalSource <#r> ;
  rr:subjectMap [ rr:template "https://w3id.org/diplograph/id/event/x-{id}" ; rr:class dg:Event ] ;
  rr:predicateObjectMap [ rr:predicate dg:actor ; rr:objectMap [ rml:reference "who" ] ] .
""")
    done = run("load", tmp_path / "bad1.csv", "--mapping", tmp_path / "bad.rml.ttl", "--yes")
    assert done.exit_code == 1
    assert "bad1.csv, line 2, column who" in done.stderr
    assert "shape" in done.stderr
    assert rows("SELECT ?o { <https://w3id.org/diplograph/id/event/x-1> ?p ?o }") == []
