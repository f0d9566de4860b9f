"""The SPARQL 1.1 Protocol.

The page for browsers is in api/doors/editor.py; queries of programs mostly go by api/server/plain_queries.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from time import perf_counter
from typing import Final, TypeVar

from flask import Blueprint, Response, g, jsonify, redirect, request
from flask.typing import ResponseReturnValue

from api.doors.editor import SHOWN_ROWS, editor_page, show
from api.protocols.void import describe_service
from api.web.auth import signed_in, writes
from api.web.negotiation import send_answer, wants_html
from api.web.problem_details import problem_of
from api.web.query_limit import limited
from api.web.sparql_request import FORM, PATH, QueryRequest, read_query, read_update
from api.web.state import state
from api.web.urls import at
from kg.describe.lists.solution_tables import result_of
from kg.errors import RequestError
from kg.rdf.formats import formats_for, result_format
from kg.sparql.protection import keep_own
from kg.store import Answer, Store
from kg.store.interface import graph_names

blueprint = Blueprint("sparql", __name__)

T = TypeVar("T")

# A query or a form is held in memory as a whole, also from clients without a token.
_TEXT_LIMIT: Final = 4 * 1024**2


@blueprint.route(PATH, methods=["GET", "POST"])
@limited
def query() -> ResponseReturnValue:
    """Answer a query (SPARQL 1.1 Protocol 2.1); without one, send the editor or the service description.

    With explain=true, the way it would be answered is sent as JSON.
    """
    if request.method != "POST" and "query" not in request.args:
        return editor_page("") if wants_html() else send_answer(describe_service())
    body = _read_text() if request.method == "POST" else b""
    page = wants_html()
    try:
        asked = _asked(body)
        page = asked.accepted.html
        if asked.explain:
            return jsonify(asdict(_timed(asked, lambda store: store.plan(asked.text, asked.dataset))))
        if not page:
            answer = _answer(asked)
            return send_answer(answer, form=asked.accepted.choose(formats_for(answer.kind)))
        found = _timed(asked, lambda store: store.run(result_of, asked.text, SHOWN_ROWS, asked.dataset))
        return editor_page(asked.text, show(found, asked.fields), reasoned=asked.inference)
    except RequestError as error:
        if not page:
            raise
        reasoned = request.values.getlist("inference") != ["false"]
        return editor_page(request.values.get("query", ""), problem=problem_of(error), reasoned=reasoned)


@blueprint.get("/sparql/results.<name>")
@limited
def download(name: str) -> ResponseReturnValue:
    """Answer a query in the format that the address names, for links that cannot send Accept."""
    answer = _answer(_asked(b""))
    return send_answer(answer, form=result_format(answer.kind, name), file=f"results.{name}")


@blueprint.post("/update")
def update() -> ResponseReturnValue:
    """Carry out an update (SPARQL 1.1 Protocol 2.2)."""
    if request.mimetype == FORM and signed_in():
        # It must be kept before the check of a session's form reads it.
        _read_text()
    return _carry_out()


@writes
def _carry_out() -> ResponseReturnValue:
    sent = request.headers.get("Content-Type", "")
    text, graphs = read_update(request.query_string, sent, request.get_data(), request.base_url)
    store = state().store
    text = keep_own(text, lambda: graph_names(store), graphs.base_iri)
    with state().writing():
        store.update(text, graphs)
    return redirect(at(PATH), 303) if wants_html() else Response(status=204)


def _asked(body: bytes) -> QueryRequest:
    headers = {name.lower(): value for name, value in request.headers}
    base = request.root_url.rstrip("/") + PATH
    return read_query(request.method, request.query_string, headers, body, base)


def _answer(asked: QueryRequest) -> Answer:
    return _timed(asked, lambda store: store.query(asked.text, asked.dataset))


def _timed(asked: QueryRequest, work: Callable[[Store], T]) -> T:
    """Answer a query with entailments or without, and note how long it took."""
    started = perf_counter()
    answer = work(state().asked(inference=asked.inference))
    g.timings = {"query": perf_counter() - started}
    return answer


def _read_text() -> bytes:
    request.max_content_length = min(state().settings.max_upload, _TEXT_LIMIT)
    return request.get_data()
