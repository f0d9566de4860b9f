"""JSON-LD is read whole: what it leaves out without a word has to be looked for in the document itself."""

from __future__ import annotations

import json
from typing import Final

import pyoxigraph

from kg.errors import TooLargeError
from kg.rdf.content import Content
from kg.rdf.jsonld_context import with_context
from kg.rdf.nesting import refuse_deep_json

LIMIT: Final = 64 * 1024 * 1024
"""How many bytes of JSON-LD are read; at ten times as many in memory."""
_NO_CONTEXT: Final = "https://no-context.invalid/#"


def read_document(content: Content) -> bytes:
    """Give the text of a document with our context in it. Raises TooLargeError, DataSyntaxError."""
    if content.length > LIMIT:
        raise TooLargeError(
            f"JSON-LD is read whole, and this is more than {LIMIT >> 20} MiB",
            where=content.name,
            mend="Split it, or write it as N-Triples or Turtle, which are read piece by piece.",
        )
    refuse_deep_json(content)
    with content.open() as file:
        return with_context(file.read().decode()).encode()


def check_keys(text: bytes, content: Content, base: str) -> None:
    """Refuse keys that no context maps: the standard drops them and their values without a word."""
    document = json.loads(text)
    for item in document if isinstance(document, list) else [document]:
        if isinstance(item, dict):
            own = item.get("@context", [])
            item["@context"] = [{"@vocab": _NO_CONTEXT}, *(own if isinstance(own, list) else [own])]
    whole = json.dumps(document)
    del document
    for quad in pyoxigraph.parse(whole, format=pyoxigraph.RdfFormat.JSON_LD, base_iri=base):
        if quad.predicate.value.startswith(_NO_CONTEXT):
            key = quad.predicate.value[len(_NO_CONTEXT) :]
            with content.view() as view:
                at = view.find(json.dumps(key, ensure_ascii=False).encode())
            raise content.fault(
                f'the key "{key}" is in no context, so its values would be lost',
                f'Map "{key}" to an IRI in "@context", or take it out.',
                at if at >= 0 else None,
            )
