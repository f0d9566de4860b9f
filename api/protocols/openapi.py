"""The OpenAPI description of the JSON interfaces, and the JSON-LD context."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.web.urls import at
from kg import __version__
from kg.bundled import ONTOLOGY_FOLDER
from kg.catalogue import Question
from kg.errors import UnknownNameError

blueprint = Blueprint("discovery", __name__)

_TEXT: Final = {"type": "string"}
_WHOLE: Final = {"type": "integer"}


def _object(**members: Any) -> dict[str, Any]:
    return {"type": "object", "properties": members, "required": list(members)}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_THING: Final = _object(iri=_TEXT, label=_TEXT)
_HIT: Final = _object(iri=_TEXT, value=_TEXT, label=_TEXT, matched=_TEXT, kind=_TEXT, type=_TEXT, page=_TEXT)
_LINE: Final = {
    "begin": _TEXT,
    "end": _TEXT,
    "when": _TEXT,
    "name": _TEXT,
    "types": _list(_THING),
    "actors": _list(_THING),
    "recipients": _list(_THING),
    "places": _list(_THING),
    "sources": _list(_THING),
    "iri": _TEXT,
}
_EVENT: Final = _object(**_LINE, modality=_list(_THING))
_RECORD: Final = _object(**_LINE, goldstein=_TEXT, documents=_list(_THING))
_YEAR: Final = _object(year=_WHOLE, events=_WHOLE, records=_WHOLE)
_SOURCE: Final = _object(
    iri=_TEXT, label=_TEXT, years=_list(_YEAR), undated=_object(events=_WHOLE, records=_WHOLE), claims=_WHOLE
)
_RESULTS: Final = {"type": "object", "properties": {"head": {"type": "object"}}, "required": ["head"]}
_PROBLEM: Final = {
    "type": "object",
    "properties": {"title": _TEXT, "status": _WHOLE, "detail": _TEXT},
    "required": ["title", "status", "detail"],
}


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Send the OpenAPI 3.1 description of the JSON interfaces."""
    response = jsonify(describe_doors(request.url_root.rstrip("/")))
    response.cache_control.max_age = 300
    return response


@blueprint.get("/ontology/context.jsonld")
def old_context() -> ResponseReturnValue:
    """Redirect to the published context."""
    return redirect(at("/context.jsonld"), 301)


@blueprint.get("/context.jsonld")
def context() -> Response:
    """Send the JSON-LD context."""
    path = ONTOLOGY_FOLDER / "context.jsonld"
    if not path.is_file():
        raise UnknownNameError("this version has no JSON-LD context", mend="Use the RDF of /ontology.ttl.")
    response = Response(path.read_bytes(), content_type="application/ld+json")
    response.cache_control.max_age = 86_400
    return response


def describe_doors(root: str) -> dict[str, Any]:
    """Build the OpenAPI description of a server at `root`."""
    filters = [
        _field("type", "Event types, with those under them: IRIs, kind/slug or names", several=True),
        _field("actor", "Who takes part: IRIs, kind/slug or names; all of them must", several=True),
        _field("place", "Where: an IRI, kind/slug or a name"),
        _field("from", "The first day, month or year"),
        _field("to", "The last day, month or year"),
        _field("modality", "How it is said to be, as happened or planned"),
        _field("source", "A named graph as graph/slug, or a source"),
    ]
    text = [_field("q", "A part of a name, a code or an identifier")]
    paths: dict[str, Any] = {
        "/search": _get(
            "search",
            "Find things by name",
            [*text, _field("kind", "Kinds of things, as country", several=True)],
            _object(query=_TEXT, results=_list(_HIT)),
        ),
        "/suggest": _get(
            "suggest",
            "Suggest things whose names begin so",
            [*text, _field("of", "A class whose members alone are suggested, as dg:Agent")],
            _object(results=_list(_HIT)),
        ),
        "/events.json": _get(
            "events", "Events by filters, all of them", filters, _object(rows=_list(_EVENT))
        ),
        "/records.json": _get(
            "records", "Coding records by filters, all of them", filters, _object(rows=_list(_RECORD))
        ),
        "/coverage": _get("coverage", "What is covered", [], _object(sources=_list(_SOURCE))),
        "/queries": _get("questions", "The questions", [], _object(questions=_list({"type": "object"}))),
        "/sparql/terms.json": _get(
            "terms",
            "Prefixes, classes and properties",
            [],
            _object(prefixes={"type": "object"}, classes=_list(_THING), properties=_list(_THING)),
        ),
        "/reconcile/suggest/entity": _suggestion("entity", "things"),
        "/reconcile/suggest/type": _suggestion("type", "classes"),
        "/reconcile/suggest/property": _suggestion("property", "properties"),
        "/reconcile": _get(
            "reconcile",
            "Reconciliation Service API 0.2: the manifest, or answers to queries or a data extension",
            [_field("queries", "A batch of queries, as JSON"), _field("extend", "A data extension, as JSON")],
            {"type": "object"},
        ),
    }
    for question in catalogue().values():
        paths[f"/queries/{question.name}.json"] = _question(question)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "diplograph",
            "version": __version__,
            "description": "Who did what to whom, who says so, and how sure they are.",
        },
        "servers": [{"url": root}],
        "paths": paths,
        "components": {
            "responses": {
                "Problem": {
                    "description": "What is wrong, and how to mend it (RFC 9457)",
                    "content": {"application/problem+json": {"schema": _PROBLEM}},
                }
            }
        },
    }


_INFERENCE: Final[dict[str, Any]] = {
    "name": "inference",
    "in": "query",
    "required": False,
    "description": "Whether what is only entailed counts",
    "schema": {"type": "string", "enum": ["true", "false"], "default": "true"},
}


def _question(question: Question) -> dict[str, Any]:
    fields = [_field(p.name, p.description, required=p.required) for p in question.parameters]
    fields.append(_INFERENCE)
    name = "question_" + question.name.replace("-", "_")
    return _get(name, question.title, fields, _RESULTS, "application/sparql-results+json")


def _suggestion(kind: str, plural: str) -> dict[str, Any]:
    one = _object(id=_TEXT, name=_TEXT, description=_TEXT)
    fields = [_field("prefix", "The beginning of a name"), _field("cursor", "How many to pass over")]
    return _get(f"suggest_{kind}", f"Suggest {plural} to reconcile with", fields, _object(result=_list(one)))


def _field(name: str, about: str, *, several: bool = False, required: bool = False) -> dict[str, Any]:
    schema = {"type": "array", "items": _TEXT, "maxItems": 3} if several else _TEXT
    return {"name": name, "in": "query", "required": required, "description": about, "schema": schema}


def _get(
    name: str,
    about: str,
    fields: list[dict[str, Any]],
    schema: dict[str, Any],
    media_type: str = "application/json",
) -> dict[str, Any]:
    return {
        "get": {
            "operationId": name,
            "summary": about,
            "parameters": fields,
            "responses": {
                "200": {"description": about, "content": {media_type: {"schema": schema}}},
                "400": {"$ref": "#/components/responses/Problem"},
                "404": {"$ref": "#/components/responses/Problem"},
            },
        }
    }
