"""The Reconciliation Service API 0.2 of the W3C Entity Reconciliation Community Group.

Ids of things are `kind/slug`; those of classes and properties are local names of our ontology, or prefixed
names. Nothing here writes.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from flask import Blueprint, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import escape

from api.doors.search import value_of
from api.pages.page_parameters import whole_number
from api.web.headers import POLICY
from api.web.problem_details import problem_of
from api.web.state import state
from api.web.urls import path_of
from kg.describe.page_model import Value
from kg.describe.site.reconciliation import (
    Card,
    Match,
    NameQuery,
    candidates_for,
    card_of,
    extend,
    match_names,
    properties_of,
    terms_named,
)
from kg.errors import ParameterError, RequestError, UnknownNameError
from kg.search import name_all, suggest, with_types
from kg.terms import ID, ONTOLOGY, PREFIXES, compact

blueprint = Blueprint("reconcile", __name__)

_BATCH: Final = 200
_LIMIT: Final = 50
_DEFAULT: Final = 10
_SUGGESTED: Final = 20
_IDS: Final = 1_000
_TYPES: Final = ("Country", "Agency", "Organization", "Person", "Place", "Event", "EventType", "Source")
_NUMBERS: Final = {"integer": ("int", int), "decimal": ("float", float), "double": ("float", float)}


@blueprint.route("/reconcile", methods=["GET", "POST"])
def service() -> ResponseReturnValue:
    """Send the manifest (section 3), the results of a batch of queries (4), or a data extension (5)."""
    if "queries" in request.values:
        return jsonify(_batch(_json("queries")))
    if "extend" in request.values:
        return jsonify(_extend(_json("extend")))
    return jsonify(_manifest(request.url_root.rstrip("/")))


@blueprint.get("/reconcile/suggest/entity")
def suggest_entity() -> ResponseReturnValue:
    """Suggest things by the beginning of a name (section 6)."""
    store = state().store
    start = _cursor()
    hits = [
        hit
        for hit in suggest(store, request.args.get("prefix", ""), _SUGGESTED * 3)
        if hit.iri.startswith(ID)
    ][start : start + _SUGGESTED]
    return jsonify(
        {
            "result": [
                {
                    "id": value_of(hit.iri),
                    "name": hit.label,
                    "description": f"{hit.type_label} ({hit.matched})" if hit.matched else hit.type_label,
                    "notable": [{"id": hit.kind, "name": hit.type_label}] if hit.type_label else [],
                }
                for hit in (store.run(with_types, hits) if hits else ())
            ]
        }
    )


@blueprint.get("/reconcile/suggest/type")
def suggest_type() -> ResponseReturnValue:
    """Suggest classes by a part of their name (section 6)."""
    return _terms("class")


@blueprint.get("/reconcile/suggest/property")
def suggest_property() -> ResponseReturnValue:
    """Suggest properties by a part of their name (section 6)."""
    return _terms("property")


@blueprint.get("/reconcile/flyout/<kind>")
def flyout(kind: str) -> ResponseReturnValue:
    """Return a few words of HTML about a thing, class or property (section 6.2)."""
    given = request.args.get("id", "")
    card = _card(ID + given if kind == "entity" else _term(given), given, known=kind != "entity")
    html = f"<p><strong>{escape(card.name.label)}</strong></p><p>{escape(card.line)}</p>"
    return jsonify({"id": given, "html": html})


@blueprint.get("/reconcile/preview")
def preview() -> ResponseReturnValue:
    """Show a thing in a small page that other sites may embed (section 3.4)."""
    given = request.args.get("id", "")
    card = _card(ID + given, given)
    address = request.host_url.rstrip("/") + path_of(card.name.iri)
    page = render_template("reconcile-preview.html", name=card.name, line=card.line, address=address)
    response = make_response(page)
    response.headers["Content-Security-Policy"] = POLICY.replace(
        "frame-ancestors 'none'", "frame-ancestors *"
    )
    return response


@blueprint.get("/reconcile/properties")
def proposals() -> ResponseReturnValue:
    """Propose properties for extending data of a class (section 5.1)."""
    given = request.args.get("type", "")
    limit = _limit(request.args.get("limit", "30"))
    found = state().store.run(properties_of, _term(given) if given else None, limit)
    return jsonify(
        {
            "type": given,
            "limit": limit,
            "properties": [{"id": _short(name.iri), "name": name.label} for name in found],
        }
    )


def _manifest(root: str) -> dict[str, Any]:
    def part(path: str, flyout_path: str) -> dict[str, str]:
        return {
            "service_url": root,
            "service_path": path,
            "flyout_service_url": root,
            "flyout_service_path": f"{flyout_path}?id=${{id}}",
        }

    names = state().store.run(name_all, [ONTOLOGY + local for local in _TYPES])
    return {
        "versions": ["0.2"],
        "name": "diplograph: diplomatic interactions",
        "identifierSpace": ID,
        "schemaSpace": ONTOLOGY,
        "documentation": f"{root}/ontology",
        "view": {"url": f"{root}/id/{{{{id}}}}"},
        "defaultTypes": [{"id": local, "name": names[ONTOLOGY + local].label} for local in _TYPES],
        "preview": {"url": f"{root}/reconcile/preview?id={{{{id}}}}", "width": 420, "height": 180},
        "suggest": {
            "entity": part("/reconcile/suggest/entity", "/reconcile/flyout/entity"),
            "type": part("/reconcile/suggest/type", "/reconcile/flyout/type"),
            "property": part("/reconcile/suggest/property", "/reconcile/flyout/property"),
        },
        "extend": {
            "propose_properties": {"service_url": root, "service_path": "/reconcile/properties"},
            "property_settings": [],
        },
    }


def _batch(queries: Any) -> dict[str, Any]:
    if not isinstance(queries, dict) or len(queries) > _BATCH:
        raise ParameterError(
            f"'queries' is not an object of at most {_BATCH} queries", mend='Use {"q0": {"query": "Iran"}}.'
        )
    read: dict[str, NameQuery] = {}
    answers: dict[str, Any] = {}
    for key, query in queries.items():
        answers[key] = {"result": []}
        try:
            read[key] = _name_query(key, query)
        except RequestError as error:
            answers[key]["error"] = problem_of(error).members()
    for key, found in zip(read, state().store.run(match_names, list(read.values())), strict=True):
        answers[key]["result"] = [_match(one) for one in found]
    return answers


def _name_query(key: str, query: Any) -> NameQuery:
    """Read one query of a batch; it has a name, or properties without a name."""
    facts = _facts(key, query.get("properties") or []) if isinstance(query, dict) else {}
    name = query.get("query", "" if facts else None) if isinstance(query, dict) else None
    if not isinstance(name, str):
        raise ParameterError(
            f"{key} has neither a text 'query' nor 'properties'", mend='Use {"query": "Iran"}.'
        )
    given = query.get("type") or []
    classes = [_term(str(one)) for one in (given if isinstance(given, list) else [given])]
    strict = query.get("type_strict")
    groups = [[cls] for cls in classes] if strict == "all" else [classes] if classes else []
    return NameQuery(
        name,
        _DEFAULT if query.get("limit") is None else _limit(query["limit"]),
        candidates_for(state().store, name, facts),
        () if strict == "should" else tuple(map(tuple, groups)),
        facts,
    )


def _match(match: Match) -> dict[str, Any]:
    parts = (("name", match.name_score), ("properties", match.property_score))
    features = [{"id": name, "value": value} for name, value in parts if value is not None]
    return {
        "id": value_of(match.name.iri),
        "name": match.name.label,
        "type": [{"id": _short(cls.iri), "name": cls.label} for cls in match.types],
        "score": match.score,
        "match": match.sure,
        "features": features,
    }


def _facts(key: str, given: Any) -> dict[str, list[str]]:
    if not isinstance(given, list) or not all(
        isinstance(one, dict) and {"pid", "v"} <= set(one) for one in given
    ):
        raise ParameterError(
            f"{key}: 'properties' is not a list of {{pid, v}}", mend='Use [{"pid": …, "v": …}].'
        )
    facts: dict[str, list[str]] = {}
    for one in given:
        found = one.get("v")
        for value in found if isinstance(found, list) else [found]:
            text = ID + str(value["id"]) if isinstance(value, dict) and "id" in value else str(value)
            facts.setdefault(_term(str(one["pid"])), []).append(text)
    return facts


def _extend(asked: Any) -> dict[str, Any]:
    ids = asked.get("ids") if isinstance(asked, dict) else None
    wanted = asked.get("properties") if isinstance(asked, dict) else None
    if not isinstance(ids, list) or not isinstance(wanted, list) or len(ids) > _IDS:
        raise ParameterError(
            f"'extend' is not an object with 'ids' (at most {_IDS}) and 'properties'",
            mend='Write {"ids": ["country/irn"], "properties": [{"id": "iso3"}]}.',
        )
    for number, key in enumerate(ids, 1):
        if not isinstance(key, str):
            raise ParameterError(
                f"{json.dumps(key)[:80]}, number {number} of 'ids', is not an id in quotation marks",
                mend='Write {"ids": ["country/irn"], …}, and leave out rows without an id.',
            )
    given = [str(one.get("id", "")) if isinstance(one, dict) else str(one) for one in wanted]
    properties = {key: _term(key) for key in given}
    iris = {key: ID + key for key in ids}
    # An invalid id has no values, but the others do.
    fitting = [iri for iri in iris.values() if not re.search(r"[\s<>\"{}|\\^`]", iri)]
    found = state().store.run(extend, fitting, list(properties.values()))
    return {
        "meta": [{"id": key, "name": found.names[iri].label} for key, iri in properties.items()],
        "rows": {
            key: {
                prop: [_extended(value) for value in found.values.get(iri, {}).get(properties[prop], [])]
                for prop in properties
            }
            for key, iri in iris.items()
        },
    }


def _extended(value: Value) -> dict[str, Any]:
    if value.name:
        if value.name.iri.startswith(ID):
            return {"id": value_of(value.name.iri), "name": value.name.label}
        return {"str": value.name.iri}
    local = (value.datatype or "").rpartition("#")[2]
    if local in _NUMBERS:
        key, read = _NUMBERS[local]
        try:
            return {key: read(value.text)}
        except ValueError:
            return {"str": value.text}
    if local in ("date", "dateTime"):
        return {"date": value.text}
    if local == "boolean":
        return {"bool": value.text in ("true", "1")}
    return {"str": value.text}


def _terms(kind: str) -> ResponseReturnValue:
    start = _cursor()
    every = state().store.run(terms_named, kind, request.args.get("prefix", ""))
    found = every[start : start + _SUGGESTED]
    return jsonify(
        {
            "result": [
                {"id": _short(name.iri), "name": name.label, "description": about[:300]}
                for name, about in found
            ]
        }
    )


def _json(field: str) -> Any:
    try:
        return json.loads(request.values[field])
    except (ValueError, RecursionError) as error:
        raise ParameterError(f"'{field}' is not JSON: {error}", mend="Send it as one JSON object.") from None


def _limit(given: Any) -> int:
    # The schema of queries has a number, which some clients write as 3.0.
    if isinstance(given, float) and given.is_integer():
        given = int(given)
    return min(whole_number(str(given), "limit", 1, 9_999_999), _LIMIT)


def _cursor() -> int:
    text = request.args.get("cursor", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


def _term(given: str) -> str:
    """Return the IRI of a class or property from its id; raises ParameterError."""
    prefix, colon, local = given.partition(":")
    if colon and prefix in PREFIXES and re.fullmatch(r"[\w./-]+", local):
        return PREFIXES[prefix] + local
    if re.fullmatch(r"[\w-]{1,100}", given):
        return ONTOLOGY + given
    if re.fullmatch(r"https?://[^\s<>\"{}|\\^`]{1,500}", given):
        return given
    raise ParameterError(
        f"“{given[:80]}” is not a class or property",
        mend="Use a local name of the ontology, such as Country.",
    )


def _short(iri: str) -> str:
    return iri.removeprefix(ONTOLOGY) if iri.startswith(ONTOLOGY) else compact(iri)


def _card(iri: str, given: str, *, known: bool = False) -> Card:
    found = state().store.run(card_of, iri, known=known) if given else None
    if found is None:
        raise UnknownNameError(
            f"no thing has the id {given[:200]!r}", mend="Look it up with /reconcile/suggest/entity."
        )
    return found
