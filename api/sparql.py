"""Door: the SPARQL 1.1 Protocol.

The page for browsers is in api/editor.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes

from flask import Blueprint, Response, redirect, request
from flask.typing import ResponseReturnValue

from api.access import writes
from api.editor import SHOWN_ROWS as SHOWN_ROWS
from api.editor import editor_page, show
from api.errors import problem_of
from api.negotiation import send_answer, wants_html
from api.state import state
from kg.errors import ParameterError, RequestError, UnsupportedFormatError
from kg.formats import formats_for, result_format
from kg.store import QueryDataset

blueprint = Blueprint("sparql", __name__)

FORM: Final = "application/x-www-form-urlencoded"
# A query, or the fields of a form, is held in memory whole before anybody has shown a token.
_TEXT_LIMIT: Final = 4 * 1024**2


@blueprint.route("/sparql", methods=["GET", "POST"])
def query() -> ResponseReturnValue:
    """Answer a query (SPARQL 1.1 Protocol 2.1); without one, give the editor or the service description."""
    fields = _query_fields()
    if request.method != "POST" and "query" not in fields:
        return editor_page("") if wants_html() else _description()
    try:
        text = _only(fields, "query")
        answer = state().store.query(text, _dataset(fields, "default-graph-uri", "named-graph-uri"))
        if wants_html():
            return editor_page(text, show(answer, fields))
    except RequestError as error:
        if not wants_html():
            raise
        return editor_page(fields.get("query", [""])[0], problem=problem_of(error))
    return send_answer(answer)


@blueprint.get("/sparql/results.<name>")
def download(name: str) -> ResponseReturnValue:
    """Answer a query in the format that the address names, for links that cannot send Accept."""
    fields = _read_fields(request.query_string)
    answer = state().store.query(
        _only(fields, "query"), _dataset(fields, "default-graph-uri", "named-graph-uri")
    )
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
        text = _only(fields, "update")
    else:
        _check_media_type("application/sparql-update")
        fields = _read_fields(request.query_string)
        text = _decode(request.get_data())
    state().store.update(text, _dataset(fields, "using-graph-uri", "using-named-graph-uri"))
    return redirect("/sparql", 303) if wants_html() else Response(status=204)


def _query_fields() -> dict[str, list[str]]:
    """Read the parameters of a query from where its method puts them; raises ParameterError."""
    if request.method != "POST":
        return _read_fields(request.query_string)
    if request.mimetype == FORM:
        return _body_fields()
    _check_media_type("application/sparql-query")
    request.max_content_length = _text_limit()
    return {**_read_fields(request.query_string), "query": [_decode(request.get_data())]}


def _body_fields() -> dict[str, list[str]]:
    _check_media_type(FORM)
    request.max_content_length = _text_limit()
    return _read_fields(request.get_data())


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


def _read_fields(encoded: bytes) -> dict[str, list[str]]:
    _decode(unquote_to_bytes(encoded))
    fields: dict[str, list[str]] = {}
    for name, value in parse_qsl(_decode(encoded), keep_blank_values=True):
        fields.setdefault(name, []).append(value)
    return fields


def _decode(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise ParameterError(
            "the text is not UTF-8", where=f"byte {error.start}", mend="Encode it as UTF-8 and send it again."
        ) from None


def _only(fields: Mapping[str, list[str]], name: str) -> str:
    values = fields.get(name, [])
    if len(values) != 1:
        raise ParameterError(
            f"{'no' if not values else len(values)} '{name}' parameter{'s' if len(values) > 1 else ''} given",
            mend=f"Give exactly one '{name}' parameter.",
        )
    return values[0]


def _dataset(fields: Mapping[str, list[str]], default: str, named: str) -> QueryDataset:
    return QueryDataset(tuple(fields.get(default, ())), tuple(fields.get(named, ())))


def _description() -> Response:
    # A CONSTRUCT without a pattern states its template; the store's own writer then gives every format.
    formats = {form.media_type: form for kind in ("solutions", "graph") for form in formats_for(kind)}
    names = " , ".join(f"<http://www.w3.org/ns/formats/{_FORMAT_NAMES[name]}>" for name in formats)
    languages = "sd:SPARQL11Query" + ("" if state().settings.read_only else " , sd:SPARQL11Update")
    endpoint = quote(request.base_url, safe=":/[]%")
    return send_answer(
        state().store.query(
            "PREFIX sd: <http://www.w3.org/ns/sparql-service-description#>\n"
            f"CONSTRUCT {{ <{endpoint}#service> a sd:Service ; sd:endpoint <{endpoint}> ;\n"
            f"  sd:supportedLanguage {languages} ; sd:feature sd:UnionDefaultGraph ;\n"
            f"  sd:resultFormat {names} }} WHERE {{}}"
        )
    )


# The unique names of formats: https://www.w3.org/ns/formats/
_FORMAT_NAMES: Final = {
    "application/sparql-results+json": "SPARQL_Results_JSON",
    "application/sparql-results+xml": "SPARQL_Results_XML",
    "text/csv": "SPARQL_Results_CSV",
    "text/tab-separated-values": "SPARQL_Results_TSV",
    "text/turtle": "Turtle",
    "application/n-triples": "N-Triples",
    "application/rdf+xml": "RDF_XML",
    "application/ld+json": "JSON-LD",
}
