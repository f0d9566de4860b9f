"""Reads RDF files strictly: nothing is guessed, dropped or fetched."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass
from typing import Any, Final

import pyoxigraph
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from kg.errors import DataSyntaxError, UnsupportedFormatError
from kg.formats import RDF_FORMATS, Format, rdf_format
from kg.readers.context import with_context
from kg.readers.xml_check import check_xml

# No name under .invalid is ever real (RFC 2606): such an IRI was relative, or a key without a context.
_RELATIVE: Final = "https://relative.invalid/"
_NO_CONTEXT: Final = "https://no-context.invalid/#"
_JSON_DEPTH: Final = 200
# Strings, IRIs and comments of Turtle and its kin (Turtle 1.1 section 6.5), so that what is left is syntax.
_TURTLE_TOKEN: Final = re.compile(
    r'''"""(?:[^"\\]|\\.|"(?!""))*"""|'''
    r"""'''(?:[^'\\]|\\.|'(?!''))*'''|"""
    r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|<[^<>\s]*>|\#[^\n]*|<<""",
    re.DOTALL,
)
_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True)
class Parsed:
    """What a file holds: its triples, blank nodes as they are, and the one named graph it names, if any."""

    name: str
    format: Format
    triples: tuple[Triple, ...]
    graph: NamedNode | None
    text: str
    prefixes: dict[str, str]

    def line_of(self, iri: str, value: str | None = None) -> int | None:
        """Find the line (from 1) of a value (a literal as Turtle writes it) that occurs only once.

        Else the line on which the file first speaks of the thing, as a subject where that shows.
        """
        if value and value.startswith('"'):
            words = value[1 : value.rindex('"')]
            places = [
                m.start()
                for m in re.finditer(rf"(?<=[\"'>]){re.escape(words)}(?=[\"'<])", self.text)
                if words
            ]
            if len(places) == 1:
                return self.text.count("\n", 0, places[0]) + 1
        names = [re.escape(f"<{iri}>"), re.escape(f'"{iri}"')]
        for prefix, namespace in self.prefixes.items():
            if iri.startswith(namespace) and iri != namespace:
                # Turtle may write a backslash before punctuation in a local name (section 6.4).
                local = "".join(rf"\\?{re.escape(c)}" for c in iri[len(namespace) :])
                names.append(rf"{re.escape(prefix)}:{local}(?![\w.\-/]*[\w\-/])")
        anywhere = "|".join(names)
        found = re.search(rf"^\s*(?:{anywhere})", self.text, re.MULTILINE) or re.search(anywhere, self.text)
        return None if found is None else self.text.count("\n", 0, found.end()) + 1


def read_rdf(
    data: bytes,
    *,
    name: str,
    format: str | None = None,  # noqa: A002 - the word that every RDF library uses
    media_type: str | None = None,
    base_iri: str | None = None,
) -> Parsed:
    """Read an RDF file of any syntax in `formats.RDF_FORMATS`.

    The syntax is the one named by `format`, else by the file's ending, else by the media type. Raises
    UnsupportedFormatError, and DataSyntaxError with file, line and column where they can be told: for a file
    that is empty, not UTF-8, malformed, has relative IRIs without a base, a JSON-LD context or XML entity
    to be fetched, a triple term (RDF 1.2), or several graphs. Literals are left for the shapes to judge.
    """
    syntax = choose_syntax(name, format, media_type)
    text = _decode(data, name)
    if not text.strip():
        raise DataSyntaxError("the file is empty", where=name, mend="Choose the file that holds the data.")
    if syntax.name == "rdf":
        _check_encoding(text, name)
        check_xml(text.encode(), name)
    elif syntax.name == "jsonld":
        _check_depth(text, name)
    else:
        _check_triple_terms(text, name)
    whole = with_context(text) if syntax.name == "jsonld" else text
    quads, prefixes = _parse(whole, syntax, name, base_iri)
    if syntax.name == "jsonld":
        _check_keys(whole, name, base_iri)
    if not quads:
        raise DataSyntaxError(
            "the file holds no triples", where=name, mend=f"Check that it is {syntax.media_type}."
        )
    for quad in quads:
        _check_terms(quad, text, name)
    return Parsed(
        name, syntax, tuple(dict.fromkeys(q.triple for q in quads)), _one_graph(quads, name), text, prefixes
    )


