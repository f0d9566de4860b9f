"""Door: the SPARQL 1.1 Protocol.

The page is the template sparql.html with the variables `query` (text in the editor), `examples` (titles and
texts), `result` (a `Shown`, or None) and `problem` (an `api.errors.Problem`, or None).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from time import perf_counter
from typing import Final, TypeVar
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, g, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue

from api.access import writes
from api.errors import problem_of
from api.fields import dataset, decode, only, read_fields
from api.negotiation import send_answer, wants_html
from api.state import state
from api.void import describe_service
from kg.errors import QuerySyntaxError, RequestError, UnsupportedFormatError
from kg.formats import formats_for, result_format
from kg.store import Answer, QueryDataset, Term
from kg.terms import ID, PREFIXES, compact

blueprint = Blueprint("sparql", __name__)

T = TypeVar("T")

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
        text = only(fields, "query")
        answer = _ask(text, dataset(fields, "default-graph-uri", "named-graph-uri"))
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
    fields = read_fields(request.query_string)
    answer = _ask(only(fields, "query"), dataset(fields, "default-graph-uri", "named-graph-uri"))
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
    _with_base(text, lambda whole: state().store.update(whole, graphs))
    return redirect("/sparql", 303) if wants_html() else Response(status=204)


def _ask(text: str, graphs: QueryDataset) -> Answer:
    started = perf_counter()
    answer = _with_base(text, lambda whole: state().store.query(whole, graphs))
    g.timings = {"query": perf_counter() - started}
    return answer


def _with_base(text: str, work: Callable[[str], T]) -> T:
    """Carry out a request whose relative IRIs mean the endpoint's address (SPARQL 1.1 Query 4.1.1.1)."""
    try:
        return work(text)
    except QuerySyntaxError:
        # The engine knows no base, and only its parser can tell that one was lacking. Nothing was done yet.
        try:
            # The address is the client's word, so the answer is good for this client alone.
            request.environ["diplograph.uncached"] = True
            return work(f"BASE <{quote(request.base_url, safe=':/[]%')}> {text}")
        except QuerySyntaxError:
            pass
        raise


def _query_fields() -> dict[str, list[str]]:
    """Read the parameters of a query from where its method puts them; raises ParameterError."""
    if request.method != "POST":
        return read_fields(request.query_string)
    if request.mimetype == FORM:
        return _body_fields()
    _check_media_type("application/sparql-query")
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
    return send_answer(describe_service())
