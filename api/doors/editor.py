"""Door: the editor of queries, its results as tables, and stopping them.

The page is the template sparql.html with the variables `query` (text in the editor), `examples` (titles and
addresses), `result` (a `Shown`, or None) and `problem` (an `api.web.errors.Problem`, or None).
"""

from __future__ import annotations

import queue
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Flask, Response, current_app, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.pages.charts import Bars, bars_of
from api.pages.urls import href
from api.web.errors import Problem, problem_of
from api.web.parameters import inference
from api.web.state import state
from kg.describe import ontology_terms, table_of
from kg.errors import DiplographError
from kg.rdf.formats import formats_for
from kg.search import Name, name_all
from kg.store import Answer, Store, Term
from kg.store.cancellation import Stopper, stoppable
from kg.terms import PREFIXES, compact

blueprint = Blueprint("editor", __name__)

SHOWN_ROWS: Final = 1000
_TEXT: Final = 2_000
_PULSE: Final = 0.4
_QUERY_LIMIT: Final = 4 * 1024**2
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
    """A term in a table: what to show, the page it leads to, its IRI, and its language or datatype."""

    text: str
    href: str | None = None
    note: str = ""
    iri: str = ""


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
    bars: tuple[Bars, ...] = ()


def editor_page(
    text: str, result: Shown | None = None, problem: Problem | None = None, *, reasoned: bool = True
) -> Response:
    """Show the editor with a query, and what came of it, with what is entailed or without."""
    examples = [*EXAMPLES]
    examples += [(question.title, question.text) for question in catalogue().values()]
    page = render_template(
        "sparql.html",
        query=text,
        examples=examples,
        result=result,
        problem=problem,
        inference=reasoned,
        stale=state().stale,
    )
    response = make_response(page, problem.status if problem else 200)
    response.vary.add("Accept")
    return response


@blueprint.post("/sparql/run")
def run() -> ResponseReturnValue:
    """Answer a query as a piece of a page, for the editor's script.

    While the engine works, white space goes out, so that a client that went away is noticed and the query's
    process stopped. The piece is whole when it ends with `<!-- whole -->`.
    """
    request.max_content_length = _QUERY_LIMIT
    fields = {"query": [request.form.get("query", "")]}
    if "inference" in request.form:
        fields["inference"] = request.form.getlist("inference")
    store = state().asked(inference=inference(fields))
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    stopper = Stopper()
    response = Response(_piece(app, store, fields, stopper), content_type="text/html; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    response.cache_control.no_store = True
    response.call_on_close(stopper.stop)
    return response


@blueprint.get("/sparql/terms.json")
def terms() -> ResponseReturnValue:
    """Give what the editor completes: our prefixes, and the classes and properties of the ontology."""
    held = state()
    sections = [entries for _, entries in held.memory.get(held.store, "terms", ontology_terms)]
    classes, properties = sections[0], [entry for entries in sections[1:] for entry in entries]
    response = jsonify(
        {
            "prefixes": PREFIXES,
            "classes": [{"iri": entry.name.iri, "label": entry.name.label} for entry in classes],
            "properties": [{"iri": entry.name.iri, "label": entry.name.label} for entry in properties],
        }
    )
    response.cache_control.max_age = 60
    return response


def show(answer: Answer, fields: Mapping[str, Sequence[str]]) -> Shown:
    """Read a result for the page; things go by their labels and lead to their pages."""
    address = urlencode({name: fields[name] for name in fields if name != "csrf_token"}, doseq=True)
    downloads = tuple(
        (form.name, f"/sparql/results.{form.name}?{address}") for form in formats_for(answer.kind)
    )
    if answer.kind == "boolean":
        return Shown((), (), False, answer.truth(), downloads)
    if answer.kind == "graph":
        triples = list(islice(answer.triples(), SHOWN_ROWS + 1))
        terms = [(triple.subject, triple.predicate, triple.object) for triple in triples[:SHOWN_ROWS]]
        iris = {str(term)[1:-1] for row in terms for term in row if re.match(r"<[^<]", str(term))}
        names = name_all(state().store, iris)
        cells = tuple(tuple(_cell(term, names) for term in row) for row in terms)
        return Shown(("subject", "predicate", "object"), cells, len(triples) > SHOWN_ROWS, None, downloads)
    table = table_of(state().store, answer, SHOWN_ROWS, whole=True)
    rows = tuple(
        tuple(
            None
            if value is None
            else Cell(value.name.label, href(value.name), iri=value.name.iri)
            if value.name
            else Cell(value.text, note=value.language or (compact(value.datatype) if value.datatype else ""))
            for value in row
        )
        for row in table.rows
    )
    return Shown(table.columns, rows, table.more, None, downloads, tuple(bars_of(table)))


def _cell(term: Term, names: Mapping[str, Name]) -> Cell:
    value = getattr(term, "value", None)
    if value is None or str(term).startswith("_:"):  # a triple term or a blank node
        return Cell(str(term)[:_TEXT])
    if (name := names.get(value)) and str(term).startswith("<"):
        return Cell(name.label, href(name), iri=value)
    datatype = getattr(term, "datatype", None)
    plain = datatype is None or datatype.value == PREFIXES["xsd"] + "string"
    note = getattr(term, "language", None) or ("" if plain else compact(datatype.value if datatype else ""))
    return Cell(value[:_TEXT], note=note)


def _piece(
    app: Flask, store: Store, fields: Mapping[str, Sequence[str]], stopper: Stopper
) -> Iterator[bytes]:
    done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def work() -> None:
        result, problem, failed = None, None, False
        with app.app_context():
            try:
                with stoppable(stopper):
                    result = show(store.query(fields["query"][0]), fields)
            except DiplographError as error:
                problem = problem_of(error)
            except Exception:
                failed = True
                app.logger.exception("a query of the editor failed")
            done.put(render_template("_result.html", result=result, problem=problem, failed=failed))

    threading.Thread(target=work, name="editor-query", daemon=True).start()
    try:
        while True:
            try:
                yield done.get(timeout=_PULSE).encode()
                yield b"<!-- whole -->"
                return
            except queue.Empty:
                yield b"\n"
    finally:
        stopper.stop()