def choose_syntax(name: str, format: str | None, media_type: str | None) -> Format:  # noqa: A002
    """Tell a file's syntax: as it is named, else by its ending, else by its media type.

    Raises UnsupportedFormatError.
    """
    if format:
        return rdf_format(format)
    ending = name.rpartition(".")[2] if "." in name.rpartition("/")[2] else ""
    for candidate in (ending, media_type):
        if candidate:
            try:
                return rdf_format(candidate)
            except UnsupportedFormatError:
                continue
    endings = ", ".join(f".{syntax.extension}" for syntax in RDF_FORMATS)
    raise UnsupportedFormatError(
        f"{name or 'the data'} does not show which RDF syntax it is written in"
        + (f" ({media_type} is none)" if media_type else ""),
        mend=f"Name the syntax, or give the file one of these endings: {endings}.",
    )


def _decode(data: bytes, name: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            raise DataSyntaxError(
                f"the file is {encoding}, not UTF-8",
                where=f"{name}, line 1, column 1",
                mend=f"Save it as UTF-8, for example: iconv -f {encoding} -t UTF-8.",
                line=1,
                column=1,
            )
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before.rpartition(b"\n")[2].decode("utf-8")) + 1
        raise DataSyntaxError(
            f"the byte 0x{data[error.start]:02x} is not UTF-8",
            where=f"{name}, line {line}, column {column}",
            mend="Save the file as UTF-8; if it is Latin-1: iconv -f ISO-8859-1 -t UTF-8.",
            line=line,
            column=column,
        ) from None


def _check_encoding(text: str, name: str) -> None:
    declared = re.match(r"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']+)", text)
    if declared and declared.group(1).lower() not in ("utf-8", "utf8", "us-ascii", "ascii"):
        raise DataSyntaxError(
            f"the XML declaration says {declared.group(1)}, not UTF-8",
            where=f"{name}, line 1",
            mend="Save the file as UTF-8 and change its first line.",
            line=1,
        )


def _check_depth(text: str, name: str) -> None:
    """Refuse JSON that nests deep: at some 40,000 levels the engine takes the process down."""
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[{\]}]', text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > _JSON_DEPTH:
            where, line, column = _place(text, token.start(), name)
            raise DataSyntaxError(
                f"objects and lists are nested more than {_JSON_DEPTH} deep",
                where=where,
                mend="Write the objects side by side, with references by @id.",
                line=line,
                column=column,
            )


def _check_triple_terms(text: str, name: str) -> None:
    """Refuse RDF 1.2 triple terms before the engine sees them: nested deep they end the process, too."""
    if "<<" not in text:
        return
    for token in _TURTLE_TOKEN.finditer(text):
        if token.group() == "<<":
            where, line, column = _place(text, token.start(), name)
            raise DataSyntaxError(
                "triple terms (RDF 1.2) are not supported",
                where=where,
                mend="Describe the statement as a claim.",
                line=line,
                column=column,
            )


def _parse(text: str, syntax: Format, name: str, base_iri: str | None) -> tuple[list[Quad], dict[str, str]]:
    assert isinstance(syntax.engine, pyoxigraph.RdfFormat)  # noqa: S101
    try:
        # Line-based syntaxes have no relative IRIs; the others get a base that shows which were relative.
        base = base_iri or (None if syntax.name in ("nt", "nq") else _RELATIVE)
        parser = pyoxigraph.parse(text.encode(), format=syntax.engine, base_iri=base)
        return list(parser), dict(parser.prefixes)
    except SyntaxError as error:
        raise _syntax_error(error, text, name) from None
    except ValueError as error:
        raise DataSyntaxError(f"the base IRI cannot be used: {error}", where=name) from None


