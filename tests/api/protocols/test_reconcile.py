"""A client of the Reconciliation Service API 0.2, written from the report of the W3C community group.

Section numbers are those of that report: 3 manifest, 4 queries, 5 suggest and preview, 6 data extension.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from kg.terms import ID, ONTOLOGY


def manifest(client: FlaskClient) -> dict[str, Any]:
    response = client.get("/reconcile")
    assert response.mimetype == "application/json"
    found: dict[str, Any] = response.get_json()
    return found


def ask(client: FlaskClient, **queries: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    response = client.post("/reconcile", data={"queries": json.dumps(queries)})
    assert response.status_code == 200, response.text
    answers = response.get_json()
    assert set(answers) == set(queries)
    for answer in answers.values():
        for one in answer["result"]:
            assert isinstance(one["id"], str) and isinstance(one["name"], str)
            assert isinstance(one["score"], (int, float)) and isinstance(one["match"], bool)
            assert all(set(kind) == {"id", "name"} for kind in one["type"])
        scores = [one["score"] for one in answer["result"]]
        assert scores == sorted(scores, reverse=True)
    return {key: answer["result"] for key, answer in answers.items()}


def extend(client: FlaskClient, ids: list[str], *properties: str) -> dict[str, Any]:
    asked = {"ids": ids, "properties": [{"id": prop} for prop in properties]}
    response = client.post("/reconcile", data={"extend": json.dumps(asked)})
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.get_json()
    return found


def test_the_manifest_has_what_a_client_needs(reading: FlaskClient) -> None:
    found = manifest(reading)
    assert "0.2" in found["versions"] and found["name"]
    assert found["identifierSpace"] == ID and found["schemaSpace"] == ONTOLOGY
    assert "{{id}}" in found["view"]["url"] and "{{id}}" in found["preview"]["url"]
    assert found["preview"]["width"] > 0 and found["preview"]["height"] > 0
    assert {"id": "Country", "name": "country"} in found["defaultTypes"]
    for kind in ("entity", "type", "property"):
        assert {"service_url", "service_path", "flyout_service_path"} <= set(found["suggest"][kind])
        assert "${id}" in found["suggest"][kind]["flyout_service_path"]
    assert {"service_url", "service_path"} <= set(found["extend"]["propose_properties"])


def test_other_origins_may_ask(reading: FlaskClient) -> None:
    assert reading.get("/reconcile").headers["Access-Control-Allow-Origin"] == "*"
    response = reading.post("/reconcile", data={"queries": "{}"})
    assert response.headers["Access-Control-Allow-Origin"] == "*" and response.get_json() == {}


def test_addresses_of_the_manifest_answer(reading: FlaskClient) -> None:
    found = manifest(reading)
    local = "http://localhost"
    view = found["view"]["url"].replace("{{id}}", "country/irn").removeprefix(local)
    assert reading.get(view, headers={"Accept": "text/html"}).status_code == 303
    preview = reading.get(found["preview"]["url"].replace("{{id}}", "country/irn").removeprefix(local))
    assert preview.mimetype == "text/html" and "Iran" in preview.text
    assert "frame-ancestors *" in preview.headers["Content-Security-Policy"]
    assert "script-src 'self'" in preview.headers["Content-Security-Policy"]
    known = {"entity": ("ira", "country/irn"), "type": ("coun", "Country"), "property": ("iso", "iso3")}
    for kind, (prefix, wanted) in known.items():
        part = found["suggest"][kind]
        assert part["service_url"] == local
        response = reading.get(part["service_path"], query_string={"prefix": prefix})
        results = response.get_json()["result"]
        assert wanted in [one["id"] for one in results] and all(one["name"] for one in results)
        flyout = reading.get(part["flyout_service_path"].replace("${id}", wanted)).get_json()
        assert flyout["id"] == wanted and flyout["html"].startswith("<")


def test_a_batch_by_get_and_by_post(reading: FlaskClient) -> None:
    queries = {"q0": {"query": "Iran"}, "q1": {"query": "Qatar", "type": "Country", "limit": 1}}
    by_get = reading.get("/reconcile", query_string={"queries": json.dumps(queries)}).get_json()
    found = ask(reading, **queries)
    assert {key: answer["result"] for key, answer in by_get.items()} == found
    assert found["q0"][0]["id"] == "country/irn" and len(found["q0"]) > 1
    assert [one["id"] for one in found["q1"]] == ["country/qat"]


def test_only_what_is_beyond_doubt_matches(reading: FlaskClient) -> None:
    found = ask(
        reading,
        same={"query": "IRAN", "type": "Country"},
        alias={"query": "Islamic Republic of Iran", "type": "Country"},
        code={"query": "QAT"},
        near={"query": "Irann", "type": "Country"},
        none={"query": "zzzzzz"},
        empty={"query": ""},
    )
    assert found["same"][0]["match"] and found["same"][0]["id"] == "country/irn"
    assert found["code"][0]["match"] and found["code"][0]["id"] == "country/qat"
    assert found["alias"][0]["id"] == "country/irn"
    assert found["near"][0]["id"] == "country/irn" and not found["near"][0]["match"]
    assert found["none"] == [] and found["empty"] == []


def test_a_type_holds_its_subclasses_and_may_be_strict(reading: FlaskClient) -> None:
    found = ask(
        reading,
        agent={"query": "Iran", "type": "Agent"},
        events={"query": "Iran", "type": "Event"},
        any={"query": "Iran", "type": ["Event", "Country"]},
        all={"query": "Iran", "type": ["Place", "Agent"], "type_strict": "all"},
        should={"query": "Iran", "type": "Event", "type_strict": "should", "limit": 1},
    )
    assert "country/irn" in [one["id"] for one in found["agent"]]
    assert found["events"] and all(one["id"].startswith("event/") for one in found["events"])
    assert {one["id"].partition("/")[0] for one in found["any"]} == {"event", "country"}
    assert [one["id"] for one in found["all"]] == ["country/irn"]
    assert found["should"][0]["id"] == "country/irn"


def test_properties_tell_namesakes_apart(reading: FlaskClient) -> None:
    right = {"pid": "country", "v": {"id": "country/usa"}}
    wrong = {"pid": "country", "v": "Iran"}
    name = "Department of Homeland Security"
    found = ask(
        reading,
        right={"query": name, "properties": [right]},
        wrong={"query": name, "properties": [wrong]},
        both={"query": name, "properties": [{"pid": "country", "v": ["Iran", "United States"]}]},
    )
    assert found["right"][0]["match"] and found["both"][0]["match"]
    assert not found["wrong"][0]["match"] and found["wrong"][0]["score"] < found["right"][0]["score"]
    features = {one["id"]: one["value"] for one in found["right"][0]["features"]}
    assert features == {"name": 100.0, "properties": 100.0}


def test_data_extension(reading: FlaskClient) -> None:
    found = extend(
        reading,
        ["country/irn", "country/nowhere", "agency/department-of-homeland-security"],
        "iso3",
        "country",
    )
    assert [one["id"] for one in found["meta"]] == ["iso3", "country"] and all(
        one["name"] for one in found["meta"]
    )
    assert found["rows"]["country/irn"] == {"iso3": [{"str": "IRN"}], "country": []}
    assert found["rows"]["country/nowhere"] == {"iso3": [], "country": []}
    assert found["rows"]["agency/department-of-homeland-security"]["country"] == [
        {"id": "country/usa", "name": "United States"}
    ]


def test_values_keep_their_types(reading: FlaskClient) -> None:
    numbers = [one["id"] for one in ask(reading, q={"query": "deportations", "type": "Quantity"})["q"]]
    values = extend(reading, numbers, "value")["rows"]
    assert {key for row in values.values() for value in row["value"] for key in value} <= {"int", "float"}
    assert any(row["value"] for row in values.values())


def test_properties_are_proposed_for_a_type(reading: FlaskClient) -> None:
    found = reading.get("/reconcile/properties?type=Country&limit=2").get_json()
    assert found["type"] == "Country" and found["limit"] == 2 and len(found["properties"]) == 2
    assert all({"id", "name"} == set(one) for one in found["properties"])
    assert reading.get("/reconcile/properties").get_json()["properties"]


@pytest.mark.parametrize(
    "form",
    [
        {"queries": "no json"},
        {"queries": "[]"},
        {"queries": "[" * 100_000},
        {"queries": json.dumps({str(n): {"query": "a"} for n in range(201)})},
        {"extend": "1"},
        {"extend": '{"ids": ["country/irn"]}'},
        {"extend": '{"ids": [], "properties": [{"id": "<>"}]}'},
        {"extend": '{"ids": [5, null], "properties": [{"id": "iso3"}]}'},
    ],
)
def test_what_cannot_be_read_is_told(reading: FlaskClient, form: dict[str, str]) -> None:
    response = reading.post("/reconcile", data=form)
    assert response.status_code == 400 and response.get_json(force=True)["mend"]


@pytest.mark.parametrize(
    "odd",
    [
        *({}, {"query": 1}, "Iran", None, {"query": "a", "limit": -1}, {"query": "a", "limit": 2.5}),
        *({"query": "a", "limit": 0}, {"query": "a", "limit": False}, {"query": "a", "limit": ""}),
        *({"query": "a", "type": "no such <type>"}, {"query": "a", "properties": "x"}, {"properties": []}),
        {"query": "a", "properties": [{"pid": "iso3"}]},
    ],
)
def test_an_odd_query_fails_alone(reading: FlaskClient, odd: Any) -> None:
    queries = {"before": {"query": "Iran"}, "odd": odd, "after": {"query": "Qatar"}}
    found = ask(reading, **queries)
    assert (found["before"][0]["id"], found["after"][0]["id"]) == ("country/irn", "country/qat")
    response = reading.post("/reconcile", data={"queries": json.dumps(queries)}).get_json()
    assert response["odd"]["result"] == [] and response["odd"]["error"]["mend"]
    assert "error" not in response["before"]


def test_properties_may_stand_alone(reading: FlaskClient) -> None:
    """The schema of queries: `query`, or `properties` with one entry at least."""
    found = ask(
        reading,
        code={"properties": [{"pid": "iso3", "v": "irn"}]},
        both={"properties": [{"pid": "iso3", "v": "QAT"}, {"pid": "iso2", "v": "QA"}]},
        thing={"properties": [{"pid": "country", "v": {"id": "country/usa"}}], "type": "Agency"},
        name={"properties": [{"pid": "country", "v": "United States"}], "type": "Agency"},
        none={"properties": [{"pid": "iso3", "v": "}} # <x>"}]},
    )
    assert [(one["id"], one["score"], one["match"]) for one in found["code"]] == [("country/irn", 100, True)]
    assert found["both"][0]["id"] == "country/qat" and found["both"][0]["match"]
    assert found["both"][0]["features"] == [{"id": "properties", "value": 100}]
    assert "agency/department-of-homeland-security" in [one["id"] for one in found["thing"]]
    assert found["name"] == found["thing"] and not found["thing"][0]["match"]
    assert found["none"] == []


@pytest.mark.parametrize(
    "text",
    [
        *("IRN", "IR", "364", "Q794", "wd:Q794", "http://www.wikidata.org/entity/Q794"),
        *("country/irn", "id:country/irn", ID + "country/irn", " " + ID + "country/irn "),
    ],
)
def test_identifiers_are_names(reading: FlaskClient, text: str) -> None:
    (first, *_) = ask(reading, q={"query": text, "limit": 3.0})["q"]
    assert (first["id"], first["name"], first["match"]) == ("country/irn", "Iran", True)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        *(("Quatar", "country/qat"), ("Irann", "country/irn"), ("Isreal", "country/isr")),
        *(("Wuatar", "country/qat"), ("Phillipines", "country/phl"), ("Unted Staets", "country/usa")),
        *(("U.K.", "country/gbr"), ("U.N.", "organization/united-nations"), ("U.S.", "country/usa")),
        *(("U.A.E.", "country/are"), ("D.R.C.", "country/cod"), ("U. S. A.", "country/usa")),
    ],
)
def test_misspelt_and_abbreviated_names_come_first(reading: FlaskClient, text: str, wanted: str) -> None:
    assert ask(reading, q={"query": text})["q"][0]["id"] == wanted
    found = reading.get("/search", query_string={"q": text}).get_json()["results"]
    assert found[0]["iri"] == ID + wanted
    if text != "Wuatar":  # while it is being typed, the first letter is believed
        offered = reading.get("/suggest", query_string={"q": text}).get_json()["results"]
        assert offered[0]["iri"] == ID + wanted


@pytest.mark.parametrize("given", ["a b", "<x>", "../x", "\u202e", "a" * 5_000, "{}", ""])
def test_strange_ids_do_no_harm(reading: FlaskClient, given: str) -> None:
    assert extend(reading, [given], "iso3")["rows"][given] == {"iso3": []}
    for path in ("/reconcile/preview", "/reconcile/flyout/entity"):
        assert reading.get(path, query_string={"id": given}).status_code == 404
