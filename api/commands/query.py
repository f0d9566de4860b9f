"""`diplograph query` and `diplograph dump`."""

from __future__ import annotations

import difflib
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from api.commands.options import data_option, opened, output_option, read_file, with_tables, write
from api.commands.terminal_tables import term_text, text_table
from api.pages.spreadsheets import workbook
from kg.catalogue import Question, read_catalogue
from kg.errors import NotAcceptableError, ParameterError, UnknownNameError
from kg.graph_store import read_dataset
from kg.rdf.formats import rdf_format, result_format
from kg.search import resolve
from kg.settings import Settings
from kg.store import Answer, Store

_FORMATS = ("table", "csv", "tsv", "json", "xml", "xlsx", "ttl")


@click.command()
@click.argument("name", metavar="NAME|FILE|-")
@click.option("--param", "params", multiple=True, metavar="K=V", help="A parameter of the question.")
@click.option("--format", "form", type=click.Choice(_FORMATS), help="[default: table; ttl for a graph]")
@click.option("--explain", is_flag=True, help="Show how it would be answered, in place of the answer.")
@output_option
@data_option
@click.pass_obj
def query(
    settings: Settings,
    name: str,
    params: tuple[str, ...],
    form: str | None,
    explain: bool,
    output: Path | None,
) -> None:
    """Answer a question of the catalogue, or any SPARQL from a file or standard input."""
    with opened(settings) as store:
        text, reader = _text(store, name, _values(params)), with_tables(settings, store)
        if explain:
            plan = reader.plan(text)
            write(iter([f"engine: {plan.engine}\n{plan.sql or plan.reason}\n".encode()]), output)
            return
        answer = reader.query(text)
        form = form or ("ttl" if answer.kind == "graph" else "table")
        if form == "xlsx" and output is None and sys.stdout.isatty():
            raise ParameterError(
                "a spreadsheet is nothing for a terminal", mend="Name a file: -o result.xlsx."
            )
        write(_written(answer, form), output)


@click.command()
@click.option("--format", "form", type=click.Choice(("nq", "trig")), default="nq", show_default=True)
@output_option
@data_option
@click.pass_obj
def dump(settings: Settings, form: str, output: Path | None) -> None:
    """Write the whole dataset, every graph by its name."""
    with opened(settings) as store:
        write(read_dataset(store, rdf_format(form)), output)


def _text(store: Store, name: str, values: dict[str, str]) -> str:
    questions = read_catalogue()
    if name in questions:
        return questions[name].fill(_resolved(store, questions[name], values))
    if name != "-" and not Path(name).is_file():
        near = difflib.get_close_matches(name, questions, n=3)
        hint = f"Did you mean {' or '.join(near)}? " if near else ""
        raise UnknownNameError(
            f"{name} is neither a question nor a file",
            mend=f"{hint}The questions are: {', '.join(sorted(questions))}.",
        )
    if values:
        raise ParameterError(
            "only questions of the catalogue take parameters",
            where=name,
            mend="Write the values into the query.",
        )
    try:
        return read_file(name).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParameterError(
            f"the query is not UTF-8 at byte {error.start}", where=name, mend="Save it as UTF-8."
        ) from None


def _values(params: tuple[str, ...]) -> dict[str, str]:
    values: dict[str, str] = {}
    for param in params:
        key, equals, value = param.partition("=")
        if not equals or not key or key in values:
            raise ParameterError(
                f"--param {param} is {'given twice' if key in values else 'not of the form NAME=VALUE'}",
                mend='Write, for example, --param a=Iran --param b="United States".',
            )
        values[key] = value
    return values


def _resolved(store: Store, question: Question, values: dict[str, str]) -> dict[str, str]:
    named = {parameter.name for parameter in question.parameters if parameter.kind == "iri"}
    return {
        key: resolve(store, value) if key in named and not re.match(r"[A-Za-z][\w+.-]*://", value) else value
        for key, value in values.items()
    }


def _written(answer: Answer, form: str) -> Iterator[bytes]:
    if form in ("table", "xlsx") and answer.kind == "boolean":
        yield b"true\n" if answer.truth() else b"false\n"
    elif form == "table" and answer.kind == "solutions":
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        rows = [[term_text(row.get(name)) for name in answer.variables] for row in answer.rows()]
        for line in text_table(answer.variables, rows, width):
            yield line.encode() + b"\n"
        print(f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}", file=sys.stderr)
    elif form == "xlsx" and answer.kind == "solutions":
        yield workbook(answer)
    elif form in ("table", "xlsx"):
        raise NotAcceptableError(f"a graph cannot be written as {form}", mend="Ask for --format ttl.")
    else:
        yield from answer.serialize(result_format(answer.kind, form))
