"""The questions on missions answer from real rows: dated appointments, and ranks of missions over time."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Quad

from kg.catalogue import read_catalogue
from kg.reference.fact_tables import parts, read_table
from kg.terms import ID, PREFIXES, mint, slugify, term

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[3] / "shared")
CATALOGUE = read_catalogue()
GRAPH = NamedNode("urn:rows")
DATE = NamedNode(PREFIXES["xsd"] + "date")
# Slugs of places in the table of appointments, where they are not the country's name.
STATES = {"iran": "irn", "cuba": "cub", "egypt": "egy", "albania": "alb"}


def table(*names: str, delimiter: str) -> list[dict[str, str]]:
    path = SHARED.joinpath("data", *names)
    if not path.is_file():
        pytest.skip(f"{path.name} is not here; set DIPLOGRAPH_SHARED to the folder that has data/")
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def statuses() -> list[dict[str, str]]:
    return table("us-missions", "mission_status_range_cow_v0.1.csv", delimiter=",")


def appointments() -> list[dict[str, str]]:
    rows = table("pocom", "pocom_appointments.tsv", delimiter="\t")
    return [row for row in rows if row["kind"] == "missions-countries" and row["place"] in STATES]


def interval(name: str, begin: str, end: str) -> Iterator[Quad]:
    node = mint("time", name)
    precision = "open" if begin and not end else "day" if begin else "unknown"
    yield Quad(node, term("rdf:type"), term("time:ProperInterval"), GRAPH)
    yield Quad(node, term("dg:precision"), NamedNode(f"{ID}time-precision/{precision}"), GRAPH)
    for prop, day in (("dg:begin", begin), ("dg:end", end)):
        if len(day) == 10:
            yield Quad(node, term(prop), Literal(day, datatype=DATE), GRAPH)


def mission(key: str) -> Iterator[Quad]:
    node = mint("mission", f"usa {key}")
    yield Quad(node, term("rdf:type"), term("dg:DiplomaticMission"), GRAPH)
    yield Quad(node, term("dg:country"), mint("country", "usa"), GRAPH)
    yield Quad(node, term("dg:accreditedTo"), mint("country", key), GRAPH)


@pytest.fixture(scope="module")
def real(article_store: object) -> pyoxigraph.Store:
    store = pyoxigraph.Store()
    store.bulk_extend(article_store.engine)  # type: ignore[attr-defined]
    country_of = {cow: row["key"] for row in read_table("countries.tsv").rows for cow in parts(row["cow"])}
    for number, row in enumerate(statuses()):
        key, name = country_of[row["country_code_cow"]], f"row {number}"
        node = mint("status", name)
        store.extend(mission(key))
        store.add(Quad(node, term("dg:statusOf"), mint("mission", f"usa {key}"), GRAPH))
        concept = NamedNode(f"{ID}mission-status/{slugify(row['us_mission_status'])}")
        store.add(Quad(node, term("dg:status"), concept, GRAPH))
        store.add(Quad(node, term("dg:time"), mint("time", name), GRAPH))
        store.extend(interval(name, row["date_start"], row["date_end"]))
    for row in appointments():
        node, name = mint("membership", row["appointment_id"]), row["appointment_id"]
        body = mint("mission", f"usa {STATES[row['place']]}")
        person = mint("person", row["person_id"])
        store.extend(mission(STATES[row["place"]]))
        store.add(Quad(person, term("rdfs:label"), Literal(row["person_name"], language="en"), GRAPH))
        store.add(Quad(node, term("org:member"), person, GRAPH))
        store.add(Quad(node, term("org:organization"), body, GRAPH))
        store.add(Quad(node, term("dg:post"), mint("post", row["role_title_id"]), GRAPH))
        store.add(Quad(node, term("org:memberDuring"), mint("time", name), GRAPH))
        store.extend(interval(name, row["started"], row["ended"]))
    return store


def ask(store: pyoxigraph.Store, name: str, column: str, **values: str) -> list[str]:
    solutions = store.query(CATALOGUE[name].fill(values), use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    return [row[column].value for row in solutions]


@pytest.mark.parametrize("place", ["country/irn", "place/tehran-irn"])
def test_who_headed_the_mission_in_tehran_in_1978(place: str, real: pyoxigraph.Store) -> None:
    values = {"place": place, "sender": "country/usa", "first": "1978-01-01", "last": "1978-12-31"}
    expected = [
        row["person_name"] for row in appointments()
        if row["place"] == "iran" and "" < row["started"] <= "1978-12-31" and row["ended"] >= "1978"
    ]  # fmt: skip
    assert ask(real, "head-of-mission", "personLabel", **values) == expected == ["William Healy Sullivan"]


def test_every_row_is_the_answer_on_its_first_and_last_day(real: pyoxigraph.Store) -> None:
    rows = [row for row in statuses() if row["country_abbrev_cow"] in {"IRN", "CUB", "NAM", "TUR"}]
    assert len({row["us_mission_status"] for row in rows}) >= 4
    key = {"IRN": "irn", "CUB": "cub", "NAM": "nam", "TUR": "tur"}
    for row in rows:
        for day in (row["date_start"], row["date_end"]):
            receiver = f"country/{key[row['country_abbrev_cow']]}"
            (label,) = ask(
                real, "mission-status-on", "status", receiver=receiver, sender="country/usa", on=day
            )
            words = {"Interests": "interests section", "Liaison": "liaison office"}
            words |= {
                f"{who} Nonresident": f"non-resident {who.lower()}"
                for who in ("Ambassador", "Envoy", "Consul")
            }
            assert label == words.get(row["us_mission_status"], row["us_mission_status"].lower())


def test_status_in_iran_on_the_first_of_may_1980(real: pyoxigraph.Store) -> None:
    assert ask(real, "mission-status-on", "status", receiver="country/irn", on="1980-05-01") == ["none"]


def test_closed_missions_of_1979_and_1980_are_those_whose_row_says_none(real: pyoxigraph.Store) -> None:
    rows = statuses()
    closed = set()
    for before, after in pairwise(rows):
        same = before["country_code_cow"] == after["country_code_cow"]
        fell = before["us_mission_status"] != "None" == after["us_mission_status"]
        if same and fell and "1979-01-01" <= after["date_start"] <= "1980-12-31":
            closed.add(after["date_start"])
    period = {"first": "1979-01-01", "last": "1980-12-31"}
    days = ask(real, "missions-closed", "day", **period)
    fallen = ask(real, "missions-closed", "closed", **period)
    assert {day for day, yes in zip(days, fallen, strict=True) if yes == "yes"} == closed
    assert "1980-04-07" in closed
