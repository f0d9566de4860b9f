"""Every question: its columns, its header, the same rows by a second engine, and none without data."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyoxigraph
import pytest
import rdflib

from kg.catalogue import Question
from kg.ontology import reference_graphs
from kg.terms import GRAPH, ID
from tests.queries.asking import (
    CATALOGUE,
    COLUMNS,
    FIXTURES,
    ask,
)
from tests.queries.values import VALUES

FEW = ("usa", "irn", "qat", "gbr", "che", "deu", "pse", "twn", "mex", "cod", "fji", "chn")


@pytest.fixture(scope="module")
def both(everything: pyoxigraph.Store) -> tuple[pyoxigraph.Store, rdflib.Dataset]:
    """Everything, for both engines."""
    return everything, _for_rdflib(everything)


@pytest.fixture(scope="module")
def both_of_few(everything: pyoxigraph.Store) -> tuple[pyoxigraph.Store, rdflib.Dataset]:
    """The names and codes of a few countries: rdflib takes half a minute to list those of all."""
    kept = {f"{ID}country/{code}" for code in FEW}
    few = pyoxigraph.Store()
    few.bulk_extend(quad for quad in everything if getattr(quad.subject, "value", "") in kept)
    return few, _for_rdflib(few)


def _for_rdflib(store: pyoxigraph.Store) -> rdflib.Dataset:
    dataset = rdflib.Dataset(default_union=True)
    dumped = store.dump(format=pyoxigraph.RdfFormat.N_QUADS)
    assert dumped is not None
    dataset.parse(io.BytesIO(dumped), format="nquads")
    return dataset


def test_all_questions_are_there() -> None:
    assert set(CATALOGUE) == set(COLUMNS)


@pytest.mark.parametrize("question", CATALOGUE.values(), ids=list(CATALOGUE))
def test_columns(question: Question, article: pyoxigraph.Store) -> None:
    solutions = article.query(question.text, use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    columns = [variable.value for variable in solutions.variables]
    expected = COLUMNS[question.name].split()
    assert columns[: len(expected)] == expected


@pytest.mark.parametrize("question", CATALOGUE.values(), ids=list(CATALOGUE))
def test_header_and_query_agree(question: Question) -> None:
    places = re.findall(r"^\s*VALUES \?(\w+) \{ (?:UNDEF|[\w-]+:[\w-]+) \}$", question.text, re.MULTILINE)
    assert set(places) == {parameter.name for parameter in question.parameters}
    assert question.title
    assert question.description.endswith(".")
    assert question.fixture == "article" or (FIXTURES / question.fixture).is_file()
    assert "ORDER BY" in question.text


# rdflib takes 10 to 30 s for each of these; tests/kg/store/remote compares their rows on other engines.
SLOW = ("confirmed-claims", "contradicted-claims", "denied", "did-it-happen", "neighbours")


# rdflib warns of what its own parser and engine still use.
@pytest.mark.filterwarnings("ignore:Dataset.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "values"),
    [(name, {}) for name in CATALOGUE if name not in SLOW]
    + [(name, values) for name, values in VALUES.items() if name not in SLOW],
)
def test_rdflib_gives_the_same_rows(
    name: str, values: dict[str, str], request: pytest.FixtureRequest
) -> None:
    query = CATALOGUE[name].fill(values)
    store, second_opinion = request.getfixturevalue("both_of_few" if name == "find-country" else "both")
    solutions = store.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    ours = [[None if term is None else _comparable(term.value) for term in row] for row in solutions]
    theirs = [
        [None if term is None else _comparable(str(term)) for term in row]
        for row in second_opinion.query(query)
        if isinstance(row, rdflib.query.ResultRow)
    ]
    assert ours
    assert theirs == ours


def _comparable(text: str) -> str | float:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


# A union of graphs has a triple once for each graph that holds it, so that aggregates may count it twice.
COUNTED = [name for name, one in CATALOGUE.items() if re.search(r"\b(COUNT|SUM|AVG)\(", one.text)]


@pytest.fixture(scope="module")
def twice(everything: pyoxigraph.Store) -> pyoxigraph.Store:
    """Everything but the reference graphs, also in a second graph."""
    store, known = pyoxigraph.Store(), set(reference_graphs())
    store.bulk_extend(everything)
    second = pyoxigraph.NamedNode("urn:x:second")
    own = (quad for quad in everything if quad.graph_name not in known)
    store.bulk_extend(pyoxigraph.Quad(q.subject, q.predicate, q.object, second) for q in own)
    return store


@pytest.mark.parametrize("name", COUNTED)
def test_what_two_graphs_hold_is_counted_once(
    name: str, everything: pyoxigraph.Store, twice: pyoxigraph.Store
) -> None:
    assert ask(twice, name) == ask(everything, name)


def test_other_questions_have_distinct_rows() -> None:
    assert [name for name, one in CATALOGUE.items() if "SELECT DISTINCT" not in one.text] == []


def test_the_queries_of_the_docs_count_once(everything: pyoxigraph.Store, twice: pyoxigraph.Store) -> None:
    text = (Path(__file__).parents[2] / "docs" / "querying.md").read_text(encoding="utf-8")
    of_types, of_actors, of_graphs, _, happened = re.findall(r"^```sparql\n(.*?)^```", text, re.M | re.S)

    def rows(store: pyoxigraph.Store, query: str) -> list[list[str]]:
        return [[str(term) for term in row] for row in store.query(query, use_default_graph_as_union=True)]

    for query in (of_types, of_actors, happened):
        assert rows(twice, query) == rows(everything, query) != []
    plain = of_types.replace("COUNT(DISTINCT ?event)", "COUNT(*)")
    assert rows(twice, plain) != rows(everything, plain)
    graphs = {row[0]: row[1] for row in rows(twice, of_graphs)}
    article = f"<{GRAPH}us-iran-deportation>"
    assert graphs[article] == dict(rows(everything, of_graphs))[article]
    denied = {row[0] for row in ask(everything, "did-it-happen", "event answer") if row[1] != "yes"}
    told = {row[0] for row in ask(everything, "did-it-happen", "event answer") if row[1] == "yes"}
    assert denied - told
    found = {row[0][1:-1].removeprefix(ID) for row in rows(everything, happened)}
    assert found <= told and found


@pytest.mark.parametrize("name", CATALOGUE)
def test_without_data_there_is_no_row(name: str) -> None:
    assert ask(pyoxigraph.Store(), name) == []
