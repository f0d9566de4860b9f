"""JSON-LD by our published context: resolved from the package, never fetched."""

from __future__ import annotations

import json

import pytest
from pyoxigraph import Literal, NamedNode, Triple

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import DataSyntaxError
from kg.rdf.jsonld import CONTEXT_IRI
from kg.rdf.parsing import read_rdf
from kg.terms import ID, term
from tools.write_context import make_context

DOCUMENT = {
    "@context": CONTEXT_IRI,
    "id": f"{ID}event/talks",
    "type": "Event",
    "label": "talks",
    "actor": [f"{ID}country/usa", f"{ID}country/irn"],
    "eventType": f"{ID}event-type/plover-consult",
    "time": {"id": f"{ID}time/2018-01-05", "type": "Interval", "begin": "2018-01-05"},
}  # fmt: skip


def read(document: object) -> set[Triple]:
    return set(read_rdf(json.dumps(document, indent=1).encode(), "a.jsonld"))


def test_the_file_is_what_the_ontology_says() -> None:
    written = (ONTOLOGY_FOLDER / "context.jsonld").read_text(encoding="utf-8")
    assert written == make_context(), "run: python tools/write_context.py"


def test_a_document_that_names_the_context() -> None:
    event, time = term("id:event/talks"), NamedNode(f"{ID}time/2018-01-05")
    found = read(DOCUMENT)
    assert Triple(event, term("rdf:type"), term("dg:Event")) in found
    assert Triple(event, term("rdfs:label"), Literal("talks", language="en")) in found
    assert Triple(event, term("dg:actor"), term("id:country/irn")) in found
    assert Triple(event, term("dg:time"), time) in found
    assert Triple(time, term("dg:begin"), Literal("2018-01-05", datatype=term("xsd:date"))) in found


@pytest.mark.parametrize("own", [[CONTEXT_IRI, {"nick": "http://xmlns.com/foaf/0.1/nick"}], [CONTEXT_IRI]])
def test_with_a_context_of_ones_own(own) -> None:
    document = {**DOCUMENT, "@context": own}
    if len(own) > 1:
        document["nick"] = "T"
        assert Triple(term("id:event/talks"), term("foaf:nick"), Literal("T")) in read(document)
    assert len(read(document)) >= len(read(DOCUMENT))


def test_a_key_that_the_context_lacks_is_told() -> None:
    document = {**DOCUMENT, "colour": "red"}
    with pytest.raises(DataSyntaxError, match="colour") as caught:
        read(document)
    lines = json.dumps(document, indent=1).split("\n")
    assert "colour" in lines[caught.value.line - 1]


@pytest.mark.parametrize("address", [CONTEXT_IRI + "x", "https://schema.org/"])
def test_other_addresses_are_still_refused(address) -> None:
    with pytest.raises(DataSyntaxError, match="not fetched"):
        read({**DOCUMENT, "@context": address})


LANGUAGES = {"l": {"@id": "http://e/l", "@container": "@language"}, "p": "http://e/p"}


@pytest.mark.parametrize(
    ("changed", "written"),
    [
        ({"actor": [f"{ID}country/usa", f"{ID}country/irn "]}, f"{ID}country/irn "),
        ({"time": {"id": f"{ID}time/5 January", "label": "then"}}, f"{ID}time/5 January"),
        ({"id": f"{ID}event/<talks>"}, f"{ID}event/<talks>"),
        ({"type": "Big Event"}, "Big Event"),
        ({"label": {"@value": "x", "@language": "e_n"}}, "e_n"),
        ({"@context": [CONTEXT_IRI, LANGUAGES], "l": {"en": "a", "e n": "b"}}, "e n"),
    ],
)
def test_nothing_is_dropped_without_a_word(changed: dict[str, object], written: str) -> None:
    """JSON-LD 1.1 API section 8.2 drops values that are not valid; a load refuses them."""
    document = {**DOCUMENT, **changed}
    with pytest.raises(DataSyntaxError) as caught:
        read(document)
    lines = json.dumps(document, indent=1).split("\n")
    line = lines[(caught.value.line or 0) - 1]
    assert written in line
    assert caught.value.column == line.rindex(json.dumps(written)) + 1


def test_texts_may_hold_what_iris_may_not() -> None:
    document = {**DOCUMENT, "label": "<a b> {c} | d"}
    assert Triple(
        term("id:event/talks"), term("rdfs:label"), Literal("<a b> {c} | d", language="en")
    ) in read(document)
