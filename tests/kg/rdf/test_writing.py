"""What XML and RDF/XML cannot express: refused by its name; everything else is read as it was written."""

from __future__ import annotations

import io
from xml.parsers import expat

import pytest
from pyoxigraph import (
    BaseDirection,
    Literal,
    NamedNode,
    QueryResultsFormat,
    RdfFormat,
    Store,
    Triple,
    parse,
    parse_query_results,
)

from kg.errors import NotAcceptableError
from kg.rdf.formats import RESULT_FORMATS, result_format
from kg.rdf.writing import XmlText, write_result, write_triples

RDF_XML = result_format("graph", "rdf")
XML = result_format("solutions", "xml")
S, P = NamedNode("http://e.example/s"), NamedNode("http://e.example/p")
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
# XML 1.0 section 2.2, production Char.
REFUSED = [*(chr(n) for n in range(32) if n not in (9, 10, 13)), "\ufffe", "\uffff"]
CARRIED = "\t\n\r\x7f\x85\x9f\u2028\ufdd0\ufffd\U0001fffe ]]> & <a> \"'"


def rdf_xml(*triples: Triple) -> bytes:
    """RDF/XML that a reader with namespaces accepts."""
    written = io.BytesIO()
    write_triples(triples, written, RDF_XML)
    expat.ParserCreate("utf-8", " ").Parse(written.getvalue(), True)
    return written.getvalue()


def results(text: str, form: str = "xml") -> bytes:
    written = io.BytesIO()
    query = f"SELECT ?t {{ VALUES ?t {{ {Literal(text)} }} }}"
    write_result(Store().query(query), written, result_format("solutions", form))
    return written.getvalue()


@pytest.mark.parametrize("character", REFUSED)
def test_characters_outside_of_xml_are_refused_with_the_text(character: str) -> None:
    for write in (lambda text: rdf_xml(Triple(S, P, Literal(text))), results):
        with pytest.raises(NotAcceptableError) as caught:
            write(f"tea & {character}<milk>")
        assert f"U+{ord(character):04X}" in caught.value.detail
        assert str(Literal(f"tea & {character}<milk>")) in caught.value.detail


def test_other_formats_carry_every_character() -> None:
    text = "".join(REFUSED) + CARRIED
    for form in RESULT_FORMATS:
        if form.name in ("json", "tsv"):
            (row,) = parse_query_results(results(text, form.name), format=form.engine)  # type: ignore[arg-type]
            assert row["t"] == Literal(text)


def test_what_xml_carries_is_read_as_it_was_written() -> None:
    (quad,) = parse(rdf_xml(Triple(S, P, Literal(CARRIED))), format=RdfFormat.RDF_XML)
    assert quad.object == Literal(CARRIED)
    (row,) = parse_query_results(results(CARRIED), format=QueryResultsFormat.XML)
    assert row["t"] == Literal(CARRIED)
    # XML 1.0 section 2.11: a reader takes a carriage return for a line feed, unless it is a reference.
    texts: list[str] = []
    reader = expat.ParserCreate("utf-8")
    reader.CharacterDataHandler = texts.append
    reader.Parse(results(CARRIED), True)
    assert "".join(texts) == CARRIED


def test_a_long_text_is_named_in_part() -> None:
    with pytest.raises(NotAcceptableError) as caught:
        results("é" * 20_000 + "\x01" + "ß" * 20_000)
    assert "é\\u0001ß" in caught.value.detail and len(caught.value.detail) < 300


def test_a_character_in_two_pieces_is_found() -> None:
    text = XmlText()
    assert text.check(b"<literal>\xef\xbf") == b"<literal>\xef\xbf"
    with pytest.raises(NotAcceptableError):
        text.check(b"\xbe</literal>")


@pytest.mark.parametrize(
    "predicate",
    [
        *(
            "http://e.example/",
            "http://e.example/123",
            "urn:e:1",
            "http://e.example/a%20",
            "http://e.example/×",
        ),
        *(RDF + name for name in ("li", "Description", "RDF", "ID", "about", "bagID", "aboutEach")),
        "http://www.w3.org/2000/xmlns/a",
    ],
)
def test_predicates_that_are_no_xml_name_are_refused(predicate: str) -> None:
    """RDF 1.1 XML Syntax sections 2.4, 5.1 and 7.2.14, and Namespaces in XML section 3."""
    for triple in (Triple(S, NamedNode(predicate), S), Triple(S, P, Triple(S, NamedNode(predicate), S))):
        with pytest.raises(NotAcceptableError) as caught:
            rdf_xml(triple)
        assert f"<{predicate}>" in caught.value.detail


@pytest.mark.parametrize(
    "predicate",
    [
        *("http://e.example/1a", "http://e.example/a(b", "http://e.example/é·", "urn:e:a.b-c"),
        *(RDF + name for name in ("_1", "type", "value", "lis", "first")),
        "http://www.w3.org/XML/1998/namespace#a",
        "http://e.example/a&b",
    ],
)
def test_other_predicates_are_read_as_they_were_written(predicate: str) -> None:
    triple = Triple(S, NamedNode(predicate), Literal("x", language="ar", direction=BaseDirection.RTL))
    assert [quad.triple for quad in parse(rdf_xml(triple), format=RdfFormat.RDF_XML)] == [triple]


def test_a_format_without_triple_terms_is_refused() -> None:
    with pytest.raises(NotAcceptableError) as caught:
        write_triples([Triple(S, P, Triple(S, P, S))], io.BytesIO(), result_format("graph", "jsonld"))
    assert "RDF 1.2" in caught.value.detail
