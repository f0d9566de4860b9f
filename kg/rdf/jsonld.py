"""Reads JSON-LD as a whole, to find what its processing drops without a word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import pyoxigraph
from pyoxigraph import Literal, NamedNode

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
# What an IRI may not have (RFC 3987 section 2.2), and what it is replaced by where losses are looked for.
_ILLEGAL: Final = re.compile(r'[\x00-\x20<>"{}|\\^`\x7f]')
_MARK: Final = "illegal-7d1f3c-"


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


@dataclass(frozen=True)
class Loss:
    """A value that processing drops: `written` is the part of the document that is the reason."""

    written: str
    detail: str
    mend: str


def refuse_losses(content: Content, base: str) -> None:
    """Raise DataSyntaxError for the first value that the standard has dropped without a word."""
    for loss in losses(content, base):
        # The document may have it in full, or behind a prefix or a vocabulary.
        tail = re.split("[#/:]", loss.written)[-1]
        with content.view() as view:
            at = view.find(json.dumps(loss.written, ensure_ascii=False).encode())
            at = at if at >= 0 else view.find(json.dumps(tail, ensure_ascii=False)[1:].encode())
        raise content.fault(loss.detail, loss.mend, at if at >= 0 else None)


def losses(content: Content, base: str) -> Iterator[Loss]:
    """Yield what processing drops: values of unmapped keys, invalid IRIs, datatypes and language tags.

    The document is processed again in a form in which they are valid, and therefore stay (JSON-LD 1.1 API
    section 8.2 drops what is not valid).
    """
    with content.open() as file:
        document = json.load(file)
    for item in document if isinstance(document, list) else [document]:
        if isinstance(item, dict):
            own = item.get("@context", [])
            item["@context"] = [{"@vocab": _NO_CONTEXT}, *(own if isinstance(own, list) else [own])]
    tags: list[str] = []
    whole = json.dumps(_made_valid(document, _language_maps(document), tags))
    del document
    for tag in tags:
        yield Loss(tag, f'"{tag}" is not a language tag (RFC 5646), so its text would be lost', "Correct it.")
    for quad in pyoxigraph.parse(whole, format=pyoxigraph.RdfFormat.JSON_LD, base_iri=base):
        value = quad.object
        about = [quad.subject, quad.predicate, quad.graph_name]
        about.append(value.datatype if isinstance(value, Literal) else value)
        for iri in (str(term.value) for term in about if isinstance(term, NamedNode)):
            if _MARK in iri:
                written = _written(iri)
                yield Loss(
                    written.removeprefix(base).removeprefix(_NO_CONTEXT),
                    f"<{written}> is not an IRI, so what it stands in would be lost",
                    "Write it without blanks and other characters that an IRI may not have (RFC 3987).",
                )
                break
        else:
            if quad.predicate.value.startswith(_NO_CONTEXT):
                key = quad.predicate.value[len(_NO_CONTEXT) :]
                yield Loss(
                    key,
                    f'the key "{key}" is not in the context, so its values would be lost',
                    f'Map "{key}" to an IRI in "@context", or remove it.',
                )


def _made_valid(node: Any, maps: set[str], tags: list[str]) -> Any:
    """Return JSON in which no IRI is invalid; invalid language tags are replaced and added to `tags`."""
    if isinstance(node, str):
        return _ILLEGAL.sub(lambda found: f"{_MARK}{ord(found[0]):x}.", node)
    if isinstance(node, list):
        return [_made_valid(item, maps, tags) for item in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in node.items():
        if key == "@context":
            made[key] = _made_valid(value, set(), tags)
            continue
        if key in maps and isinstance(value, dict):
            value = {_valid_tag(tag, tags): text for tag, text in value.items()}
        if key == "@language" and isinstance(value, str):
            made[key] = _valid_tag(value, tags)
        else:
            made[_made_valid(key, maps, tags)] = _made_valid(value, maps, tags)
    return made


def _valid_tag(tag: str, tags: list[str]) -> str:
    try:
        pyoxigraph.Literal("", language=tag if tag not in ("@none", "none") else "en")
    except ValueError:
        tags.append(tag)
        return "und"
    return tag


def _language_maps(node: Any) -> set[str]:
    """Return the terms of all contexts whose values are maps from languages to texts."""
    if isinstance(node, list):
        return set().union(*map(_language_maps, node))
    if not isinstance(node, dict):
        return set()
    found = set().union(*map(_language_maps, node.values()))
    return found | {
        key
        for key, value in node.items()
        if isinstance(value, dict) and "@language" in str(value.get("@container", ""))
    }


def _written(iri: str) -> str:
    return re.sub(rf"{_MARK}([0-9a-f]+)\.", lambda found: chr(int(found[1], 16)), iri)


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
