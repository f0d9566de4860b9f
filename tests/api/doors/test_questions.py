"""The page of a question: a sentence with blanks, answers as table and picture, code that fetches them."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyoxigraph
import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from pyoxigraph import Literal, NamedNode, Quad

from api.doors.questions import catalogue
from api.pages.charts import bars_of, timeline_of
from api.pages.maps_and_networks import network_in
from kg.describe.lists.question_answers import places_in
from kg.describe.lists.solution_tables import ResultTable
from kg.describe.page_model import Value
from kg.search import Name
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, ONTOLOGY, term

BROWSER = {"Accept": "text/html"}
FIXTURES = Path(__file__).parents[2] / "fixtures"
HOSTILE = "<script>alert(1)</script>\"' onload=x"
WHOLE, DECIMAL = (f"http://www.w3.org/2001/XMLSchema#{name}" for name in ("integer", "decimal"))


@pytest.fixture
def codings(store: EmbeddedStore) -> None:
    for name in ("coding.trig", "posts.trig"):
        store.engine.load(path=str(FIXTURES / name), format=pyoxigraph.RdfFormat.TRIG)


def page(client: FlaskClient, address: str) -> str:
    response = client.get(address, headers=BROWSER)
    assert response.status_code == 200, response.text
    return response.text


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_question_has_a_page_with_its_blanks(reading: FlaskClient, name: str) -> None:
    question = catalogue()[name]
    text = page(reading, f"/queries/{name}")
    for parameter in question.parameters:
        assert text.count(f'" name="{parameter.name}"') == 1
        if parameter.kind == "iri":
            assert re.search(rf'name="{parameter.name}"[^>]* data-suggest="/suggest"', text, re.DOTALL)
    if question.parameters:
        assert question.sentence, "a question with blanks is a sentence"


def test_a_blank_takes_a_name_and_shows_the_thing(reading: FlaskClient) -> None:
    text = page(reading, "/queries/dyad?a=Iran&b=US")
    assert 'data-label="Iran"' in text and 'data-label="United States"' in text
    permanent = re.search(r'href="(/queries/dyad\?[^"]+)" rel="bookmark"', text)
    assert permanent
    given = parse_qs(urlsplit(html.unescape(permanent[1])).query)
    assert given == {"a": ["country/irn"], "b": ["country/usa"]}
    assert reading.get(html.unescape(permanent[1]), headers=BROWSER).status_code == 200


def test_a_wrong_blank_is_told_and_kept(reading: FlaskClient) -> None:
    response = reading.get("/queries/posts", query_string={"on": HOSTILE}, headers=BROWSER)
    assert response.status_code == 400 and "is not a date (use 2026-11-30)" in response.text
    assert "<script>alert" not in response.text and html.escape(HOSTILE, quote=False)[:30] in response.text
    response = reading.get("/queries/dyad", query_string={"a": HOSTILE}, headers=BROWSER)
    assert response.status_code == 400 and "<script>alert" not in response.text


def test_things_in_answers_go_by_labels_that_are_never_markup(
    client: FlaskClient, store: EmbeddedStore
) -> None:
    graph, event = NamedNode(GRAPH + "hostile"), NamedNode(ID + "event/hostile")
    store.change(
        [],
        [
            Quad(event, term("rdf:type"), NamedNode(ONTOLOGY + "Event"), graph),
            Quad(event, term("rdfs:label"), Literal(HOSTILE), graph),
            Quad(event, NamedNode(ONTOLOGY + "ledTo"), NamedNode(ID + "event/us-iran-deportation"), graph),
        ],
    )
    text = page(client, "/queries/led-to")
    assert 'href="/page/event/hostile"' in text and "&lt;script&gt;" in text
    assert "<script>alert" not in text
    result = client.post("/sparql/run", data={"query": f"SELECT * {{ <{event.value}> ?p ?o }}"}).text
    assert "&lt;script&gt;" in result and "<script>alert" not in result


def test_months_are_drawn_as_bars_that_the_rows_account_for(client: FlaskClient, codings: None) -> None:
    text = page(client, "/queries/monthly-balance")
    rows = list(csv.DictReader(io.StringIO(client.get("/queries/monthly-balance.csv").text)))
    for row in rows:
        for column in ("cooperative", "conflictual"):
            assert f"<title>{row['month']}: {row[column]} {column}</title>" in text
        assert (f"<title>{row['month']}: {row['mean']} mean</title>" in text) == bool(row["mean"])
    assert 'style="' not in text and "<script>" not in text


def cell(text: str, datatype: str | None = None) -> Value:
    return Value(text, None, None, datatype)


def test_bars_are_as_high_as_their_numbers_say() -> None:
    table = ResultTable(
        ("month", "n", "mean"),
        (
            (cell("2018-01"), cell("2", WHOLE), cell("-4.0", DECIMAL)),
            (cell("2018-02"), cell("8", WHOLE), None),
        ),
        False,
    )
    counts, means = bars_of(table)
    first, second = counts.bars
    assert second.height == pytest.approx(4 * first.height, rel=0.01)
    assert first.y + first.height == pytest.approx(counts.zero, abs=0.2)
    (mean,) = means.bars
    assert mean.y == pytest.approx(means.zero, abs=0.2), "below zero hangs from the axis; nothing is no zero"
    assert first.x < second.x


def test_what_is_no_series_is_not_drawn() -> None:
    twice = ResultTable(("month", "n"), ((cell("2018-01"), cell("2", WHOLE)),) * 2, False)
    assert bars_of(twice) == []
    assert (
        bars_of(
            ResultTable(("name", "n"), ((cell("a"), cell("1", WHOLE)), (cell("b"), cell("2", WHOLE))), False)
        )
        == []
    )
    assert timeline_of(ResultTable(("day",), ((cell("2018-01-01"),), (cell("2018-02-30"),)), False)) is None


def test_a_timeline_puts_days_in_order_and_counts_what_it_leaves_out() -> None:
    def thing(name: str) -> Value:
        return Value(name, Name(ID + name, name))

    rows = ((thing("b"), cell("2018-12-31")), (thing("a"), cell("2018-01-01")), (thing("c"), None))
    line = timeline_of(ResultTable(("what", "day"), rows, False))
    assert line and [mark.text for mark in line.marks] == ["a", "b"] and line.left_out == 1
    assert line.marks[0].x < line.marks[1].x


def test_downloads_hold_the_answer(client: FlaskClient, codings: None) -> None:
    table = list(csv.reader(io.StringIO(client.get("/queries/dyad.csv?a=usa&b=irn").text)))
    book = load_workbook(io.BytesIO(client.get("/queries/dyad.xlsx?a=usa&b=irn").data)).active
    sheet = list(book.iter_rows(values_only=True))
    assert list(sheet[0]) == table[0] and len(sheet) == len(table) > 1


def snippet(text: str, name: str) -> str:
    found = re.search(rf"<summary>{name}</summary><pre[^>]*><code>(.*?)</code>", text, re.DOTALL)
    assert found, name
    return html.unescape(found[1])


@pytest.mark.server
def test_the_code_on_the_page_fetches_the_answer(live_server: str) -> None:
    import httpx

    text = httpx.get(f"{live_server}/queries/dyad?a=Iran&b=usa", headers=BROWSER, timeout=30).text
    wanted = httpx.get(f"{live_server}/queries/dyad.csv?a=Iran&b=usa", timeout=30).text
    code = snippet(text, "Python")
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert int(done.stdout.split()[0]) == len(list(csv.DictReader(io.StringIO(wanted))))
    command = snippet(text, "curl")
    assert command.startswith("curl 'http://127.0.0.1:")
    if shutil.which("curl"):
        address = command.removeprefix("curl '").removesuffix("'")
        fetched = subprocess.run(
            ["curl", "-s", address], capture_output=True, text=True, timeout=60, check=True
        )
        assert fetched.stdout.splitlines() == wanted.splitlines()
    assert 'read.csv("http://127.0.0.1:' in snippet(text, "R")


def test_the_query_opens_in_the_editor_as_it_was_asked(reading: FlaskClient) -> None:
    text = page(reading, "/queries/dyad?a=Iran&b=usa")
    link = re.search(r'href="(/sparql\?query=[^"]+)">Edit as SPARQL', text)
    assert link
    query = parse_qs(urlsplit(html.unescape(link[1])).query)["query"][0]
    assert f"<{ID}country/irn>" in query and "UNDEF" not in query.split("VALUES ?a")[1][:60]
    rows = reading.get("/sparql", query_string={"query": query}, headers={"Accept": "text/csv"}).text
    assert rows == reading.get("/queries/dyad.csv?a=Iran&b=usa").text


def drawn(text: str, name: str) -> dict[str, Any]:
    """Read the data of a picture that a page carries."""
    found = re.search(rf'<script type="application/json" id="{name}">(.*?)</script>', text, re.DOTALL)
    assert found, f"no {name} on the page"
    assert f'data-source="#{name}"' in text
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_an_answer_with_places_comes_as_a_map_beside_its_table(reading: FlaskClient) -> None:
    text = page(reading, "/queries/deportations")
    shown = {place["id"]: place for place in drawn(text, "places")["places"]}
    # Iran by its own numeric code in ISO 3166-1, Louisiana by that of its country.
    assert shown[ID + "country/irn"]["isoNumeric"] == "364"
    assert shown[ID + "place/louisiana"]["isoNumeric"] == "840"
    assert "<table>" in text


def test_an_answer_that_joins_things_comes_as_a_network(reading: FlaskClient) -> None:
    text = page(reading, "/queries/metonyms")
    edges = {(edge["source"], edge["target"]) for edge in drawn(text, "network")["edges"]}
    rows = csv.DictReader(io.StringIO(reading.get("/queries/metonyms.csv").text))
    assert edges
    assert {edge[1] for edge in edges} <= {value for row in rows for value in row.values()}


def test_pictures_need_columns_that_allow_them(reading_app: Flask) -> None:
    iran, york = Name(ID + "country/irn", "Iran"), Name(ID + "source/times", "Times")
    opinion = Name(ID + "modality/opinion", "opinion")
    one = ResultTable(("who", "how"), ((Value("Iran", iran), Value("opinion", opinion)),) * 2, False)
    assert network_in(one) is None, "how something is said is no party"
    two = ResultTable(("who", "whom"), ((Value("Iran", iran), Value("Times", york)),) * 2, False)
    assert network_in(two) is None, "one pair, however often, is no network"
    assert [name.iri for name in places_in(two)] == [iran.iri]
    three = ResultTable(two.columns, (*two.rows, (Value("Times", york), Value("Iran", iran))), False)
    with reading_app.test_request_context():
        found = network_in(three)
    assert found and [node["label"] for node in found["nodes"]] == ["Iran", "Times"]


def test_a_hostile_label_ends_no_picture(client: FlaskClient, store: EmbeddedStore) -> None:
    label = NamedNode("http://www.w3.org/2000/01/rdf-schema#label")
    iran, graph = NamedNode(ID + "country/irn"), NamedNode(GRAPH + "hostile")
    store.engine.add(Quad(iran, label, Literal("</script>" + HOSTILE, language="en"), graph))
    text = page(client, "/queries/deportations")
    assert drawn(text, "places")["places"]
    assert "<script>alert" not in text
