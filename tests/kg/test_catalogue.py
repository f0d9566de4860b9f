"""The catalogue: headers, parameters, and nothing but one term in the place of one parameter."""

from __future__ import annotations

from pathlib import Path

import pyoxigraph
import pytest

from kg.catalogue import Parameter, Question, read_catalogue
from kg.errors import DataSyntaxError, ParameterError

HEADER = "# title: Anything\n# description: What is there.\n# fixture: article\n"
QUERY = """# param: who iri dg:Agent required — who is asked about
# param: on date optional — the day
# param: words string optional — a text
# param: count integer optional — how many
SELECT * {
  VALUES ?who { UNDEF }
  VALUES ?on { UNDEF }
  VALUES ?words { UNDEF }
  VALUES ?count { 3 }
}
"""


def _write(folder: Path, text: str, name: str = "anything") -> None:
    (folder / f"{name}.rq").write_text(text, encoding="utf-8")


@pytest.fixture
def question(tmp_path: Path) -> Question:
    _write(tmp_path, HEADER + QUERY)
    return read_catalogue(tmp_path)["anything"]


def _row(query: str) -> dict[str, object]:
    solutions = pyoxigraph.Store().query(query)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    (solution,) = list(solutions)
    return {variable.value: solution[variable] for variable in solutions.variables}


def test_header(question: Question) -> None:
    assert (question.name, question.title) == ("anything", "Anything")
    assert question.description == "What is there."
    assert question.fixture == "article"
    assert question.parameters == (
        Parameter("who", "iri", "who is asked about", True, "dg:Agent"),
        Parameter("on", "date", "the day", False, None),
        Parameter("words", "string", "a text", False, None),
        Parameter("count", "integer", "how many", False, None),
    )
    assert question.text == HEADER + QUERY


def test_names_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "c"):
        _write(tmp_path, HEADER + "ASK {}", name)
    assert list(read_catalogue(tmp_path)) == ["a", "b", "c"]


@pytest.mark.parametrize("missing", ["title", "description", "fixture"])
def test_incomplete_header(tmp_path: Path, missing: str) -> None:
    lines = [line for line in HEADER.splitlines() if missing not in line]
    _write(tmp_path, "\n".join([*lines, "ASK {}"]))
    with pytest.raises(DataSyntaxError, match=rf"anything\.rq: the header lacks {missing}"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    "line",
    ["# param: on day optional — the day", "# param: on date — the day", "# param: on date optional"],
)
def test_unreadable_parameter(tmp_path: Path, line: str) -> None:
    _write(tmp_path, HEADER + line + "\nSELECT * { VALUES ?on { UNDEF } }")
    with pytest.raises(DataSyntaxError, match="line 4"):
        read_catalogue(tmp_path)


def test_parameter_without_a_place(tmp_path: Path) -> None:
    _write(tmp_path, f"{HEADER}# param: on date optional — the day\nSELECT * {{ }}")
    with pytest.raises(DataSyntaxError, match="the query does not contain the parameter on"):
        read_catalogue(tmp_path)


@pytest.mark.parametrize(
    "value",
    [
        "https://w3id.org/diplograph/id/country/usa",
        "<https://w3id.org/diplograph/id/country/usa>",
        "id:country/usa",
        "country/usa",
        "  country/usa\n",
    ],
)
def test_iris(question: Question, value: str) -> None:
    who = _row(question.fill({"who": value}))["who"]
    assert who == pyoxigraph.NamedNode("https://w3id.org/diplograph/id/country/usa")


def test_foreign_iris(question: Question) -> None:
    assert _row(question.fill({"who": "wd:Q30"}))["who"] == pyoxigraph.NamedNode(
        "http://www.wikidata.org/entity/Q30"
    )
    assert _row(question.fill({"who": "urn:isbn:0"}))["who"] == pyoxigraph.NamedNode("urn:isbn:0")


def test_other_kinds(question: Question) -> None:
    row = _row(
        question.fill({"who": "country/usa", "on": "2024-02-29", "words": 'say "x"\n\\', "count": "-007"})
    )
    date = pyoxigraph.NamedNode("http://www.w3.org/2001/XMLSchema#date")
    assert row["on"] == pyoxigraph.Literal("2024-02-29", datatype=date)
    assert row["words"] == pyoxigraph.Literal('say "x"\n\\')
    assert row["count"] == pyoxigraph.Literal(-7)


def test_defaults_stay(question: Question) -> None:
    row = _row(question.fill({"who": "country/usa", "on": "", "count": " "}))
    assert row["on"] is None
    assert row["count"] == pyoxigraph.Literal(3)


def test_unknown_parameter(question: Question) -> None:
    with pytest.raises(ParameterError, match="anything has no parameter whom") as caught:
        question.fill({"who": "country/usa", "whom": "x"})
    assert caught.value.mend is not None
    assert "who (an IRI, a prefixed name or kind/slug, required)" in caught.value.mend


def test_missing_parameter(question: Question) -> None:
    with pytest.raises(ParameterError, match="anything needs who"):
        question.fill({"on": "2024-02-29"})


def test_no_parameters(tmp_path: Path) -> None:
    _write(tmp_path, HEADER + "ASK {}")
    with pytest.raises(ParameterError) as caught:
        read_catalogue(tmp_path)["anything"].fill({"x": "1"})
    assert caught.value.mend == "It has no parameters."


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("who", "Iran"),
        ("who", "nowhere:usa"),
        ("who", "https://example.org/a b"),
        ("who", "<https://example.org/> } VALUES ?x { <https://example.org/>"),
        ("who", "https://example.org/> } # "),
        ("who", "id:x> } ; DROP ALL"),
        ("who", "country/usa } "),
        ("on", "2023-02-29"),
        ("on", "20230228"),
        ("on", "2023-W01-1"),
        ("on", "٢٠٢٣-02-28"),
        ("on", "yesterday"),
        ("on", '2023-02-28"^^<x>'),
        ("count", "3.5"),
        ("count", "3 } UNION {"),
    ],
)
def test_malformed(question: Question, name: str, value: str) -> None:
    with pytest.raises(ParameterError) as caught:
        question.fill({"who": "country/usa", name: value})
    assert caught.value.detail.startswith(f"{name}: “{value.strip()}” is not a")


@pytest.mark.parametrize(
    "words",
    ['" } } DROP ALL #', "VALUES ?count { 3 }", "VALUES ?who { UNDEF }", "\\u0022 }", r"\1 \g<name>", "'''"],
)
def test_injected_text_stays_text(question: Question, words: str) -> None:
    row = _row(question.fill({"who": "country/usa", "words": words, "count": "5"}))
    assert row["words"] == pyoxigraph.Literal(words)
    assert row["count"] == pyoxigraph.Literal(5)
