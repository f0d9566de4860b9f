"""Claims that confirm, contradict and supersede one another: rows written from the fixtures' own."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph
import pytest

from kg.catalogue import read_catalogue
from kg.store import EmbeddedStore
from kg.terms import ID

FIXTURES = Path(__file__).parents[1] / "fixtures"
CATALOGUE = read_catalogue()
EVACUATION = "invented evacuation"
MINISTRY = "Invented Home Office"
GAZETTE, HERALD, COURIER = "Invented Gazette", "Invented Herald", "Invented Courier"


@pytest.fixture(scope="module")
def papers() -> pyoxigraph.Store:
    """The reference graphs and the two fixtures, without the article."""
    from kg.ontology import reference_graphs

    store = pyoxigraph.Store()
    for graph, triples in reference_graphs().items():
        store.bulk_extend(pyoxigraph.Quad(t.subject, t.predicate, t.object, graph) for t in triples)
    for name in ("claims.trig", "load-history.trig"):
        store.load(path=FIXTURES / name)
    return store


def ask(store: pyoxigraph.Store, name: str, columns: str, **values: str) -> list[tuple[object, ...]]:
    solutions = store.query(CATALOGUE[name].fill(values), use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    return [tuple(_plain(row[column]) for column in columns.split()) for row in solutions]


def _plain(term: object) -> object:
    if isinstance(term, pyoxigraph.Literal):
        return int(term.value) if re.search("integer|decimal", term.datatype.value) else term.value
    return term.value.rpartition("/")[2] if isinstance(term, pyoxigraph.NamedNode) else None


def test_contradicted_claims(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "contradicted-claims", "claim source other otherSource superseded") == [
        ("invented-gazette-figure", GAZETTE, "invented-herald-figure", HERALD, "the second"),
        ("invented-courier-blockade", COURIER, "invented-gazette-blockade", GAZETTE, "neither"),
    ]


def test_superseded_claims(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "superseded-claims", "claim by source date") == [
        ("invented-herald-figure", "invented-courier-figure", COURIER, "2016-03-05")
    ]


def test_projections_never_confirmed(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "planned-not-confirmed", "claim modality") == [("invented-gazette-parade", "planned")]
    papers_and_more = pyoxigraph.Store()
    papers_and_more.bulk_extend(papers)
    papers_and_more.update(
        "PREFIX dg: <https://w3id.org/diplograph/ontology#> INSERT DATA { GRAPH <urn:later> {"
        f" <urn:claim> dg:confirms <{ID}claim/invented-gazette-parade> ;"
        f" dg:modality <{ID}modality/happened> }} }}"
    )
    assert ask(papers_and_more, "planned-not-confirmed", "claim modality") == []


def test_unnamed_sources_alone(papers: pyoxigraph.Store) -> None:
    """The evacuation is confirmed by a ministry; the forty and the blockade are not."""
    assert ask(papers, "anonymous-only", "claim lastStep") == [
        ("invented-gazette-figure", "an aide (unnamed)"),
        ("invented-gazette-blockade", "an aide (unnamed)"),
    ]


def test_disagreeing_figures(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "disagreeing-figures", "label value comparator unit speaker source date") == [
        (EVACUATION, 40, "approximately", "person", "an aide (unnamed)", GAZETTE, "2016-03-01"),
        (EVACUATION, 55, "exactly", "person", MINISTRY, HERALD, "2016-03-02"),
        (EVACUATION, 60, "exactly", "person", MINISTRY, COURIER, "2016-03-05"),
    ]


def test_how_a_figure_changed(papers: pyoxigraph.Store) -> None:
    thing = {"thing": "event/invented-evacuation"}
    assert ask(papers, "figure-over-time", "date value source", **thing) == [
        ("2016-03-01", 40, GAZETTE),
        ("2016-03-02", 55, HERALD),
        ("2016-03-05", 60, COURIER),
    ]
    assert ask(papers, "figure-over-time", "date", thing="event/invented-audience") == []


def test_most_cited(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "most-cited", "label kind claims sources") == [
        (MINISTRY, "agency", 6, 2),
        ("an aide (unnamed)", "unnamed", 3, 1),
        (GAZETTE, "document", 1, 1),
    ]


def test_modality_by_source(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "modality-by-source", "label modality claims") == [
        (COURIER, "denied", 1), (COURIER, "happened", 1), (COURIER, "realised", 1),
        (GAZETTE, "happened", 2), (GAZETTE, "planned", 1), (GAZETTE, "realised", 1),
        (HERALD, "happened", 2), (HERALD, "realised", 1),
    ]  # fmt: skip


def test_events_of_one_source(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "one-source-events", "event source date") == [
        ("invented-parade", GAZETTE, "2016-03-01")
    ]


def test_one_voice_in_several_sources(papers: pyoxigraph.Store) -> None:
    """The audience stands in two papers, and both have it from the home office."""
    assert ask(papers, "one-voice", "event speaker sources") == [("invented-audience", MINISTRY, 2)]


def test_denied(papers: pyoxigraph.Store) -> None:
    assert ask(papers, "denied", "event denied asserted") == [
        ("invented-blockade", MINISTRY, "an aide (unnamed)")
    ]


@pytest.mark.parametrize(
    ("day", "rows"),
    [
        ("2016-03-01", []),
        ("2016-03-02", [("invented-gazette", 10, "invented-1", "yes")]),
        (
            "2016-03-03",
            [("invented-gazette", 10, "invented-1", "yes"), ("invented-herald", 7, "invented-2", "no")],
        ),
        (
            "2016-03-05",
            [("invented-gazette", 11, "invented-3", "no"), ("invented-herald", 7, "invented-2", "no")],
        ),
    ],
)
def test_what_was_asserted_on_a_day(
    papers: pyoxigraph.Store, day: str, rows: list[tuple[object, ...]]
) -> None:
    assert ask(papers, "asserted-on", "graph statements load changedSince", on=day) == rows


def test_the_fixture_may_be_loaded() -> None:
    from kg.load import install
    from kg.validation import validate

    store = EmbeddedStore()
    install(store)
    fixture = [quad.triple for quad in pyoxigraph.parse(path=FIXTURES / "claims.trig")]
    known = [quad.triple for quad in store.engine]
    found = [f.text for f in validate(fixture, known) if f.severity == "violation"]
    assert found == []


def test_a_claim_cannot_confirm_and_contradict_the_same() -> None:
    from kg.validation import validate

    fixture = [quad.triple for quad in pyoxigraph.parse(path=FIXTURES / "claims.trig")]
    one, other = (
        pyoxigraph.NamedNode(f"{ID}claim/invented-{name}") for name in ("herald-figure", "gazette-figure")
    )
    confirms = pyoxigraph.NamedNode("https://w3id.org/diplograph/ontology#confirms")
    found = validate([*fixture, pyoxigraph.Triple(one, confirms, other)])
    assert any("confirm and contradict" in finding.message for finding in found)


def test_later_figures_of_one_speaker_do_not_disagree(article_store: EmbeddedStore) -> None:
    """The Department counts 200,000 deportations so far, and expects 600,000 by the end of the year."""
    assert ask(article_store.engine, "disagreeing-figures", "value") == []
