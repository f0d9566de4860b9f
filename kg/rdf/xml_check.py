"""Well-formedness of XML, without following anything that the document points to."""

from __future__ import annotations

from collections.abc import Iterable
from xml.parsers import expat

from kg.errors import DataSyntaxError

_DEPTH = 200
_ENTITY_LENGTH = 500


def check_xml(pieces: Iterable[bytes], name: str) -> None:
    """Refuse XML that is not well-formed, nests deeper than 200 elements, or builds entities from entities.

    Short internal entities stay allowed: ontology editors abbreviate namespaces with them. External entities
    and DTDs are never fetched; a document that needs one is refused. Raises DataSyntaxError with its place.
    """
    parser = expat.ParserCreate("utf-8")
    depth = 0

    def refuse(detail: str, mend: str) -> DataSyntaxError:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        return _fault(name, detail, mend, line, column)

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _DEPTH:
            raise refuse(f"elements are nested more than {_DEPTH} deep", "Write the data flat, or as Turtle.")

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1

    def entity(
        entity_name: str,
        parameter: bool,
        value: str | None,
        base: object,
        system: object,
        public: object,
        note: object,
    ) -> None:
        if value is None or parameter:
            raise refuse(
                f"the entity {entity_name} lies outside the document; nothing is fetched",
                "Write its text into the document.",
            )
        if "&" in value or "%" in value or len(value) > _ENTITY_LENGTH:
            raise refuse(
                f"the entity {entity_name} is too long or made of other entities",
                "Write its text where it is used.",
            )

    def doctype(doctype_name: str, system: str | None, public: str | None, internal: bool) -> None:
        if system or public:
            raise refuse(
                "it names an external DTD; nothing is fetched", "Take the DTD's address out of the DOCTYPE."
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
        raise _fault(
            name,
            f"it is not well-formed XML: {expat.ErrorString(error.code)}",
            "Check that every element that is opened is closed, and that the file is whole.",
            error.lineno,
            error.offset + 1,
        ) from None


def _fault(name: str, detail: str, mend: str, line: int, column: int) -> DataSyntaxError:
    return DataSyntaxError(
        detail, where=f"{name}, line {line}, column {column}", mend=mend, line=line, column=column
    )
