"""Door: loading. A file is shown as a plan first, and stored when the plan is committed."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Blueprint, current_app, jsonify, redirect, render_template, request
from flask.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue

from api.access import signed_in, writes
from api.negotiation import wants_html
from api.shelf import PlanShelf
from api.state import state
from kg import load as loading
from kg.errors import ParameterError, UnknownNameError
from kg.formats import RDF_FORMATS
from kg.load import Plan
from kg.terms import compact, term

blueprint = Blueprint("loads", __name__)

_FORM = "multipart/form-data"
_SHELF = "diplograph plans"
_LABEL = term("rdfs:label")


@blueprint.record_once
def _set_up(setup: BlueprintSetupState) -> None:
    setup.app.extensions[_SHELF] = PlanShelf()


@blueprint.get("/load")
def form() -> ResponseReturnValue:
    """Show the form that takes a file."""
    return render_template("load.html", formats=RDF_FORMATS, may_load=signed_in())


@blueprint.post("/load")
@writes
def preview() -> ResponseReturnValue:
    """Plan a load of the form's `file`, or of a body of RDF; may name `source`, `format`, `name`, `base`."""
    data, name, media_type = _upload()
    plan = loading.plan(
        state().store,
        data,
        name=name,
        format=_option("format"),
        media_type=media_type,
        source=_option("source"),
        base_iri=_option("base"),
    )
    plan_id = _shelf().put(plan)
    place = f"/loads/{plan_id}"
    if wants_html():
        return redirect(place, 303)
    return jsonify(_plan_members(plan_id, plan)), 201, {"Location": place, "Vary": "Accept"}


@blueprint.post("/loads/<plan_id>/commit")
@writes
def commit(plan_id: str) -> ResponseReturnValue:
    """Carry out a plan."""
    plan = _shelf().get(plan_id)
    load = loading.commit(state().store, plan)
    _shelf().drop(plan_id)
    if wants_html():
        return redirect(f"/loads/{load.id}" if load else "/loads", 303)
    if load is None:
        return jsonify({"unchanged": True, "graph": plan.graph.value, "load": None})
    return jsonify({"unchanged": False, **load.summary(), "links": {"self": f"/loads/{load.id}"}})


@blueprint.get("/loads")
def history() -> ResponseReturnValue:
    """List the loads, newest first."""
    loads = loading.list_loads(state().store)
    if wants_html():
        return render_template("loads.html", loads=loads, compact=compact)
    return jsonify({"loads": [load.summary() for load in loads]}), {"Vary": "Accept"}


@blueprint.get("/loads/<load_id>")
def one(load_id: str) -> ResponseReturnValue:
    """Show a plan that waits, or a load that was carried out."""
    try:
        plan = _shelf().get(load_id)
    except UnknownNameError:
        load = loading.read_load(state().store, load_id)
        if wants_html():
            return render_template(
                "load-done.html", load=load, graph=compact(load.graph), look=_look(load.graph)
            )
        return jsonify(load.summary()), {"Vary": "Accept"}
    headers = {"Vary": "Accept", "Cache-Control": "no-store"}
    if wants_html():
        graph = compact(plan.graph.value)
        return render_template("load-preview.html", plan=plan, plan_id=load_id, graph=graph), headers
    return jsonify(_plan_members(load_id, plan)), headers


def _upload() -> tuple[bytes, str, str]:
    if request.mimetype == _FORM:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise ParameterError("no file was chosen", mend="Choose a file in the field `file`.")
        return file.read(), file.filename, file.mimetype
    name = request.args.get("name", "")
    if not name and not _option("source"):
        raise ParameterError(
            "a body without a file name needs to say which source it is",
            mend="Add ?source=NAME (or ?name=FILE.ttl) to the address.",
        )
    return request.get_data(cache=False), name or "body", request.mimetype


def _option(name: str) -> str | None:
    given = request.args.get(name) or (request.form.get(name) if request.mimetype == _FORM else None)
    return given.strip() or None if given else None


def _shelf() -> PlanShelf:
    shelf: PlanShelf = current_app.extensions[_SHELF]
    return shelf


def _plan_members(plan_id: str, plan: Plan) -> dict[str, object]:
    links = {"self": f"/loads/{plan_id}", "commit": f"/loads/{plan_id}/commit"}
    return {"id": plan_id, **plan.summary(), "links": links}


def _look(graph: str) -> str:
    query = (
        f"SELECT ?thing ?label WHERE {{\n  GRAPH <{graph}> {{ ?thing {_LABEL} ?label }}\n}} ORDER BY ?label"
    )
    return "/sparql?" + urlencode({"query": query})
