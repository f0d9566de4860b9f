"""Parts of SPARQL requests: their kind, prefixes and dataset clauses, and updates confined to some graphs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final, Literal
from urllib.parse import urljoin

from kg.errors import OutsideGraphError, ParameterError
from kg.sparql.lexer import END, Token, place, read_tokens, token_at, unescape

# An IRI without a scheme (RFC 3986 section 4.2).
_RELATIVE: Final = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.-]*:)[^\x00-\x20<>\"{}|^`]*>")
_PROLOGUE: Final = ("prefix", "base", "version")
_QUERY_WORDS: Final = ("select", "ask", "construct", "describe")
_UPDATE_WORDS: Final = ("insert", "delete", "load", "clear", "create", "drop", "copy", "move", "add", "with")
# Anywhere in a word, because the engine reads "trueGRAPH" as two words.
_BEYOND: Final = re.compile(
    r"graph|with|using|load|clear|create|drop|copy|move|add|service|(?:insert|delete)\w|\w(?:insert|delete)",
    re.IGNORECASE,
)


def opening_word(text: str) -> str:
    """Return the first word after the prologue in lower case, empty if there is none."""
    return _after_prologue(text).word


def first_operation(update: str) -> tuple[int, int, int]:
    """Return line, column (from 1) and offset of an update's first word after the prologue, or of its end."""
    start = _after_prologue(update).start
    start = len(update) if start < 0 else start
    return (*place(update, start), start)


def _after_prologue(text: str) -> Token:
    for token in read_tokens(text):
        if token.kind not in ("name", "iri", "string") and token.word not in _PROLOGUE:
            return token
    return END


def request_kind(text: str) -> Literal["query", "update"] | None:
    """Return whether a text begins as a query or as an update does, None if as neither."""
    word = opening_word(text)
    if word in _QUERY_WORDS:
        return "query"
    return "update" if word in _UPDATE_WORDS else None


def dataset_clauses(query: str) -> list[tuple[int, int, bool]]:
    """Find the FROM clauses of a query: start, end, and whether it is FROM NAMED."""
    found: list[tuple[int, int, bool]] = []
    if "from" not in query.lower():
        return found
    depth = 0
    opened: int | None = None
    named = False
    for token in read_tokens(query):
        depth += token.nesting
        if depth == 0 and token.word in ("from", "fromnamed"):
            opened, named = token.start, token.word == "fromnamed"
        elif opened is not None and token.word == "named":
            named = True
        elif opened is not None and token.kind in ("iri", "name"):
            found.append((opened, token.end, named))
            opened = None
    return found


def named_iris(text: str, base_iri: str = "") -> Iterator[tuple[str, str, int]]:
    """Yield the IRIs of a request after its prologue: the keyword before each, the whole IRI, and its place.

    The keyword is in lower case, empty if another token is before the IRI.
    """
    prefixes: dict[str, str] = {}
    opening = before = END
    for token in read_tokens(text):
        if token.kind == "iri":
            iri = urljoin(base_iri, unescape(token.text[1:-1])[0])
            if before.word == "base":
                base_iri = iri
            elif opening.word == "prefix":
                prefixes[before.text] = iri
            else:
                yield before.word, iri, token.start
        elif token.kind == "name" and before.word != "prefix":
            prefix, colon, local = token.text.partition(":")
            whole = prefixes.get(prefix + colon, "") + re.sub(r"\\(.)", r"\1", local)
            yield before.word, whole, token.start
        opening, before = before, token


def undeclared_prefix(text: str) -> tuple[str, int, int] | None:
    """Return the first prefix used without a declaration before it, with line and column (from 1)."""
    declared: set[str] = set()
    tokens = list(read_tokens(text))
    for before, token in zip([END, *tokens], tokens, strict=False):
        if token.kind != "name":
            continue
        prefix = token.text.partition(":")[0]
        if before.word == "prefix":
            declared.add(prefix)
        elif prefix not in declared:
            return (prefix, *place(text, token.start))
    return None


