"""Strict reading of RDF: every syntax, and every way a file can be wrong."""

import json
from xml.etree import ElementTree

import pyoxigraph
import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.errors import DataSyntaxError, TooLargeError, UnsupportedFormatError
from kg.rdf.blank_nodes import skolemise
from kg.rdf.line_numbers import find_lines
from kg.rdf.parsing import RdfReading, open_rdf
from kg.settings import LITERAL_LIMIT
from kg.terms import GENID, term

A, P, B = (NamedNode(f"http://example.org/{name}") for name in ("a", "p", "b"))
FACT = Triple(A, P, B)
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/"'
SYNTAXES = {
    "x.ttl": "@prefix e: <http://example.org/> . e:a e:p e:b .",
    "x.nt": f"{A} {P} {B} .",
    "x.nq": f"{A} {P} {B} .",
    "x.trig": f"{{ {A} {P} {B} . }}",
    "x.rdf": f'<?xml version="1.0"?><rdf:RDF {RDF}><rdf:Description rdf:about="http://example.org/a">'
    '<e:p rdf:resource="http://example.org/b"/></rdf:Description></rdf:RDF>',
    "x.jsonld": json.dumps({"@id": A.value, P.value: {"@id": B.value}}),
}


def read_rdf(data: bytes, name: str, **options: str) -> tuple[tuple[Triple, ...], RdfReading]:
    reading = open_rdf(data, name, **options)
    return tuple(dict.fromkeys(reading.triples())), reading


def refusal(text: str | bytes, name: str = "x.ttl", **options: str) -> DataSyntaxError:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DataSyntaxError) as caught:
        read_rdf(data, name=name, **options)
    assert name in str(caught.value.where)
    assert caught.value.mend
    return caught.value


@pytest.mark.parametrize("name", SYNTAXES)
def test_every_syntax_gives_the_same_triple(name: str) -> None:
    triples, reading = read_rdf(SYNTAXES[name].encode(), name=name)
    assert triples == (FACT,)
    assert reading.graph is None


def test_syntax_by_name_then_ending_then_media_type() -> None:
    turtle, triples = SYNTAXES["x.ttl"].encode(), SYNTAXES["x.nt"].encode()
    assert read_rdf(turtle, name="x.nt", format="ttl")[1].syntax.name == "ttl"
    assert read_rdf(triples, name="x.nt", media_type="application/rdf+xml")[1].syntax.name == "nt"
    assert read_rdf(turtle, name="upload", media_type="text/turtle; charset=utf-8")[1].syntax.name == "ttl"
    assert read_rdf(turtle, name="folder.d/upload.bin", media_type="text/turtle")[1].syntax.name == "ttl"


@pytest.mark.parametrize("name", ["events.docx", "events", "folder.ttl/events"])
def test_unknown_syntax_lists_what_can_be_read(name: str) -> None:
    with pytest.raises(UnsupportedFormatError, match=name) as caught:
        read_rdf(b"x", name=name)
    assert ".ttl" in str(caught.value.mend)


def test_a_byte_order_mark_of_utf8_is_accepted() -> None:
    assert read_rdf(b"\xef\xbb\xbf" + SYNTAXES["x.ttl"].encode(), name="x.ttl")[0] == (FACT,)


