"""Door: the SPARQL 1.1 Protocol.

The page for browsers is in api/doors/editor.py; queries of programs mostly go by api/server/plain_queries.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from time import perf_counter
from typing import Final, TypeVar

from flask import Blueprint, Response, g, redirect, request
from flask.typing import ResponseReturnValue

from api.doors.editor import SHOWN_ROWS as SHOWN_ROWS
from api.doors.editor import editor_page, show
from api.protocols.void import describe_service
from api.web.auth import writes
from api.web.negotiation import send_answer, wants_html
from api.web.parameters import dataset, decode, inference, only, read_fields
from api.web.problem_details import problem_of
from api.web.query_request import FORM, SPARQL_QUERY, with_base
from api.web.state import state
from kg.describe.lists.solution_tables import result_of
from kg.errors import RequestError, UnsupportedFormatError
from kg.rdf.formats import result_format
from kg.store import Answer, QueryDataset, Store

blueprint = Blueprint("sparql", __name__)

T = TypeVar("T")

# A query or a form is held in memory as a whole, also from clients without a token.
_TEXT_LIMIT: Final = 4 * 1024**2


@blueprint.route("/sparql", methods=["GET", "POST"])
def query() -> ResponseReturnValue:
    """Answer a query (SPARQL 1.1 Protocol 2.1); without one, send the editor or the service description."""
    fields = _query_fields()
    if request.method != "POST" and "query" not in fields:
        return editor_page("") if wants_html() else _description()
    try:
        text = only(fields, "query")
        if wants_html():
            found = _timed(
                text, fields, lambda store, whole, graphs: store.run(result_of, whole, SHOWN_ROWS, graphs)
            )
            return editor_page(text, show(found, fields), reasoned=inference(fields))
        answer = _ask(text, fields)
    except RequestError as error:
        if not wants_html():
            raise
        return editor_page(
            fields.get("query", [""])[0],
            problem=problem_of(error),
            reasoned=fields.get("inference") != ["false"],
        )
    return send_answer(answer)


@blueprint.get("/sparql/results.<name>")
def download(name: str) -> ResponseReturnValue:
    """Answer a query in the format that the address names, for links that cannot send Accept."""
    fields = read_fields(request.query_string)
    answer = _ask(only(fields, "query"), fields)
    response = send_answer(answer, form=result_format(answer.kind, name))
    response.headers["Content-Disposition"] = f"attachment; filename=results.{name}"
    return response


@blueprint.post("/update")
def update() -> ResponseReturnValue:
    """Carry out an update (SPARQL 1.1 Protocol 2.2)."""
    # The fields are read strictly, before the check of a session's form reads them leniently.
    return _carry_out(_body_fields() if request.mimetype == FORM else None)


@writes
def _carry_out(fields: Mapping[str, list[str]] | None) -> ResponseReturnValue:
    if fields is not None:
        text = only(fields, "update")
    else:
        _check_media_type("application/sparql-update")
        fields = read_fields(request.query_string)
        text = decode(request.get_data())
    graphs = dataset(fields, "using-graph-uri", "using-named-graph-uri")
    with state().writing():
        state().store.update(text, with_base(graphs, text, request.base_url))
    return redirect("/sparql", 303) if wants_html() else Response(status=204)


def _ask(text: str, fields: Mapping[str, list[str]]) -> Answer:
    return _timed(text, fields, lambda store, whole, graphs: store.query(whole, graphs))


def _timed(text: str, fields: Mapping[str, list[str]], work: Callable[[Store, str, QueryDataset], T]) -> T:
    """Answer a query over the dataset that the fields name, and note how long it took."""
    graphs = dataset(fields, "default-graph-uri", "named-graph-uri")
    graphs = with_base(graphs, text, request.base_url)
    store = state().asked(inference=inference(fields))
    started = perf_counter()
    answer = work(store, text, graphs)
    g.timings = {"query": perf_counter() - started}
    return answer


def _query_fields() -> dict[str, list[str]]:
    """Read the parameters of a query from where its method puts them; raises ParameterError."""
    if request.method != "POST":
        return read_fields(request.query_string)
    if request.mimetype == FORM:
        return _body_fields()
    _check_media_type(SPARQL_QUERY)
    request.max_content_length = _text_limit()
    fields = read_fields(request.query_string)
    fields.setdefault("query", []).append(decode(request.get_data()))
    return fields


def _body_fields() -> dict[str, list[str]]:
    _check_media_type(FORM)
    request.max_content_length = _text_limit()
    return read_fields(request.get_data())


def _text_limit() -> int:
    return min(state().settings.max_upload, _TEXT_LIMIT)


def _check_media_type(direct: str) -> None:
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if request.mimetype in (direct, FORM) and charset in ("utf-8", "utf8"):
        return
    sent = request.headers.get("Content-Type") or "no media type"
    raise UnsupportedFormatError(
        f"the body is sent as {sent}", mend=f"Send it as {direct} or {FORM}, in UTF-8."
    )


def _description() -> Response:
    return send_answer(describe_service())
