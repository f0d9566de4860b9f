"""The adapter over pyrudof: findings in the words of the shapes, whatever pyrudof says itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyoxigraph
import pytest
import rdflib
from pyoxigraph import RdfFormat, Triple
from rdflib.namespace import RDF, RDFS, SH

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ID, term
from kg.validation.shacl import ShapesValidator, read_shapes
from tests.kg.validation.test_graph_check import HEAD


def triples(turtle: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(HEAD + turtle, format=RdfFormat.TURTLE)]


@pytest.fixture(scope="module")
def validator() -> ShapesValidator:
    return ShapesValidator()


def test_labels_and_messages_are_found_by_shape() -> None:
    shapes = rdflib.Graph().parse(ONTOLOGY_FOLDER / "shapes.ttl")
    texts = read_shapes().texts
    for shape in shapes.subjects(RDF.type, SH.NodeShape):
        assert texts[str(shape)].label == str(shapes.value(shape, RDFS.label))
    # Messages of SPARQL constraints have placeholders that pyrudof fills in.
    of_queries = {shapes.value(query, SH.message) for query in shapes.objects(predicate=SH.sparql)}
    messages = {str(m) for m in set(shapes.objects(predicate=SH.message)) - of_queries}
    assert {text.message for text in texts.values() if text.message} == messages


def test_only_the_nodes_asked_for_are_reported(validator: ShapesValidator) -> None:
    graph = triples("<id/country/x> a dg:Country . <id/country/y> a dg:Country .")
    assert {f.node for f in validator.findings(graph, {ID + "country/y"})} == {ID + "country/y"}
    assert not list(validator.findings(graph, set()))


def test_one_graph_leaves_nothing_for_the_next(validator: ShapesValidator) -> None:
    broken = triples("<id/country/x> a dg:Country .")
    named = triples('<id/country/x> a dg:Country ; rdfs:label "X"@en .')
    for _ in range(2):
        assert list(validator.findings(broken, {ID + "country/x"}))
        assert not list(validator.findings(named, {ID + "country/x"}))


def test_a_subclass_has_the_shapes_of_the_wider_class() -> None:
    cls = pyoxigraph.NamedNode("urn:x:Land")
    graph = [Triple(pyoxigraph.NamedNode("urn:x:a"), term("rdf:type"), cls)]
    below = Triple(cls, term("rdfs:subClassOf"), term("dg:Country"))
    assert not list(ShapesValidator().findings(graph, {"urn:x:a"}))
    given = [f.shape for f in ShapesValidator([below]).findings(graph, {"urn:x:a"})]
    stated = [f.shape for f in ShapesValidator().findings([*graph, below], {"urn:x:a"})]
    assert given == stated == ["Thing with a name"]


def test_threads_may_share_a_validator(validator: ShapesValidator) -> None:
    def lacks_label(number: int) -> list[str]:
        node = f"{ID}country/c{number}"
        return [f.node for f in validator.findings(triples(f"<{node}> a dg:Country ."), {node})]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lacks_label, range(20))) == [[f"{ID}country/c{n}"] for n in range(20)]


@pytest.mark.parametrize(
    ("literal", "shown"),
    [
        ('"a \\"b\\"\\nc"', '"a "b"\nc"^^xsd:string'),
        ('"a"@en-GB', '"a"@en-GB'),
        ("true", '"true"^^xsd:boolean'),
        ('"true"', '"true"^^xsd:string'),
        ('"a"^^<urn:x:datatype>', '"a"^^urn:x:datatype'),
        ('"POINT(1 2)"^^geo:wktLiteral', '"POINT(1 2)"^^geo:wktLiteral'),
        ("<id/country/y>", "id:country/y"),
    ],
)
def test_values_are_shown_with_datatype_or_language(
    validator: ShapesValidator, literal: str, shown: str
) -> None:
    graph = triples(
        "@prefix geo: <http://www.opengis.net/ont/geosparql#> ."
        f'<id/country/x> a dg:Country ; rdfs:label "X" ; dg:isoNumeric {literal} .'
    )
    assert shown in {f.value for f in validator.findings(graph, {ID + "country/x"})}
