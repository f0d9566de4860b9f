"""Reads JSON-LD as a whole, to find keys that its processing silently ignores."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final

import pyoxigraph

from kg.bundled import ONTOLOGY_FOLDER
from kg.errors import TooLargeError
from kg.rdf.content import Content
from kg.rdf.nesting import refuse_deep_json
from kg.terms import BASE

LIMIT: Final = 64 * 1024 * 1024
"""Most bytes of JSON-LD that are read; it takes ten times as much memory."""
CONTEXT_IRI: Final = BASE + "context.jsonld"
"""Address of the context; documents that refer to it are read with the packaged copy."""
_NO_CONTEXT: Final = "https://no-context.invalid/#"


def read_document(content: Content) -> bytes:
    """Return a document with the packaged context inserted; raises TooLargeError, DataSyntaxError."""
    if content.length > LIMIT:
        raise TooLargeError(
            f"a JSON-LD file may have {LIMIT >> 20} MiB at most, because it is read as a whole",
            where=content.name,
            mend="Split it, or convert it to N-Triples or Turtle, which have no limit.",
        )
    refuse_deep_json(content)
    with content.open() as file:
        return with_context(file.read().decode()).encode()


def check_keys(text: bytes, content: Content, base: str) -> None:
    """Raise DataSyntaxError for keys without a mapping, which the standard silently ignores."""
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
                f'the key "{key}" is not in the context, so its values would be lost',
                f'Map "{key}" to an IRI in "@context", or remove it.',
                at if at >= 0 else None,
            )


def with_context(text: str) -> str:
    """Replace the context's address in a JSON-LD document by the context; line numbers stay the same."""
    if CONTEXT_IRI not in text:
        return text
    address = re.escape(json.dumps(CONTEXT_IRI))
    pattern = rf'("@context"\s*:\s*(?:\[\s*(?:"[^"]*"\s*,\s*)*)?){address}'
    return re.sub(pattern, lambda found: found[1] + _flat(), text)


@cache
def _flat() -> str:
    document = json.loads((ONTOLOGY_FOLDER / "context.jsonld").read_text(encoding="utf-8"))
    return json.dumps(document["@context"], ensure_ascii=False)
