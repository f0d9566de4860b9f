"""RDF/XML around the engine: checked before it, and what the engine reads differently put right after it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from typing import Final
from xml.parsers import expat

from pyoxigraph import Literal, Quad

from kg.errors import DataSyntaxError, TooLargeError
from kg.rdf.content import Content
from kg.terms import term

_DEPTH = 200
_ENTITY_LENGTH = 500
_WHOLE: Final = 64 * 1024 * 1024
_DECLARED: Final = re.compile(rb"(<\?xml[^>]*?)(\sencoding\s*=\s*[\"']([^\"']+)[\"'])")
# Stands for xml:lang="", which the engine refuses (XML 1.0 section 2.12: no language).
_NONE: Final = "x-no-language"
_NO_LANGUAGE: Final = re.compile(rb"""(\sxml:lang\s*=\s*)(["'])\2""")
_MADE: Final = re.compile(rf"([\"']){_NONE}\1")
_XML_LITERAL: Final = term("rdf:XMLLiteral")
_TAG: Final = re.compile(r"""<[^<>!?/"']+(?:"[^"]*"|'[^']*'|[^<>"'])*>""")
_NAMESPACE: Final = re.compile(r"""\s(xmlns(?::[^\s=]+)?)\s*=\s*(?:"[^"]*"|'[^']*')""")


def read_xml(content: Content) -> Content:
    """Return RDF/XML as the engine reads it; raises as `_check` does, and TooLargeError."""
    content = _in_utf8(content)
    if not _check(content.chunks(), content.name):
        return content
    return Content(_NO_LANGUAGE.sub(rb"\1\2%b\2" % _NONE.encode(), _whole(content)), content.name)


def as_written(quads: Iterable[Quad]) -> Iterator[Quad]:
    """Yield the quads of `read_xml` with literals as the document has them."""
    for quad in quads:
        value = quad.object
        if isinstance(value, Literal) and (_NONE in str(value) or value.datatype == _XML_LITERAL):
            quad = Quad(quad.subject, quad.predicate, _literal_as_written(value), quad.graph_name)
        yield quad


def _literal_as_written(value: Literal) -> Literal:
    text = _MADE.sub(r"\1\1", value.value)
    if value.datatype == _XML_LITERAL:
        # The engine repeats declarations of namespaces that an element makes itself.
        return Literal(_TAG.sub(_declare_once, text), datatype=_XML_LITERAL)
    if value.language:
        return Literal(text, language=None if value.language == _NONE else value.language)
    return Literal(text, datatype=value.datatype)


def _declare_once(tag: re.Match[str]) -> str:
    seen: set[str] = set()

    def keep(declaration: re.Match[str]) -> str:
        first = declaration[1] not in seen
        seen.add(declaration[1])
        return declaration[0] if first else ""

    return _NAMESPACE.sub(keep, tag[0])


def _in_utf8(content: Content) -> Content:
    """Return a document in UTF-8, whatever its byte-order mark or its declaration says it is in."""
    with content.open() as file:
        start = file.read(1000)
    declared = _DECLARED.match(start)
    name = "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ""
    name = name or (declared[3].decode() if declared else "utf-8")
    try:
        encoding = codecs.lookup(name).name
        if encoding == "utf-8":
            return content
        text = _whole(content).decode(encoding)
    except (LookupError, UnicodeDecodeError) as error:
        raise DataSyntaxError(
            f"the document cannot be read as {name}: {error}",
            where=f"{content.name}, line 1",
            mend="Save the file as UTF-8 and change its first line.",
            line=1,
        ) from None
    # Blanks in place of the encoding leave all columns as they are.
    plain = _DECLARED.sub(lambda found: found[1] + b" " * len(found[2]), text.encode(), count=1)
    return Content(plain, content.name)


def _whole(content: Content) -> bytes:
    if content.length > _WHOLE:
        raise TooLargeError(
            f"such RDF/XML may have {_WHOLE >> 20} MiB at most, because it is read as a whole",
            where=content.name,
            mend='Save it as UTF-8, without xml:lang="", or as Turtle.',
        )
    with content.open() as file:
        return file.read()


def _check(pieces: Iterable[bytes], name: str) -> bool:
    """Refuse XML that is malformed, nested deeper than 200 elements, or builds entities from entities.

    Returns whether an element has no language by xml:lang="".

    Short internal entities are allowed, because ontology editors abbreviate namespaces with them. External
    entities and DTDs are never fetched; a document that needs one is refused. Raises DataSyntaxError with
    its position.
    """
    parser = expat.ParserCreate("utf-8")
    depth = 0
    without_language = False

    def refuse(detail: str, mend: str) -> DataSyntaxError:
        line, column = parser.CurrentLineNumber, parser.CurrentColumnNumber + 1
        where = f"{name}, line {line}, column {column}"
        return DataSyntaxError(detail, where=where, mend=mend, line=line, column=column)

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth, without_language
        depth += 1
        without_language = without_language or attributes.get("xml:lang") == ""
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
    return without_language
