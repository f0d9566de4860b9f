"""Checks that XML is well-formed, without fetching anything."""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from kg.errors import DataSyntaxError

_DEPTH = 200
_ENTITY_LENGTH = 500


def check_xml(pieces: Iterable[bytes], name: str) -> None:
    """Refuse XML that is malformed, nested deeper than 200 elements, or builds entities from entities.

    Short internal entities are allowed, because ontology editors abbreviate namespaces with them. External
    entities and DTDs are never fetched; a document that needs one is refused. Raises DataSyntaxError with
    its position.
    """
    parser = expat.ParserCreate("utf-8")
    depth = 0

    def refuse(detail: str, mend: str) -> DataSyntaxError:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        where = f"{name}, line {line}, column {column}"
        return DataSyntaxError(detail, where=where, mend=mend, line=line, column=column)

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise refuse(
                f"elements are nested more than {_DEPTH} levels deep", "Write the data flat, or as Turtle."
            )

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(entity_name: str, parameter: bool, value: str | None, *_: object) -> None:
        if value is None or parameter:
            raise refuse(
                f"the entity {entity_name} is external, and nothing is fetched",
                "Write its text into the document.",
            )
        if "&" in value or "%" in value or len(value) > _ENTITY_LENGTH:
            raise refuse(
                f"the entity {entity_name} is too long or contains other entities",
                "Write its text where it is used.",
            )

    def doctype(doctype_name: str, system: str | None, public: str | None, internal: bool) -> None:
        if system or public:
            raise refuse(
                "the DTD is external, and nothing is fetched", "Remove the DTD's address from the DOCTYPE."
            )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.EntityDeclHandler = entity
    parser.StartDoctypeDeclHandler = doctype
    try:
        for piece in pieces:
            parser.Parse(piece, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise refuse(
            f"the XML is not well-formed: {expat.ErrorString(error.code)}",
            "Check that every element is closed and the file is complete.",
        ) from None
