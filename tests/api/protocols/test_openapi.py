"""The OpenAPI description against the application: schemathesis asks with values that nobody thinks of."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.app import create_app
from api.protocols.openapi import describe_doors
from kg.rdf.jsonld import CONTEXT_IRI
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.terms import BASE, ONTOLOGY

CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]


@pytest.fixture(scope="module")
def schema(article_store: EmbeddedStore, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("openapi") / "data"
    # This client closes no answer, so that each would keep its place.
    app = create_app(article_store, Settings(data=folder, token="test-token", max_waiting=1_000_000))
    return schemathesis.openapi.from_wsgi("/openapi.json", app)


@pytest.mark.parametrize("path", describe_doors("http://localhost")["paths"])
def test_every_door_answers_as_described(schema: Any, path: str) -> None:
    @given(case=schema[path]["GET"].as_strategy())
    @settings(
        max_examples=12,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        # The client of tests takes no coded content apart.
        case.call_and_validate(checks=CHECKS, headers={"Accept-Encoding": "identity"})

    ask()


def test_the_description_names_each_question(client: FlaskClient) -> None:
    paths = client.get("/openapi.json").get_json()["paths"]
    for question in client.get("/queries").get_json()["questions"]:
        fields = paths[f"/queries/{question['name']}.json"]["get"]["parameters"]
        asked = [field["name"] for field in fields if field["name"] != "inference"]
        assert asked == [one["name"] for one in question["parameters"]]
        assert len(fields) == len(asked) + 1


def test_the_context_is_served_at_its_iri(client: FlaskClient) -> None:
    path = CONTEXT_IRI.removeprefix(BASE.rstrip("/"))
    response = client.get(path)
    assert response.status_code == 200
    assert response.content_type == "application/ld+json"
    assert json.loads(response.text)["@context"]["dg"] == ONTOLOGY
    old = client.get("/ontology" + path)
    assert (old.status_code, old.location) == (301, path)
