"""The ontology: every term explained, OWL 2 DL as far as files alone can tell, one vocabulary with docs."""

from __future__ import annotations

import re
from pathlib import Path

import pyoxigraph
import pytest
import rdflib
from pyoxigraph import Triple
from rdflib.namespace import DCTERMS, OWL, RDF, RDFS, SKOS, VANN, XSD

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.ontology import article_graphs, reference_graphs
from kg.terms import ONTOLOGY, PREFIXES, compact, term

ROOT = Path(__file__).parent.parent.parent
FILES = ("diplomacy.ttl", "event-types.ttl", "cameo.ttl", "alignments.ttl", "shapes.ttl", "pages.ttl")
STATUS = rdflib.URIRef("http://www.w3.org/2003/06/sw-vocab-status/ns#term_status")
KINDS = (OWL.Class, OWL.ObjectProperty, OWL.DatatypeProperty, OWL.AnnotationProperty)
# OWL 2 Structural Specification section 4: the datatypes of literals that a reasoner must know.
_XSD = {
    *("decimal", "integer", "nonNegativeInteger", "nonPositiveInteger", "positiveInteger", "negativeInteger"),
    *("long", "int", "short", "byte", "unsignedLong", "unsignedInt", "unsignedShort", "unsignedByte"),
    *("double", "float", "string", "normalizedString", "token", "language", "Name", "NCName", "NMTOKEN"),
    *("boolean", "hexBinary", "base64Binary", "anyURI", "dateTime", "dateTimeStamp"),
}
DATATYPE_MAP = {
    *(OWL.real, OWL.rational, RDFS.Literal, RDF.XMLLiteral, RDF.PlainLiteral, RDF.langString),
    *(XSD[name] for name in _XSD),
}


@pytest.fixture(scope="module")
def ontology() -> rdflib.Graph:
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "diplomacy.ttl")


@pytest.fixture(scope="module")
def whole() -> rdflib.Graph:
    graph = rdflib.Graph()
    for name in FILES[:4]:
        graph.parse(ONTOLOGY_FOLDER / name)
    return graph


def own_terms() -> list[str]:
    graph = rdflib.Graph().parse(ONTOLOGY_FOLDER / "diplomacy.ttl")
    return sorted({str(s) for s in graph.subjects(RDF.type) if str(s).startswith(ONTOLOGY)})


@pytest.mark.parametrize("name", FILES)
def test_both_libraries_read_the_same_triples(name: str) -> None:
    path = ONTOLOGY_FOLDER / name
    assert len(set(pyoxigraph.parse(path=path))) == len(rdflib.Graph().parse(path)) > 0


def test_header(ontology: rdflib.Graph) -> None:
    (header,) = ontology.subjects(RDF.type, OWL.Ontology)
    assert str(ontology.value(header, VANN.preferredNamespaceUri)) == ONTOLOGY
    assert str(ontology.value(header, VANN.preferredNamespacePrefix)) == "dg"
    for needed in (DCTERMS.title, DCTERMS.description, DCTERMS.abstract, DCTERMS.creator, DCTERMS.license):
        assert ontology.value(header, needed), needed
    assert ontology.value(header, DCTERMS.created)
    assert str(ontology.value(header, OWL.versionIRI)).startswith(str(header))


def test_nothing_is_imported(whole: rdflib.Graph) -> None:
    assert not list(whole.triples((None, OWL.imports, None)))


@pytest.mark.parametrize("iri", own_terms(), ids=compact)
def test_term_is_explained(ontology: rdflib.Graph, iri: str) -> None:
    subject = rdflib.URIRef(iri)
    for needed in (RDFS.label, SKOS.definition, SKOS.example):
        (text,) = ontology.objects(subject, needed)
        assert isinstance(text, rdflib.Literal)
        assert text.language == "en"
        assert text.strip()
    assert str(ontology.value(subject, STATUS)) in {"unstable", "testing", "stable", "archaic"}
    (header,) = ontology.objects(subject, RDFS.isDefinedBy)
    assert (header, RDF.type, OWL.Ontology) in ontology


def test_terms_of_others_are_declared_with_a_label(whole: rdflib.Graph) -> None:
    """Whatever the files use as class or property is declared there (OWL 2 DL, section 5.8.2)."""
    builtin = tuple(PREFIXES[name] for name in ("rdf", "rdfs", "owl", "xsd"))
    declared = {s for kind in KINDS for s in whole.subjects(RDF.type, kind)}
    used = set(whole.predicates()) | set(whole.objects(None, RDF.type))
    used |= set(whole.objects(None, RDFS.subClassOf)) | set(whole.objects(None, RDFS.subPropertyOf))
    used |= set(whole.objects(None, RDFS.domain)) | set(whole.objects(None, RDFS.range))
    named = {u for u in used - declared if isinstance(u, rdflib.URIRef)}
    missing = {u for u in named if not str(u).startswith(builtin)}
    assert not missing
    assert not {d for d in declared if isinstance(d, rdflib.URIRef) and not whole.value(d, RDFS.label)}


def test_no_term_is_of_two_kinds(whole: rdflib.Graph) -> None:
    kinds: dict[rdflib.term.Node, set[rdflib.term.Node]] = {}
    for kind in KINDS:
        for subject in whole.subjects(RDF.type, kind):
            kinds.setdefault(subject, set()).add(kind)
    assert not {compact(str(s)): k for s, k in kinds.items() if len(k) > 1}