def _syntax_error(error: SyntaxError, text: str, name: str) -> DataSyntaxError:
    message = re.sub(
        r"^Parser error at line \d+ (?:between columns \d+ and \d+|column \d+): | \(line \d+\)$",
        "",
        error.msg,
    )
    mend = "Correct the file at that place."
    if "LoadDocumentCallback" in message:
        found = re.search(r'"@context"\s*:\s*\[?\s*"([^"]*)"', text)
        where, line, column = _place(text, found.start(1), name) if found else (name, None, None)
        message = "the JSON-LD context lies at another address; nothing is fetched"
        return DataSyntaxError(
            message, where=where, mend='Write the context itself in place of its address: {"@context": {…}}.',
            line=line, column=column,
        )  # fmt: skip
    prefix = re.search(r"The prefix (\S*) has not been declared", message)
    if prefix:
        mend = f"Declare it at the top of the file: @prefix {prefix.group(1)} <…> ."
    elif "absolute IRI" in message:
        message = "relative IRI: a name that is no full address"
        mend = "Write the IRI in full, or set a base."
    elif "Unexpected end" in message:
        mend = (
            "The file breaks off: check that it is whole and that the last statement ends with a full stop."
        )
    line, column = error.lineno, error.offset
    where = name if line is None else f"{name}, line {line}, column {column}"
    return DataSyntaxError(message, where=where, mend=mend, line=line, column=column)


def _check_keys(text: str, name: str, base_iri: str | None) -> None:
    """Refuse JSON-LD keys that no context maps: the standard drops them and their values without a word."""
    document = json.loads(text)
    for item in document if isinstance(document, list) else [document]:
        if isinstance(item, dict):
            own = item.get("@context", [])
            item["@context"] = [{"@vocab": _NO_CONTEXT}, *(own if isinstance(own, list) else [own])]
    parser = pyoxigraph.parse(
        json.dumps(document), format=pyoxigraph.RdfFormat.JSON_LD, base_iri=base_iri or _RELATIVE
    )
    for quad in parser:
        if quad.predicate.value.startswith(_NO_CONTEXT):
            key = quad.predicate.value[len(_NO_CONTEXT) :]
            at = text.find(json.dumps(key, ensure_ascii=False))
            where, line, column = _place(text, at, name) if at >= 0 else (name, None, None)
            raise DataSyntaxError(
                f'the key "{key}" is in no context, so its values would be lost',
                where=where,
                mend=f'Map "{key}" to an IRI in "@context", or take it out.',
                line=line,
                column=column,
            )


def _check_terms(quad: Quad, text: str, name: str) -> None:
    for term in (quad.subject, quad.predicate, quad.object, quad.graph_name):
        if isinstance(term, NamedNode) and term.value.startswith(_RELATIVE):
            written = term.value[len(_RELATIVE) :]
            raise _at(
                text,
                name,
                (f"<{written}>", f'"{written}"', f'"{written.removeprefix("#")}"'),
                f"<{written}> is a relative IRI and the file names no base",
                "Write the IRI in full, or set a base: @base in Turtle and JSON-LD, xml:base in RDF/XML.",
            )
    value: Any = quad.object
    if isinstance(value, Triple):  # an annotation {| … |} makes one
        raise _at(text, name, ("{|",), "triple terms (RDF 1.2) are not supported", "Use a claim.")
    if isinstance(value, Literal) and getattr(value, "direction", None) is not None:
        words = (f'"{value.value}"',)
        raise _at(text, name, words, "text direction (RDF 1.2) is not supported", "Leave it out.")


def _one_graph(quads: list[Quad], name: str) -> NamedNode | None:
    graphs = {quad.graph_name for quad in quads}
    if len(graphs) > 1:
        names = ", ".join(
            sorted("the default graph" if isinstance(g, DefaultGraph) else str(g) for g in graphs)[:5]
        )
        raise DataSyntaxError(
            f"the file holds {len(graphs)} graphs ({names}), and one load is one source with one graph",
            where=name,
            mend="Split it into one file for each graph and load them together.",
        )
    graph = graphs.pop()
    if isinstance(graph, BlankNode):
        raise DataSyntaxError("the graph has no IRI", where=name, mend="Name the graph with an IRI.")
    return graph if isinstance(graph, NamedNode) else None


def _at(text: str, name: str, needles: tuple[str, ...], detail: str, mend: str) -> DataSyntaxError:
    """Name the line when the words occur once; twice could be another place."""
    places = {match.start() for needle in needles for match in re.finditer(re.escape(needle), text)}
    where, line, column = _place(text, places.pop(), name) if len(places) == 1 else (name, None, None)
    return DataSyntaxError(detail, where=where, mend=mend, line=line, column=column)


def _place(text: str, offset: int, name: str) -> tuple[str, int | None, int | None]:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return f"{name}, line {line}, column {column}", line, column