@pytest.mark.parametrize("data", [b"", b" \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(data: bytes) -> None:
    assert "empty" in refusal(data).detail


@pytest.mark.parametrize(
    ("name", "text"), [("x.ttl", "# nothing"), ("x.jsonld", "{}"), ("x.nt", "# nothing")]
)
def test_a_file_without_triples_is_refused(name: str, text: str) -> None:
    assert "no triples" in refusal(text, name).detail


def test_latin1_names_the_byte_and_its_place() -> None:
    error = refusal(f'{A} {P} "é" .\n{A} {P} "café" .'.encode().replace(b"caf\xc3\xa9", b"caf\xe9"))
    assert (error.line, error.column) == (2, len(f'{A} {P} "caf') + 1)
    assert "0xe9" in error.detail
    assert "ISO-8859-1" in str(error.mend)


def test_utf16_is_named() -> None:
    assert "UTF-16" in refusal(SYNTAXES["x.ttl"].encode("utf-16")).detail


def test_malformed_turtle_names_line_and_column() -> None:
    error = refusal(f"{A} {P} {B} .\n{A} {P} ,")
    assert (error.line, error.column) == (2, len(f"{A} {P} ,"))
    assert error.where == f"x.ttl, line 2, column {error.column}"


def test_an_undeclared_prefix_is_named_with_its_declaration() -> None:
    error = refusal("@prefix e: <http://example.org/> .\ne:a dg:time e:b .")
    assert error.line == 2
    assert "dg:" in error.detail
    assert "@prefix dg:" in str(error.mend)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.ttl", f"{A} {P} {B} .\n<relative> {P} {B} ."),
        ("x.rdf", SYNTAXES["x.rdf"].replace("http://example.org/b", "relative").replace("?>", "?>\n")),
        ("x.jsonld", f'{{"@id": "{A.value}",\n "{P.value}": {{"@id": "relative"}}}}'),
    ],
)
def test_a_relative_iri_without_base_is_refused(name: str, text: str) -> None:
    error = refusal(text, name)
    assert "relative" in error.detail
    assert error.line == 2
    assert "base" in str(error.mend)
    triples, _ = read_rdf(text.encode(), name=name, base_iri="http://example.org/")
    assert any("http://example.org/relative" in str(triple) for triple in triples)


def test_truncated_xml_is_refused() -> None:
    whole = SYNTAXES["x.rdf"]
    error = refusal(whole.removesuffix("</rdf:RDF>"), "x.rdf")
    assert "well-formed" in error.detail
    assert error.line == 1


def doctype(declarations: str, body: str = "&x;") -> str:
    root = SYNTAXES["x.rdf"].removeprefix('<?xml version="1.0"?>')
    return f"<!DOCTYPE rdf:RDF {declarations}>" + root.replace("http://example.org/a", body)


def test_a_short_entity_of_the_document_itself_is_read() -> None:
    text = doctype('[<!ENTITY x "http://example.org/a">]')
    assert read_rdf(text.encode(), name="x.rdf")[0] == (FACT,)


@pytest.mark.parametrize(
    "declarations",
    [
        '[<!ENTITY x SYSTEM "file:///etc/passwd">]',
        '[<!ENTITY % x SYSTEM "http://127.0.0.1:9/x.dtd"> %x;]',
        'SYSTEM "http://127.0.0.1:9/x.dtd"',
        '[<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;&a;">]',
    ],
)
def test_entities_are_neither_fetched_nor_multiplied(declarations: str) -> None:
    assert refusal(doctype(declarations), "x.rdf").line


def test_xml_nested_without_end_is_refused() -> None:
    inner = "<rdf:Description><e:p>" * 1000 + "</e:p></rdf:Description>" * 1000
    assert "nested" in refusal(f"<rdf:RDF {RDF}>{inner}</rdf:RDF>", "x.rdf").detail


XML = """<?xml version="1.0"{}?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:e="http://example.org/" xml:lang="en">
<rdf:Description rdf:about="http://example.org/a">{}</rdf:Description></rdf:RDF>"""


@pytest.mark.parametrize("encoding", ["ISO-8859-1", "windows-1252", "UTF-16", "us-ascii", "utf-8"])
def test_xml_is_read_in_the_encoding_that_it_declares(encoding: str) -> None:
    """XML 1.0 section 4.3.3."""
    word = "cafe" if encoding == "us-ascii" else "café"
    data = XML.format(f" encoding='{encoding}'", f"<e:p>{word}</e:p>").encode(encoding)
    assert [triple.object for triple in read_rdf(data, name="x.rdf")[0]] == [Literal(word, language="en")]


