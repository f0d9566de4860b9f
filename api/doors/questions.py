"""The catalogue of questions, as forms with their results."""

from __future__ import annotations

import functools
import io
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, make_response, render_template, request, send_file
from flask.typing import ResponseReturnValue

from api.doors.search import value_of
from api.pages.charts import bars_of, timeline_of
from api.pages.kept_pages import kept_page
from api.pages.maps_and_networks import drawn_places, network_in
from api.pages.page_parameters import meant
from api.pages.row_files import TYPES
from api.pages.spreadsheets import workbook
from api.web.negotiation import send_answer, wants_html
from api.web.problem_details import problem_of
from api.web.query_limit import limited
from api.web.sparql_request import read_inference
from api.web.state import state
from api.web.urls import at
from kg.catalogue import Question, read_catalogue
from kg.describe.lists.question_answers import QuestionAnswer, answer_question
from kg.describe.lists.solution_tables import members_of
from kg.errors import RequestError, UnknownNameError
from kg.rdf.formats import RESULT_FORMATS, formats_for, result_format
from kg.search import Name
from kg.store import Answer, Store
from kg.terms import ID, term

blueprint = Blueprint("questions", __name__)

_ROWS: Final = 500
_CHOICES: Final = 300
_IRI: Final = re.compile(r"<|[A-Za-z][A-Za-z0-9+.-]*:")


@functools.cache
def catalogue() -> dict[str, Question]:
    """Return the questions, which are read once."""
    return read_catalogue()


@blueprint.app_template_filter()
def words(name: str) -> str:
    """Write the name of a variable as words: `asOf` as `as of`."""
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: " " + found[1].lower(), name).replace("_", " ")


@blueprint.get("/queries")
def listed() -> ResponseReturnValue:
    """List the questions."""
    questions = list(catalogue().values())
    if wants_html():
        return kept_page(lambda: render_template("questions.html", questions=questions))
    return jsonify({"questions": [_members(question) for question in questions]})


@blueprint.get("/queries/<name>")
@limited
def question(name: str) -> ResponseReturnValue:
    """Answer a question with the parameters in the address: a page with its form, or data by Accept.

    An extension (`deportations.csv`) selects the format for links that cannot send Accept.
    """
    stem, _, ending = name.rpartition(".")
    if stem and ending == "xlsx":
        book = io.BytesIO(workbook(_ask(_find(stem))))
        return send_file(book, TYPES["xlsx"], as_attachment=True, download_name=name)
    if stem and ending in {form.name for form in RESULT_FORMATS}:
        answer = _ask(_find(stem))
        return send_answer(answer, form=result_format(answer.kind, ending), file=name)
    found = _find(name)
    return _page(found) if wants_html() else send_answer(_ask(found))


def _ask(found: Question) -> Answer:
    return _asked().query(found.fill(_values(found)))


def _asked() -> Store:
    """Return the store with entailments or without, by the parameter `inference`."""
    return state().asked(inference=read_inference(request.args.to_dict(flat=False)))


def _page(found: Question) -> Response:
    given = {key: value for key, value in request.args.items() if value.strip() and key != "inference"}
    needed = any(parameter.required and parameter.name not in given for parameter in found.parameters)
    answer: QuestionAnswer | None = None
    problem = None
    values: Mapping[str, str] = {}
    text = found.text
    switch = request.args.to_dict().get("inference")
    if given or not needed:
        try:
            values = _values(found)
            text = found.fill(values)
            filled = [values[p.name] for p in found.parameters if p.kind == "iri" and values.get(p.name)]
            answer = _asked().run(answer_question, text, _ROWS, filled)
        except RequestError as error:
            problem = problem_of(error)
            values = {}
    # The permanent address uses IRIs: the thing that a name means may change.
    short = {key: value_of(value) for key, value in values.items() if value}
    if switch == "false":
        short["inference"] = switch
    address = "?" + urlencode(short) if short else ""
    table = answer.table if answer else None
    names = answer.names if answer else {}
    page = render_template(
        "question.html",
        question=found,
        given=given,
        inference=switch != "false",
        labels={key: names[value].label for key, value in values.items() if value in names},
        table=table,
        problem=problem,
        text=text,
        bars=bars_of(table) if table else [],
        timeline=timeline_of(table) if table else None,
        places=drawn_places(answer.spots) if answer and answer.spots else None,
        network=network_in(table) if table else None,
        choices={p.name: _choices(p.of) for p in found.parameters if p.kind == "iri" and p.of},
        permanent=at(f"/queries/{found.name}{address}"),
        downloads=[
            (name, at(f"/queries/{found.name}.{name}{address}"))
            for name in (*(form.name for form in formats_for("solutions")), "xlsx")
        ],
        snippets=snippets(request.url_root.rstrip("/") + f"/queries/{found.name}.csv{address}"),
    )
    return make_response(page, problem.status if problem else 200)


def snippets(address: str) -> list[tuple[str, str]]:
    """Write code that reads a result as CSV, as pairs of language and code."""
    # Addresses are percent-encoded: they contain no quotes, backslashes or line breaks.
    return [
        ("curl", f"curl '{address}'"),
        (
            "Python",
            "import csv, urllib.request\n\n"
            f'with urllib.request.urlopen("{address}") as answer:\n'
            "    rows = list(csv.DictReader(answer.read().decode().splitlines()))\n"
            "print(len(rows), rows[:3])",
        ),
        ("R", f'rows <- read.csv("{address}", encoding = "UTF-8")\nhead(rows)'),
    ]


def _find(name: str) -> Question:
    if name not in catalogue():
        raise UnknownNameError(
            f"there is no question “{name[:80]}”", mend=f"The questions are: {', '.join(catalogue())}."
        )
    return catalogue()[name]


def _values(found: Question) -> Mapping[str, str]:
    """Read the parameters; things may be given by name. Raises ParameterError."""
    values = {key: value for key, value in request.args.items() if key != "inference"}
    given = {p.name: values.get(p.name, "").strip() for p in found.parameters if p.kind == "iri"}
    names = {key: [text] for key, text in given.items() if text and not _IRI.match(text)}
    return values | {key: iris[0] for key, iris in meant(names).items()}


def _choices(cls: str) -> list[tuple[str, Name]]:
    iri = term(cls).value
    members = state().memory.get(state().store, members_of, iri, _CHOICES)
    return [(name.iri.removeprefix(ID), name) for name in members]


def _members(found: Question) -> dict[str, object]:
    return {
        "name": found.name,
        "title": found.title,
        "description": found.description,
        "address": at(f"/queries/{found.name}"),
        "parameters": [asdict(parameter) for parameter in found.parameters],
    }
