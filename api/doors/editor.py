"""The query editor: its page, its results as tables, and stopping queries.

The page is the template sparql.html with the variables `query` (text in the editor), `examples` (titles and
addresses), `result` (a `Shown`, or None) and `problem` (an `api.web.problem_details.Problem`, or None).
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify, make_response, render_template, request
from flask.ctx import RequestContext
from flask.typing import ResponseReturnValue

from api.doors.questions import catalogue
from api.pages.charts import Bars, bars_of
from api.pages.template_filters import sparql
from api.web.problem_details import Problem, problem_of
from api.web.query_limit import limited
from api.web.sparql_request import read_inference
from api.web.state import state
from api.web.urls import at
from kg.describe.lists.solution_tables import QueryResult, result_of
from kg.describe.site.ontology_terms import ontology_terms
from kg.errors import DiplographError
from kg.rdf.formats import formats_for
from kg.store import Store
from kg.store.cancellation import Stopper, stoppable
from kg.terms import PREFIXES

blueprint = Blueprint("editor", __name__)

SHOWN_ROWS: Final = 1000
_PULSE: Final = 0.4
_LONG_EXAMPLE: Final = 4_000
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
        + "dg:modality ?modality ;\n    dg:saidBy ?who .\n}",
    ),
    (
        "The graphs there are, and their size",
        "SELECT ?graph (COUNT(*) AS ?triples) {\n  GRAPH ?graph { ?s ?p ?o }\n} GROUP BY ?graph",
    ),
)


@dataclass(frozen=True)
class Shown:
    """A result on the page, with at most `SHOWN_ROWS` rows.

    `downloads` are pairs of a format's name and the address of the whole result.
    """

    found: QueryResult
    downloads: tuple[tuple[str, str], ...]
    bars: tuple[Bars, ...] = ()


def editor_page(
    text: str, result: Shown | None = None, problem: Problem | None = None, *, reasoned: bool = True
) -> Response:
    """Show the editor with a query and its result or problem; `reasoned` includes inferred statements."""
    page = render_template(
        "sparql.html",
        query=text or EXAMPLES[0][1],
        examples=_examples(),
        result=result,
        problem=problem,
        inference=reasoned,
        stale=state().stale,
    )
    return make_response(page, problem.status if problem else 200)


def _examples() -> list[tuple[str, str]]:
    """List titles and texts of example queries; long ones are on the pages of their questions."""
    found = catalogue().values()
    questions = ((question.title, question.text) for question in found if len(question.text) < _LONG_EXAMPLE)
    return [(title, sparql(text)) for title, text in (*EXAMPLES, *questions)]


@blueprint.post("/sparql/run")
@limited
def run() -> ResponseReturnValue:
    """Answer a query with a fragment of a page, for the editor's script.

    White space is sent while the query runs, so that a client that disconnects is noticed and the query
    stopped. The fragment is complete if it ends with `<!-- whole -->`.
    """
    request.max_content_length = _QUERY_LIMIT
    fields = {"query": [request.form.get("query", "")]}
    if "inference" in request.form:
        fields["inference"] = request.form.getlist("inference")
    store = state().asked(inference=read_inference(fields))
    context = current_app.request_context(request.environ)
    stopper = Stopper()
    response = Response(_piece(context, store, fields, stopper), content_type="text/html; charset=utf-8")
    response.headers["X-Accel-Buffering"] = "no"
    response.cache_control.no_store = True
    response.call_on_close(stopper.stop)
    return response


@blueprint.get("/sparql/terms.json")
def terms() -> ResponseReturnValue:
    """Send what the editor completes: our prefixes, and the classes and properties of the ontology."""
    held = state()
    sections = [entries for _, entries in held.memory.get(held.store, ontology_terms)]
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


def show(found: QueryResult, fields: Mapping[str, Sequence[str]]) -> Shown:
    """Prepare a result for the page."""
    address = urlencode({name: fields[name] for name in fields if name != "csrf_token"}, doseq=True)
    downloads = tuple(
        (form.name, at(f"/sparql/results.{form.name}?{address}")) for form in formats_for(found.kind)
    )
    return Shown(found, downloads, tuple(bars_of(found.table)))


def _piece(
    context: RequestContext, store: Store, fields: Mapping[str, Sequence[str]], stopper: Stopper
) -> Iterator[bytes]:
    done: queue.SimpleQueue[str] = queue.SimpleQueue()

    def work() -> None:
        result, problem, failed = None, None, False
        with context:
            try:
                with stoppable(stopper):
                    result = show(store.run(result_of, fields["query"][0], SHOWN_ROWS), fields)
            except DiplographError as error:
                problem = problem_of(error)
            except Exception:
                failed = True
                current_app.logger.exception("a query of the editor failed")
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