def test_xml_in_an_encoding_that_is_unknown_or_not_true_is_refused() -> None:
    for encoding, data in (("klingon", b"x"), ("us-ascii", "é".encode())):
        text = XML.format(f" encoding='{encoding}'", "<e:p>{}</e:p>").encode().replace(b"{}", data)
        with pytest.raises(DataSyntaxError) as caught:
            list(open_rdf(text, "x.rdf").triples())
        assert caught.value.line == 1 and encoding in caught.value.detail


def test_an_empty_language_means_none() -> None:
    """XML 1.0 section 2.12."""
    text = XML.format(
        "", """<e:p xml:lang="">a</e:p><e:p>say xml:lang="" here</e:p><e:p xml:lang=''>b</e:p>"""
    )
    assert {triple.object for triple in read_rdf(text.encode(), name="x.rdf")[0]} == {
        Literal("a"), Literal("b"), Literal('say xml:lang="" here', language="en")
    }  # fmt: skip


def test_an_xml_literal_is_well_formed() -> None:
    """RDF 1.1 XML Syntax section 7.2.17."""
    inner = '<p xmlns="http://www.w3.org/1999/xhtml" xml:lang="">one <b title="a &gt; b">two</b></p>'
    text = XML.format("", f'<e:p rdf:parseType="Literal">{inner}</e:p>')
    (triple,) = read_rdf(text.encode(), name="x.rdf")[0]
    literal = triple.object
    assert literal.datatype == term("rdf:XMLLiteral")
    assert ElementTree.canonicalize(literal.value) == ElementTree.canonicalize(inner)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<http://e/a>\n <http://e/b>\u00a0<http://e/c> .", "NO-BREAK SPACE (U+00A0)"),
        ("<http://e/a> <http://e/b>\n 1 .\n\ufeff<http://e/a> <http://e/b> 2 .", "(U+FEFF)"),
        ("<http://e/a>\n <http://e/b>\u200b<http://e/c> .", "ZERO WIDTH SPACE"),
    ],
)
def test_an_invisible_character_is_named(text: str, named: str) -> None:
    error = refusal(text, "x.ttl")
    assert named in error.detail
    at = [line.find(char) for line in text.split("\n") for char in "\u00a0\ufeff\u200b" if char in line]
    assert error.column == at[0] + 1


def test_a_remote_context_is_not_fetched() -> None:
    error = refusal(f'{{\n"@context": "http://127.0.0.1:9/c", "@id": "{A.value}", "p": 1}}', "x.jsonld")
    assert "context" in error.detail
    assert error.line == 2


def test_a_key_outside_the_context_is_not_dropped() -> None:
    text = f'{{"@context": {{"p": "{P.value}"}}, "@id": "{A.value}", "p": 1,\n "when": "2018"}}'
    error = refusal(text, "x.jsonld")
    assert '"when"' in error.detail
    assert error.line == 2
    triples, _ = read_rdf(text.replace(',\n "when": "2018"', "").encode(), name="x.jsonld")
    assert len(triples) == 1


def test_malformed_json_names_line_and_column() -> None:
    assert refusal(f'{{"@id": "{A.value}"', "x.jsonld").line == 1


@pytest.mark.parametrize("name", ["x.ttl", "x.nt", "x.trig", "x.jsonld"])
def test_a_file_that_breaks_off_is_told_so(name: str) -> None:
    text = SYNTAXES[name]
    assert "ends here" in str(refusal(text[: text.rindex("example") + 3] + "\n", name).mend)


def test_endlessly_nested_json_is_refused() -> None:
    refusal(f'{{"{P.value}":' * 40_000 + "1" + "}" * 40_000, "x.jsonld")


@pytest.mark.parametrize("value", [f"<<( {A} {P} {B} )>>", '"x"@ar--rtl', f"{B} {{| {P} 1 |}}"])
def test_rdf_12_is_refused(value: str) -> None:
    assert "RDF 1.2" in refusal(f"{A} {P} {value} .").detail


