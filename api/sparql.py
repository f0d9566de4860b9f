"""Door: the SPARQL 1.1 Protocol.

The page is the template sparql.html with the variables `query` (text in the editor), `examples` (titles and
texts), `result` (a `Shown`, or None) and `problem` (an `api.errors.Problem`, or None).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode

from flask import Blueprint, Response, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.access import writes
from api.errors import problem_of
from api.negotiation import send_answer, wants_html
from api.state import state
from kg.errors import ParameterError, RequestError, UnsupportedFormatError
from kg.formats import formats_for, result_format
from kg.store import Answer, QueryDataset, Term
from kg.terms import ID, PREFIXES, compact

blueprint = Blueprint("sparql", __name__)

FORM: Final = "application/x-www-form-urlencoded"
SHOWN_ROWS: Final = 1000
# A query, or the fields of a form, is held in memory whole before anybody has shown a token.
_TEXT_LIMIT: Final = 4 * 1024**2

_PROLOGUE: Final = "".join(f"PREFIX {name}: <{PREFIXES[name]}>\n" for name in ("dg", "rdfs"))
EXAMPLES: Final = (
    (
        "Events and who took part in them",
        _PROLOGUE
        + "SELECT DISTINCT ?event ?name ?participant {\n  ?event a dg:Event ; rdfs:label ?name ; "
        + "dg:actor|dg:recipient ?participant .\n} ORDER BY ?name",
    ),
    (
        "Claims, and whom each is attributed to",
        _PROLOGUE
        + "SELECT DISTINCT ?claim ?about ?modality ?who {\n  ?claim a dg:Claim ; dg:about ?about ; "
        + "dg:modality ?modality ;\n    dg:attributionStep/dg:attributedTo ?who .\n}",
    ),
    (
        "The graphs there are, and their size",
        "SELECT ?graph (COUNT(*) AS ?triples) {\n  GRAPH ?graph { ?s ?p ?o }\n} GROUP BY ?graph",
    ),
)


@dataclass(frozen=True)
class Cell:
    """A term in a table: what to show, the page it leads to, and its language or datatype."""

    text: str
    href: str | None = None
    note: str = ""


@dataclass(frozen=True)
class Shown:
    """A result on the page: at most `SHOWN_ROWS` rows, `more` when there are others; `truth` for an ASK.

    `downloads` are pairs of format name and address of the whole result.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    more: bool
    truth: bool | None
    downloads: tuple[tuple[str, str], ...]


@blueprint.route("/sparql", methods=["GET", "POST"])
def query() -> ResponseReturnValue:
    """Answer a query (SPARQL 1.1 Protocol 2.1); without one, give the editor or the service description."""
    fields = _query_fields()
    if request.method != "POST" and "query" not in fields:
        return _page("") if wants_html() else _description()
    try:
        text = _only(fields, "query")
        answer = state().store.query(text, _dataset(fields, "default-graph-uri", "named-graph-uri"))
        if wants_html():
            return _page(text, _show(answer, fields))
    except RequestError as error:
        if not wants_html():
            raise
        problem = problem_of(error)
        page = render_template(
            "sparql.html", query=fields.get("query", [""])[0], examples=EXAMPLES, result=None, problem=problem
        )
        return _vary(make_response(page, problem.status))
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


def _page(text: str, result: Shown | None = None) -> Response:
    page = render_template("sparql.html", query=text, examples=EXAMPLES, result=result, problem=None)
    return _vary(make_response(page))


def _vary(response: Response) -> Response:
    response.vary.add("Accept")
    return response


def _show(answer: Answer, fields: Mapping[str, Sequence[str]]) -> Shown:
    address = urlencode({name: fields[name] for name in fields if name != "csrf_token"}, doseq=True)
    downloads = tuple(
        (form.name, f"/sparql/results.{form.name}?{address}") for form in formats_for(answer.kind)
    )
    if answer.kind == "boolean":
        return Shown((), (), False, answer.truth(), downloads)
    columns = answer.variables
    rows: list[tuple[Cell | None, ...]] = []
    if answer.kind == "graph":
        columns = ("subject", "predicate", "object")
        for triple in islice(answer.triples(), SHOWN_ROWS + 1):
            rows.append((_cell(triple.subject), _cell(triple.predicate), _cell(triple.object)))
    else:
        for row in islice(answer.rows(), SHOWN_ROWS + 1):
            rows.append(tuple(_cell(row.get(name)) for name in columns))
    return Shown(columns, tuple(rows[:SHOWN_ROWS]), len(rows) > SHOWN_ROWS, None, downloads)


def _cell(term: Term | None) -> Cell | None:
    if term is None:
        return None
    value = getattr(term, "value", None)
    if value is None or str(term).startswith("_:"):  # a triple term or a blank node
        return Cell(str(term))
    datatype = getattr(term, "datatype", None)
    if datatype is not None:
        plain = datatype.value == PREFIXES["xsd"] + "string"
        return Cell(value, note=getattr(term, "language", None) or ("" if plain else compact(datatype.value)))
    href = "/id/" + value.removeprefix(ID) if value.startswith(ID) else "/page?" + urlencode({"iri": value})
    return Cell(compact(value), href)


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
