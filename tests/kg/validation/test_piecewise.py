"""Our reading of the shapes says what pySHACL says, whole and in pieces of any size."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable
from pathlib import Path

import pyoxigraph
import pytest
from pyoxigraph import NamedNode, Quad, RdfFormat, Triple

from kg.ontology import article_graphs
from kg.rdf.sorted_lines import sort_lines
from kg.store import EmbeddedStore
from kg.terms import GRAPH, ID, term
from kg.validation import Finding, validate
from kg.validation.piecewise import FileFindings, PiecewiseValidation
from kg.validation.shacl import read_shapes
from tests.kg.validation.shacl_judge import judge, shapes
from tests.kg.validation.test_graph_check import GOOD, ROWS, full_name, triples

SHACL = shapes()
HERE = NamedNode(GRAPH + "here")
THERE = NamedNode(GRAPH + "there")
# Checked beside the shapes; pySHACL does not know of them.
BESIDE = ("Known terms", "Literals")


def by_shapes(found: Iterable[Finding]) -> set[Finding]:
    return {finding for finding in found if finding.shape not in BESIDE}


def subjects(data: Iterable[Triple]) -> set[str]:
    return {str(getattr(triple.subject, "value", "")) for triple in data}


@pytest.mark.parametrize(
    "number", range(len(ROWS)), ids=lambda number: f"{ROWS[number].shape} {ROWS[number].path}"
)
def test_a_broken_shape_is_judged_alike(
    number: int, told: list[Finding], judged: set[Finding], at_once: set[Finding]
) -> None:
    assert any(version(f) == number for f in told)
    # What has a literal that is no value is told once, and not again as missing.
    quiet = {(f.node, path) for f in told if f.shape == "Literals" for path in (f.path, None)}
    theirs = {f for f in judged if (f.node, f.path) not in quiet and version(f) == number}
    ours = {f for f in at_once if version(f) == number}
    if '"2024-02"^^xsd:gYearMonth' in ROWS[number].new:
        # A day and a month have no order (SPARQL 1.1 section 17.3), so that SHACL section 4.5.4 refuses them;
        # pySHACL puts them in the order of their datatypes.
        ours = {f for f in ours if f.path != "dg:begin"}
    assert ours == theirs


def test_what_belongs_to_no_version_is_judged_alike(judged: set[Finding], at_once: set[Finding]) -> None:
    assert {f for f in at_once if version(f) is None} == {f for f in judged if version(f) is None}


def test_a_conforming_graph_is_judged_alike() -> None:
    data = triples(GOOD)
    assert by_shapes(validate(data)) == judge(data, subjects(data), SHACL) == set()


@pytest.mark.parametrize("seed", range(4))
def test_a_graph_with_holes_is_judged_alike(seed: int) -> None:
    chance = random.Random(seed)
    whole = [*triples(GOOD), *(t for some in article_graphs().values() for t in some)]
    data = chance.sample(whole, len(whole) * 2 // 3)
    found = by_shapes(validate(data))
    assert len(found) > 100
    assert found == judge(data, subjects(data), SHACL)


def renamed(data: list[Triple], mark: str, own: set[str]) -> list[Triple]:
    """Rename the things of a graph, so that many versions of it stand in one file."""

    def name(node):
        return NamedNode(f"{node.value}-{mark}") if getattr(node, "value", "") in own else node

    return [Triple(name(t.subject), t.predicate, name(t.object)) for t in data]


def version(finding: Finding) -> int | None:
    """Return the number of the row whose version of the graph a finding is about."""
    mark = re.search(r"-v(\d+)$", finding.node)
    return int(mark[1]) if mark else None


def around(data: list[Triple], node: str) -> list[Triple]:
    """Return what a graph says of a node, of those it names, and of those that name it."""
    links = [
        (str(t.subject.value), str(t.object.value))
        for t in data
        if isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode)
    ]
    near = {node} | {b for a, b in links if a == node} | {a for a, b in links if b == node}
    return [t for t in data if getattr(t.subject, "value", "") in near]


def everything_wrong() -> list[Triple]:
    """Return every row of violations.tsv with what is near it, each in a version of its own.

    The neighbours lack neighbours of their own, which breaks many shapes more.
    """
    own = {iri for iri in subjects(triples(GOOD)) if iri.startswith(ID)}
    return [
        triple
        for number, row in enumerate(ROWS)
        for triple in renamed(
            around(triples(GOOD.replace(row.old, row.new)), full_name(row.node)), f"v{number}", own
        )
    ]


def in_pieces(store: EmbeddedStore, folder: Path, data: Iterable[Triple], size: int) -> FileFindings:
    data = list(data)
    inverse_properties = read_shapes().inverse_properties
    turned = [
        Triple(t.object, t.predicate, t.subject)
        for t in data
        if t.predicate in inverse_properties and isinstance(t.object, NamedNode)
    ]
    new, inverse = folder / f"new-{size}.nt", folder / f"inverse-{size}.nt"
    sort_lines(ntriples(data), new)
    sort_lines(ntriples(turned), inverse)
    subclasses = [t for t in data if t.predicate == term("rdfs:subClassOf")]
    return PiecewiseValidation(store, new, inverse, HERE, subclasses).check(subjects=size)


def ntriples(data: Iterable[Triple]) -> list[bytes]:
    return (pyoxigraph.serialize(data, format=RdfFormat.N_TRIPLES) or b"").splitlines(keepends=True)


@pytest.fixture(scope="module")
def wrong() -> list[Triple]:
    return everything_wrong()


@pytest.fixture(scope="module")
def told(wrong: list[Triple]) -> list[Finding]:
    return validate(wrong)


@pytest.fixture(scope="module")
def at_once(told: list[Finding]) -> set[Finding]:
    return by_shapes(told)


@pytest.fixture(scope="module")
def judged(wrong: list[Triple]) -> set[Finding]:
    """What pySHACL finds in all versions together, in a tenth of the time that it takes one by one."""
    return judge(wrong, subjects(wrong), SHACL)


@pytest.mark.parametrize("size", [7, 1000])
def test_pieces_find_what_is_found_in_one_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[Triple], at_once: set[Finding], size: int
) -> None:
    monkeypatch.setattr("kg.validation.piecewise.LISTED", 100_000)
    assert {finding.shape for finding in at_once} == {row.shape for row in ROWS}
    checked = in_pieces(EmbeddedStore(), tmp_path, wrong, size)
    assert by_shapes(checked.findings) == at_once
    assert checked.violations == sum(f.severity == "violation" for f in checked.findings)


@pytest.mark.parametrize("size", [1, 1000])
def test_what_other_graphs_say_counts(tmp_path: Path, size: int) -> None:
    data = triples(GOOD)
    text = "".join(f"{t.subject} {t.predicate} {t.object}\n" for t in data)
    speaking = re.findall(r"^<(\S+)> \S+ontology#(?:about|codedEvent|hasInteraction|duration)>", text, re.M)
    assert len(set(speaking)) >= 3
    here = [t for t in data if getattr(t.subject, "value", "") not in speaking]
    there = [t for t in data if getattr(t.subject, "value", "") in speaking]
    store = EmbeddedStore()
    alone = in_pieces(store, tmp_path, here, size)
    assert alone.violations
    store.change((), [Quad(t.subject, t.predicate, t.object, THERE) for t in there])
    assert not in_pieces(store, tmp_path, here, size).findings
    # What the file replaces does not count.
    store.change(
        [Quad(t.subject, t.predicate, t.object, THERE) for t in there],
        [Quad(t.subject, t.predicate, t.object, HERE) for t in there],
    )
    again = in_pieces(store, tmp_path, here, size)
    assert sorted(again.findings, key=str) == sorted(alone.findings, key=str)


@pytest.mark.parametrize("size", [1, 1000])
def test_a_class_of_ones_own_is_what_it_lies_below(tmp_path: Path, size: int) -> None:
    own = GOOD.replace("<id/place/coast> a dg:Region", "<id/place/coast> a <urn:x:Coast>")
    assert own != GOOD
    below = own + "<urn:x:Coast> rdfs:subClassOf <urn:x:Edge> . <urn:x:Edge> rdfs:subClassOf dg:Region ."
    assert in_pieces(EmbeddedStore(), tmp_path, triples(own), size).violations
    assert not in_pieces(EmbeddedStore(), tmp_path, triples(below), size).findings
    assert not by_shapes(validate(triples(below)))


def test_findings_are_listed_up_to_a_limit_and_all_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: list[Triple], at_once: set[Finding]
) -> None:
    monkeypatch.setattr("kg.validation.piecewise.LISTED", 7)
    checked = in_pieces(EmbeddedStore(), tmp_path, wrong, 100)
    assert checked.violations >= sum(f.severity == "violation" for f in at_once)
    assert sum(f.severity == "violation" for f in checked.findings) == 7


def test_names_that_nobody_describes_are_noted_once(tmp_path: Path) -> None:
    data = triples(GOOD)
    gone = f"{ID}country/bbb"
    data = [t for t in data if getattr(t.subject, "value", "") != gone]
    assert list(in_pieces(EmbeddedStore(), tmp_path, data, 1).undescribed) == [gone]