def test_triple_terms_nested_without_end_are_refused() -> None:
    nested = f"<<( {A} {P} " * 100_000 + "1" + " )>>" * 100_000
    assert "RDF 1.2" in refusal(f"{A} {P} {nested} .").detail


def test_angle_brackets_in_strings_and_comments_are_no_triple_terms() -> None:
    text = f"""# <<( no )>>\n{A} {P} "<<", '<<', {chr(34) * 3}a " <<{chr(34) * 3}, "\\"<<" . # << """
    assert len(read_rdf(text.encode(), name="x.ttl")[0]) == 3


def test_one_named_graph_is_the_files_own() -> None:
    _, reading = read_rdf(f"{A} {P} {B} <http://example.org/g> .".encode(), name="x.nq")
    assert reading.graph == NamedNode("http://example.org/g")


@pytest.mark.parametrize("other", ["<http://example.org/h> ", ""])
def test_several_graphs_in_a_file_are_no_one_graph(other: str) -> None:
    text = f"{A} {P} {B} <http://example.org/g> .\n{B} {P} {A} {other}."
    triples, reading = read_rdf(text.encode(), name="x.nq")
    assert len(triples) == 2
    with pytest.raises(DataSyntaxError) as caught:
        _ = reading.graph
    assert "2 graphs" in caught.value.detail
    assert caught.value.mend is not None
    assert "--source http://example.org/g" in caught.value.mend


def test_one_graph_of_several_is_read_by_its_name() -> None:
    wanted = NamedNode("http://example.org/g")
    text = f"{A} {P} {B} {wanted} .\n{B} {P} {A} <http://example.org/h> ."
    reading = open_rdf(text.encode(), "x.nq", wanted=wanted)
    assert list(reading.triples()) == [FACT]
    assert reading.graph == wanted


def test_a_name_that_is_not_in_the_file_leaves_nothing_out() -> None:
    text = f"{A} {P} {B} <http://example.org/g> ."
    reading = open_rdf(text.encode(), "x.nq", wanted=NamedNode("http://example.org/other"))
    assert list(reading.triples()) == [FACT]


def test_line_of_a_thing() -> None:
    _, reading = read_rdf(
        f"@prefix e: <http://example.org/> .\ne:ab e:p e:a .\ne:a e:p\n"
        f"  e:b . {B} e:p e:a . e:x\\/y e:p 1 .".encode(),
        name="x.ttl",
    )
    assert find_lines(reading.content, reading.prefixes, [(A.value, None)]) == [3]
    assert find_lines(reading.content, reading.prefixes, [(B.value, None)]) == [4]
    assert find_lines(reading.content, reading.prefixes, [("http://example.org/x/y", None)]) == [4]
    assert find_lines(reading.content, reading.prefixes, [("http://example.org/zz", None)]) == [None]


def test_line_of_a_value_that_occurs_once() -> None:
    _, reading = read_rdf(f'{A} {P} "2018",\n "2019" .\n{B} {P} "2018" .'.encode(), name="x.ttl")
    assert find_lines(reading.content, reading.prefixes, [(A.value, '"2019"')]) == [2]
    assert find_lines(reading.content, reading.prefixes, [(B.value, '"2018"')]) == [3]


def triples_of(text: str) -> list[Triple]:
    return [quad.triple for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE)]


def test_blank_nodes_become_the_same_iris_each_time() -> None:
    first = skolemise(triples_of(f'{A} {P} [ {P} "x" ] , _:n . _:n {P} _:m .'), "g")
    again = skolemise(triples_of(f'_:k {P} _:a . {A} {P} _:k , [ {P} "x" ] .'), "g")
    assert set(first) == set(again)
    assert len({t.object for t in first}) == 4
    assert all(GENID in str(t) for t in first)


