"""RDF from file to file: counted, strict, blank nodes told apart or named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rdflib import Graph
from rdflib.compare import isomorphic

from kg.errors import DataSyntaxError, TooLargeError
from kg.rdf.formats import rdf_format
from kg.rdf.ntriples_files import write_ntriples
from kg.settings import LITERAL_LIMIT

TEXT = "<> <p> [ <q> 'x' ; <q> [ <r> <y> ] ] , ( 1 2 ) ."


def write(folder: Path, text: str, form: str = "ttl"):  # type: ignore[no-untyped-def]
    source, target = folder / "source", folder / "target.nt"
    source.write_text(text, encoding="utf-8")
    return write_ntriples(source, rdf_format(form), target, base="http://e.example/g", name="body"), target


def test_the_triples_are_all_there(tmp_path: Path) -> None:
    written, target = write(tmp_path, TEXT)
    wanted = Graph().parse(data=TEXT, format="turtle", publicID="http://e.example/g")
    assert (written.triples, written.blank_nodes) == (len(wanted), True)
    assert isomorphic(Graph().parse(target, format="nt"), wanted)


def test_a_second_document_is_added_with_nodes_of_its_own(tmp_path: Path) -> None:
    write(tmp_path, "_:a <p> 1 .")
    _, target = write(tmp_path, "_:a <p> 1 .")
    assert len(Graph().parse(target, format="nt")) == 2


def test_empty_files(tmp_path: Path) -> None:
    assert write(tmp_path, "")[0].triples == 0
    with pytest.raises(DataSyntaxError):
        write(tmp_path, "", "rdf")


@pytest.mark.parametrize(
    ("text", "form", "line"),
    [
        ("<a:a> <a:b> 1 .\n<a:a> <a:b> oops .", "ttl", 2),
        ("<a:a> <a:b> <a:c> .\n<relative> <a:b> <a:c> .", "nt", 2),
        ("<a>\n<b>\n</a>", "rdf", 3),
        ('{\n"@id": "http://e.example/1",\n"http://e.example/p": }', "jsonld", 3),
    ],
)
def test_a_fault_has_its_line(tmp_path: Path, text: str, form: str, line: int) -> None:
    with pytest.raises(DataSyntaxError) as told:
        write(tmp_path, text, form)
    assert told.value.line == line and told.value.mend


def test_values_that_json_ld_drops_are_counted(tmp_path: Path) -> None:
    values = [{"@id": "http://e/a b"}, {"@id": "http://e/c"}]
    text = json.dumps({"@id": "http://e/s", "http://e/p": values, "unmapped": 1})
    written, target = write(tmp_path, text, "jsonld")
    assert (written.triples, written.lost) == (1, 2)
    assert target.read_text(encoding="utf-8") == "<http://e/s> <http://e/p> <http://e/c> .\n"


@pytest.mark.parametrize("form", ["nt", "ttl", "rdf", "jsonld"])
def test_a_byte_order_mark_is_no_part_of_a_document(tmp_path: Path, form: str) -> None:
    graph = Graph().parse(data="<http://e/s> <http://e/p> 'é' .", format="turtle")
    names = {"ttl": "turtle", "rdf": "xml", "jsonld": "json-ld"}
    text = graph.serialize(format=names.get(form, form))
    _, target = write(tmp_path, "\ufeff" + text.lstrip("\ufeff"), form)
    assert isomorphic(Graph().parse(target, format="nt"), graph)


def test_latin_1_is_named_as_loads_do(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes("<http://e/s> <http://e/p> 'é' .".encode("latin-1"))
    with pytest.raises(DataSyntaxError, match="0xe9") as caught:
        write_ntriples(source, rdf_format("ttl"), tmp_path / "t", base="http://e/", name="body")
    assert (caught.value.line, caught.value.column) == (1, 28)


@pytest.mark.parametrize("times", [1, 3])
def test_a_literal_that_is_too_long_names_its_line(tmp_path: Path, times: int) -> None:
    text = f"<a:s> <a:p> 1 .\n<a:s> <a:p> '{'x' * (times * LITERAL_LIMIT + 1)}' ."
    with pytest.raises(TooLargeError) as caught:
        write(tmp_path, text)
    assert caught.value.line == 2