def has_relative_iri(text: str) -> bool:
    """Return whether a text may contain a relative IRI; comparisons without spaces count, too."""
    return _RELATIVE.search(text) is not None


def with_base(text: str, base_iri: str) -> str:
    """Declare a base for the relative IRIs of a request; the text is unchanged if it needs none."""
    return f"BASE <{base_iri}> {text}" if base_iri and has_relative_iri(text) else text


def with_using(update: str, default: Sequence[str], named: Sequence[str]) -> str:
    """Add the protocol's using-graph-uri and using-named-graph-uri to an update as USING clauses.

    Raises ParameterError if the update contains USING or WITH itself (SPARQL 1.1 Protocol 2.2.3).
    """
    clauses = "".join([*(f" USING <{iri}>" for iri in default), *(f" USING NAMED <{iri}>" for iri in named)])
    tokens = list(read_tokens(update))
    pieces: list[str] = []
    depth = copied = 0
    for index, token in enumerate(tokens):
        depth += token.nesting
        if depth or token.kind != "word":
            continue
        if token.word in ("using", "with"):
            line, column = place(update, token.start)
            raise ParameterError(
                f"both the update ({token.text.upper()}) and the request's parameters name graphs",
                where=f"line {line}, column {column}",
                mend="Remove the clause, or using-graph-uri and using-named-graph-uri.",
            )
        if token.word == "where":
            pieces.append(update[copied : token.start])
            if index and tokens[index - 1].word == "delete":
                # DELETE WHERE allows no USING; its long form repeats the pattern.
                pieces.append(_block(update, tokens[index + 1 :]))
            pieces.append(f"{clauses} ")
            copied = token.start
    return "".join([*pieces, update[copied:]])


def within_graph(update: str, graph: str) -> str:
    """Confine an update to one graph, which its patterns and templates then use without naming it.

    Raises OutsideGraphError if it names or manages graphs itself (SPARQL 1.1 Graph Store HTTP Protocol 5.7).
    """
    # Section 19.2 resolves code point escapes before the grammar; engines differ, so both are checked.
    for reading in {update, unescape(update)[0]}:
        _refuse_beyond(reading)
    tokens = list(read_tokens(update))
    pieces: list[str] = []
    copied = depth = 0
    operation = ""
    wrapped = False
    for before, token in zip([END, *tokens], tokens, strict=False):
        if token.text == "{" and token.kind == "other":
            depth += 1
            if depth == 1 and before.word in ("data", "where") and (before.word == "data" or wrapped):
                pieces += [update[copied : token.end], f" GRAPH <{graph}> {{"]
                copied, operation = token.end, "wrapped"
        elif token.text == "}" and token.kind == "other":
            depth -= 1
            if depth == 0 and operation == "wrapped":
                pieces.append(update[copied : token.start] + "}")
                copied = token.start
        elif depth == 0 and token.text == ";":
            operation, wrapped = "", False
        elif depth == 0 and token.word in ("insert", "delete") and not operation:
            after = token_at(update, token.end)
            # DATA and DELETE WHERE allow no WITH; a GRAPH inside has the same effect.
            wrapped = after.word == "where"
            operation = token.word
            if not wrapped and after.word != "data":
                pieces += [update[copied : token.start], f"WITH <{graph}> "]
                copied = token.start
    return "".join([*pieces, update[copied:]])


def _refuse_beyond(update: str) -> None:
    for token in read_tokens(update):
        if token.kind == "word" and _BEYOND.search(token.text):
            line, column = place(update, token.start)
            raise OutsideGraphError(
                f"a patch changes only the graph at its address and cannot contain {token.text.upper()}",
                line=line,
                column=column,
                mend="Remove the clause, or send the update to /update.",
            )


def _block(text: str, tokens: Sequence[Token]) -> str:
    depth = 0
    for token in tokens:
        depth += token.nesting
        if depth == 0:
            return text[tokens[0].start : token.end] + " "
    return ""