def test_blank_nodes_of_two_sources_stay_apart() -> None:
    triples = triples_of(f'[ {P} "x" ] {P} {A} .')
    assert not set(skolemise(triples, "g")) & set(skolemise(triples, "h"))


def test_an_edit_elsewhere_leaves_blank_nodes_as_they_are() -> None:
    text = f'[ {P} "x" ] {P} {A} . [ {P} "y" ] {P} {A} .'
    before = skolemise(triples_of(text), "g")
    after = skolemise(triples_of(text + f'{B} {P} [ {P} "z" ] .'), "g")
    assert set(before) < set(after)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"[ {P} {A} ] {P} {B} . " for _ in range(500)),
        "".join(f"_:n{i} {P} _:n{(i + 1) % 500} . " for i in range(500)),
        "".join(f"_:n{i} {P} _:n{j} . " for i in range(30) for j in range(30) if i != j),
        f"{A} {P} ( {' '.join(['1'] * 500)} ) .",
    ],
    ids=["alike", "ring", "complete", "list"],
)
def test_symmetric_graphs_keep_every_node_apart(text: str) -> None:
    triples = triples_of(text)
    named = skolemise(triples, "g")
    assert len(set(named)) == len(set(triples))
    assert named == skolemise(triples_of(text), "g")


@pytest.mark.parametrize(
    ("name", "times"), [("x.ttl", 3), ("x.nt", 3), ("x.nt", 1), ("x.trig", 1), ("x.rdf", 3), ("x.jsonld", 1)]
)
def test_a_literal_that_is_too_long_names_its_place(name: str, times: int) -> None:
    text = "a" * (times * LITERAL_LIMIT + 1)
    documents = {
        "x.rdf": XML.format("", f"\n<e:p>{text}</e:p>"),
        "x.jsonld": f'{{"@id": "{A.value}", \n"{P.value}": "{text}"}}',
    }
    data = documents.get(name, f'{A} {P} "small" .\n{A} {P} "{text}" .')
    if name == "x.trig":
        data = f"{{ {data} }}"
    with pytest.raises(TooLargeError, match="8 MiB") as caught:
        read_rdf(data.encode(), name=name)
    assert caught.value.line == data[: data.index("aaaa")].count("\n") + 1


def test_a_literal_of_the_limit_is_read() -> None:
    text = "a" * (LITERAL_LIMIT - 2)
    (triple,) = read_rdf(f'{A} {P} "{text}" .'.encode(), name="x.nt")[0]
    assert triple.object == Literal(text)


@pytest.mark.parametrize("lines", [10, 1_300_000])
def test_a_text_that_is_not_closed_names_the_line_on_which_it_begins(lines: int) -> None:
    text = f'{A} {P} "closed" .\n{A} {P} """open ' + "and on\n" * lines * 2
    error = refusal(text, "x.ttl")
    assert error.line == 2
    assert error.detail == "the text that begins here is not closed"


@pytest.mark.parametrize("form", ["ttl", "trig"])
@pytest.mark.parametrize(
    ("opening", "closing"), [("[ <a:p> ", " ]"), ("( ", " )"), ('[ <a:q> "]" ; <a:p> ', " ]")]
)
def test_deep_turtle_is_refused_at_its_place(form: str, opening: str, closing: str) -> None:
    def document(depth: int) -> bytes:
        return f"<a:s> <a:p> {opening * depth}1{closing * depth} .".encode()

    assert list(open_rdf(document(190), f"x.{form}").triples())
    with pytest.raises(DataSyntaxError, match="more than 200 levels") as raised:
        list(open_rdf(document(100_000), f"x.{form}").triples())
    assert raised.value.column == len("<a:s> <a:p> ") + 200 * len(opening) + 1


def test_brackets_in_texts_are_no_depth() -> None:
    lines = [f'<a:s{number}> <a:p> "(([[ 1) :-]" , ( 1 ) .' for number in range(300)]
    assert list(open_rdf("\n".join(lines).encode(), "x.ttl").triples())