@pytest.mark.parametrize("name", ["predicate", "object", "comparedByValue"])
def test_annotation_properties(ontology: rdflib.Graph, name: str) -> None:
    assert (rdflib.URIRef(ONTOLOGY + name), RDF.type, OWL.AnnotationProperty) in ontology


def test_ranges_and_literals_are_in_the_datatype_map(whole: rdflib.Graph) -> None:
    properties = set(whole.subjects(RDF.type, OWL.DatatypeProperty))
    assert {o for p in properties for o in whole.objects(p, RDFS.range)} <= DATATYPE_MAP
    literals = {o.datatype for o in whole.objects() if isinstance(o, rdflib.Literal) and o.datatype}
    assert literals <= DATATYPE_MAP


def test_transitive_properties_stay_simple(ontology: rdflib.Graph) -> None:
    """OWL 2 section 11.2: what is transitive, or above such a property, is not functional."""
    transitive = set(ontology.subjects(RDF.type, OWL.TransitiveProperty))
    above = {a for t in transitive for a in ontology.transitive_objects(t, RDFS.subPropertyOf)}
    for kind in (OWL.FunctionalProperty, OWL.InverseFunctionalProperty, OWL.AsymmetricProperty):
        assert not above & set(ontology.subjects(RDF.type, kind))


def test_data_model_names_the_vocabulary_and_nothing_else() -> None:
    text = (ROOT / "docs" / "data-model.md").read_text(encoding="utf-8")
    named = {f"{ONTOLOGY}{name}" for name in re.findall(r"\bdg:(\w+)", text)}
    assert sorted(named) == own_terms()


@pytest.mark.parametrize("name", ["queries/*.rq", "ontology/graphs/*.trig", "ontology/*.ttl"])
def test_bundled_files_use_declared_terms_only(name: str) -> None:
    own = {compact(iri) for iri in own_terms()}
    for path in ROOT.glob(name):
        text = re.sub(r"\"[^\"\n]*\"", "", path.read_text(encoding="utf-8"))
        used = {f"dg:{local}" for local in re.findall(r"\bdg:(\w+)", text)}
        assert used <= own, f"{path.name}: {sorted(used - own)}"


def test_reference_graphs() -> None:
    graphs = reference_graphs()
    assert sorted(compact(graph.value) for graph in graphs) == [
        "graph:alignments", "graph:countries", "graph:event-types", "graph:ontology",
    ]  # fmt: skip
    assert all(graphs.values())
    event = Triple(term("dg:Event"), term("rdf:type"), term("owl:Class"))
    assert event in graphs[term("graph:ontology")]
    graphs[term("graph:ontology")].clear()
    assert event in reference_graphs()[term("graph:ontology")]


def test_article_graphs_are_named_and_no_reference_graph() -> None:
    graphs = article_graphs()
    assert graphs
    assert not graphs.keys() & reference_graphs().keys()


def test_article_outside_a_graph_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "x.trig").write_text("<urn:a> <urn:b> <urn:c> .", encoding="utf-8")
    monkeypatch.setattr("kg.ontology.ONTOLOGY_FOLDER", tmp_path)
    with pytest.raises(DataSyntaxError, match="outside all named graphs"):
        article_graphs()


def test_article_that_cannot_be_parsed_is_placed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "graphs").mkdir()
    (tmp_path / "graphs" / "x.trig").write_text("\n\n<urn:a> <urn:b ", encoding="utf-8")
    monkeypatch.setattr("kg.ontology.ONTOLOGY_FOLDER", tmp_path)
    with pytest.raises(DataSyntaxError) as caught:
        article_graphs()
    assert caught.value.line == 3
    assert str(caught.value.where).startswith("x.trig, line 3")


def test_expected_axioms() -> None:
    """What the data model promises, in the graph that a store holds."""
    graph = set(reference_graphs()[term("graph:ontology")])

    def says(subject: str, predicate: str, value: str) -> bool:
        return Triple(term(subject), term(predicate), term(value)) in graph

    for role in ("actor", "recipient", "affected", "orderedBy", "counterpart", "mediator", "host", "guest"):
        assert says(f"dg:{role}", "rdfs:subPropertyOf", "dg:participant")
    for role in ("origin", "transit", "destination"):
        assert says(f"dg:{role}", "rdfs:subPropertyOf", "dg:place")
    for name in ("subEventOf", "locatedIn", "subgroupOf"):
        assert says(f"dg:{name}", "rdf:type", "owl:TransitiveProperty")
    assert says("dg:ledTo", "owl:inverseOf", "dg:resultOf")
    assert says("dg:hasInteraction", "owl:inverseOf", "dg:interactionOf")
    assert says("dg:Country", "rdfs:subClassOf", "dg:Agent")
    assert says("dg:Country", "rdfs:subClassOf", "dg:Place")
    assert not says("dg:UnnamedSource", "owl:disjointWith", "dg:Person")


def test_no_label_is_used_twice_for_properties_or_for_classes(ontology: rdflib.Graph) -> None:
    for kinds in ((OWL.Class,), (OWL.ObjectProperty, OWL.DatatypeProperty)):
        terms = {term for kind in kinds for term in ontology.subjects(RDF.type, kind) if ONTOLOGY in term}
        labels = [str(ontology.value(term, RDFS.label)) for term in terms]
        assert labels and sorted(set(labels)) == sorted(labels)
