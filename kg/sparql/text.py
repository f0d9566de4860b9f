"""SPARQL text before an engine sees it: what it would fetch, which prefixes it lacks, which graphs it names.

The engine fetches whatever SERVICE and LOAD name, so they are looked for in the text. A `<` opens an IRI or
compares, which only a parser can tell; where both are possible both readings are followed, and a text is
refused as soon as one of them fetches something. Keywords may touch what is beside them (`SERVICE:x`,
`trueSERVICE<x>`), because the engine accepts that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import SplitResult, urlsplit

from kg.errors import OutsideGraphError, ParameterError, QueryRefusedError, TooLargeError
from kg.sparql.addresses import is_private

_LETTER = r"\w\u00b7\u200c\u200d\u2070-\u218f\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd"
_ESCAPE = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
# SPARQL 1.1 section 19.8, the terminals; a little wider where the grammar would refuse the text anyway.
_TOKEN: Final = re.compile(
    rf"""
      (?P<space>(?:[ \t\r\n]|\#[^\r\n]*)+)
    | (?P<iri><(?:[^\x00-\x20<>"{{}}|^`\\]|{_ESCAPE})*>)
    | (?P<string>\"\"\"(?:[^"\\]|\\.|\"\"?(?!\"))*\"\"\" | '''(?:[^'\\]|\\.|''?(?!'))*'''
        | "(?:[^"\\\r\n]|\\.)*" | '(?:[^'\\\r\n]|\\.)*')
    | (?P<blank>_:[{_LETTER}](?:[{_LETTER}.-]*[{_LETTER}-])?)
    | (?P<variable>[?$][{_LETTER}]+)
    | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
    | (?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)
    | (?P<name>(?:[{_LETTER}](?:[{_LETTER}.-]*[{_LETTER}-])?)?:
        (?:(?:[{_LETTER}:-]|%[0-9A-Fa-f]{{2}}|\\[_~.\-!$&'()*+,;=/?\#@%])
         |\.+(?=[{_LETTER}:%\\-]))*)
    | (?P<word>[{_LETTER}]+)
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_KEYWORD: Final = re.compile("service|load", re.IGNORECASE)
_ESCAPED: Final = re.compile(_ESCAPE)
# What may follow "<" when it compares: a variable, number, string, bracket, sign, "=", comment, call or name.
_OPERAND: Final = re.compile(
    rf"<(?:[?$'0-9.(+!=#-]|[{_LETTER}]+\(|true|false|(?P<prefix>[{_LETTER}.-]*):)", re.I
)
_QUERY_WORDS: Final = frozenset({"select", "ask", "construct", "describe"})
_UPDATE_WORDS: Final = frozenset(
    {"insert", "delete", "load", "clear", "create", "drop", "copy", "move", "add", "with"}
)

# Anywhere in a word, for the engine takes "trueGRAPH" for two.
_BEYOND: Final = re.compile(
    r"graph|with|using|load|clear|create|drop|copy|move|add|service|(?:insert|delete)\w|\w(?:insert|delete)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        return self.text.lower() if self.kind in ("word", "other") else ""

    @property
    def prefix(self) -> str:
        return self.text.partition(":")[0].lower() if self.kind == "name" else ""


_END: Final = _Token("end", "", -1, -1)
# The engine's parser and evaluator recurse; some 20,000 levels end the process.
_DEPTH: Final = 200
_OPERATORS: Final = 4000
_RECURSIVE: Final = frozenset({"union", "optional", "minus", "filter", "bind", "exists", *"!|&/+-*^=<>"})


def refuse_remote_access(text: str, allowed: Sequence[str] = ()) -> None:
    """Refuse SPARQL that would make the engine fetch from elsewhere.

    `allowed` are URL prefixes (http or https) that SERVICE and LOAD may reach; scheme, host and port must be
    the same and the path must lie below the prefix's. A name that leads to a loopback or private address is
    refused, too, unless the prefix names that address itself. Raises QueryRefusedError with line and column.
    """
    if _KEYWORD.search(text):
        _refuse(text, text, None, allowed)
    if _ESCAPED.search(text):
        # Section 19.2 puts code point escapes before the grammar; engines differ, so both readings count.
        plain, origin = _unescape(text)
        if _KEYWORD.search(plain):
            _refuse(plain, text, origin, allowed)


def refuse_excess(text: str) -> None:
    """Refuse SPARQL so deeply nested or chained that it would exhaust an engine's stack.

    Raises TooLargeError with the limit.
    """
    # Counts too many rather than too few: also those in IRIs and strings.
    lower = text.lower()
    if sum(map(text.count, "({[")) <= _DEPTH and sum(map(lower.count, _RECURSIVE)) <= _OPERATORS:
        return
    depth = operators = position = 0
    # As `_tokens` reads them, without making an object of each: large VALUES come by here.
    while match := _TOKEN.match(text, position):
        position, kind = match.end(), match.lastgroup
        if kind not in ("other", "word"):
            continue
        found = match.group()
        if kind == "other":
            depth += (found in "({[") - (found in ")}]")
        operators += found.lower() in _RECURSIVE
        if depth > _DEPTH or operators > _OPERATORS:
            line, column = place(text, match.start())
            what = (
                f"more than {_DEPTH} brackets deep"
                if depth > _DEPTH
                else f"over {_OPERATORS:,} operators long"
            )
            raise TooLargeError(
                f"the SPARQL text is {what}",
                where=f"line {line}, column {column}",
                mend="Take it apart into several requests, or list values with VALUES or IN.",
            )


def request_kind(text: str) -> Literal["query", "update"] | None:
    """Tell a query from an update by its first word after the prologue."""
    for token in _tokens(text):
        if token.word in _QUERY_WORDS:
            return "query"
        if token.word in _UPDATE_WORDS:
            return "update"
    return None


def has_dataset_clause(query: str) -> bool:
    """Tell whether a query has FROM or FROM NAMED."""
    if "from" not in query.lower():
        return False
    return any(token.word in ("from", "fromnamed") for token in _tokens(query))


def undeclared_prefix(text: str) -> tuple[str, int, int] | None:
    """Find the first prefixed name whose prefix is not declared before it: prefix, line, column (from 1)."""
    declared: set[str] = set()
    tokens = list(_tokens(text))
    for before, token in zip([_END, *tokens], tokens, strict=False):
        if token.kind != "name":
            continue
        prefix = token.text.partition(":")[0]
        if before.word == "prefix":
            declared.add(prefix)
        elif prefix not in declared:
            return (prefix, *place(text, token.start))
    return None


def with_using(update: str, default: Sequence[str], named: Sequence[str]) -> str:
    """Write the protocol's using-graph-uri and using-named-graph-uri into an update as USING clauses.

    Raises ParameterError when the request has USING or WITH of its own (SPARQL 1.1 Protocol 2.2.3).
    """
    clauses = "".join(f" USING <{iri}>" for iri in default) + "".join(
        f" USING NAMED <{iri}>" for iri in named
    )
    tokens = list(_tokens(update))
    pieces: list[str] = []
    depth = copied = 0
    for index, token in enumerate(tokens):
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "other" else 0
        if depth or token.kind != "word":
            continue
        if token.word in ("using", "with"):
            line, column = place(update, token.start)
            raise ParameterError(
                f"the update has {token.text.upper()} of its own and the request names graphs, too",
                where=f"line {line}, column {column}",
                mend="Leave out either the clause or using-graph-uri and using-named-graph-uri.",
            )
        if token.word == "where":
            pieces.append(update[copied : token.start])
            if index and tokens[index - 1].word == "delete":
                # DELETE WHERE takes no USING; in full it names its pattern twice.
                pieces.append(_block(update, tokens[index + 1 :]))
            pieces.append(f"{clauses} ")
            copied = token.start
    return "".join([*pieces, update[copied:]])


def within_graph(update: str, graph: str) -> str:
    """Confine an update to one graph, which its patterns and templates then mean without naming it.

    Raises OutsideGraphError for what names graphs of its own or manages them (SPARQL 1.1 Graph Store HTTP
    Protocol 5.7).
    """
    # Section 19.2 puts code point escapes before the grammar; engines differ, so both readings count.
    for reading in {update, _unescape(update)[0]}:
        _refuse_beyond(reading)
    tokens = list(_tokens(update))
    pieces: list[str] = []
    copied = depth = 0
    operation = ""
    wrapped = False
    for before, token in zip([_END, *tokens], tokens, strict=False):
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
            after = _token(update, token.end)
            # DATA and DELETE WHERE take no WITH; a GRAPH inside says the same.
            wrapped = after.word == "where"
            operation = token.word
            if not wrapped and after.word != "data":
                pieces += [update[copied : token.start], f"WITH <{graph}> "]
                copied = token.start
    return "".join([*pieces, update[copied:]])


def _refuse_beyond(update: str) -> None:
    for token in _tokens(update):
        if token.kind == "word" and _BEYOND.search(token.text):
            line, column = place(update, token.start)
            raise OutsideGraphError(
                f"a patch changes the graph at its address only, and cannot have {token.text.upper()}",
                line=line,
                column=column,
                mend="Leave out graphs and their management, or send the whole update to /update.",
            )


def place(text: str, position: int) -> tuple[int, int]:
    """Give line and column (from 1, in code points) of a position in a text."""
    lines = re.split(r"\r\n|\r|\n", text[:position])
    return len(lines), len(lines[-1]) + 1


def read_tokens(text: str) -> Iterator[_Token]:
    """Give the tokens of a text; `word` is a keyword in lower case, else empty."""
    return _tokens(text)


def _tokens(text: str) -> Iterator[_Token]:
    position = 0
    while (token := _token(text, position)) is not _END:
        yield token
        position = token.end


def _token(text: str, position: int) -> _Token:
    while match := _TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup != "space":
            return _Token(match.lastgroup or "other", match.group(), match.start(), position)
    return _END


def _block(text: str, tokens: Sequence[_Token]) -> str:
    depth = 0
    for token in tokens:
        depth += {"{": 1, "}": -1}.get(token.text, 0) if token.kind == "other" else 0
        if depth == 0:
            return text[tokens[0].start : token.end] + " "
    return ""


def _unescape(text: str) -> tuple[str, list[int]]:
    plain: list[str] = []
    origin: list[int] = []
    copied = 0
    for match in [*_ESCAPED.finditer(text), None]:
        start = match.start() if match else len(text)
        plain.extend(text[copied:start])
        origin.extend(range(copied, start))
        if match:
            code = int(match.group()[2:], 16)
            plain.append(chr(code) if code < 0x110000 else "\ufffd")
            origin.append(start)
            copied = match.end()
    return "".join(plain), [*origin, len(text)]


def _refuse(text: str, shown: str, origin: list[int] | None, allowed: Sequence[str]) -> None:
    declared = _declarations(text)
    for token, before in _readings(text, {prefix for prefix, _ in declared}):
        keyword, target = _fetch(text, token, before)
        if not keyword:
            continue
        addresses = _addresses(target, declared)
        if addresses and all(_is_allowed(address, allowed) for address in addresses):
            continue
        line, column = place(shown, origin[token.start] if origin else token.start)
        what = ", ".join(addresses) if addresses else "an address that only running it would tell"
        raise QueryRefusedError(
            f"{keyword} would make this server fetch {what}, which it is not allowed to",
            line=line,
            column=column,
            mend=f"Leave the {keyword} out and ask that address directly, or have the server started with "
            "the address in DIPLOGRAPH_SERVICE_ALLOW. Write the address in full, as <https://…>.",
        )


def _declarations(text: str) -> list[tuple[str, str]]:
    # Every name that is followed by an IRI counts, so that no reading's declaration is missed.
    found = []
    for match in re.finditer(rf"([{_LETTER}.-]*):", text):
        after = _token(text, match.end())
        if after.kind == "iri":
            found.append((match.group(1), after.text[1:-1]))
    return found


def _readings(text: str, prefixes: set[str]) -> Iterator[tuple[_Token, str]]:
    """Walk all tokens of all readings, each with what stands before it."""
    todo: list[tuple[int, str]] = [(0, "")]
    seen: set[tuple[int, str]] = set()
    while todo:
        position, before = todo.pop()
        token = _token(text, position)
        if token is _END or (token.start, before) in seen:
            continue
        seen.add((token.start, before))
        yield token, before
        todo.append((token.end, _before(token, before)))
        if token.kind == "iri" and (compared := _OPERAND.match(text, token.start)):
            prefix = compared.group("prefix")
            if prefix is None or any(name.endswith(prefix) for name in prefixes):
                todo.append((token.start + 1, "<"))


def _before(token: _Token, before: str) -> str:
    if token.kind == "iri" and before in ("prefix", "base"):
        return ";"  # after a declaration an operation may begin, as after ";"
    if token.kind == "name":
        return "prefix" if token.text.endswith(":") else "name"
    if token.word in (";", "^", "graph", "from", "named", "describe"):
        return token.word
    if token.word.endswith("base"):
        return "base"
    return ";" if token.kind == "string" and before == "version" else token.word[-7:] or token.kind


def _fetch(text: str, token: _Token, before: str) -> tuple[str, _Token]:
    """Tell whether a token is, or may be, SERVICE or LOAD, and what comes as its address."""
    after = _token(text, token.end)
    target = after
    if after.word == "silent":
        target = _token(text, after.end)
    elif after.prefix.startswith("silent"):
        target = _END
    for keyword in ("SERVICE", "LOAD"):
        name = keyword.lower()
        if token.kind == "word" and name in token.word:
            return keyword, target
        if name in token.prefix:
            elsewhere = before in ("^", "graph", "from", "named", "describe")
            service = name == "service" and after.text == "{" and not elsewhere
            load = name == "load" and before in ("", ";") and (after is _END or after.word in (";", "into"))
            if service or load:
                return keyword, _END
    return "", _END


def _addresses(target: _Token, declared: Sequence[tuple[str, str]]) -> list[str]:
    """Expand an address; a prefix gives one for each declaration that may hold."""
    if target.kind == "iri":
        return [_unescape(target.text[1:-1])[0]]
    if target.kind != "name" or "\\" in target.text:
        return []
    prefix, _, local = target.text.partition(":")
    # "PREFIXex:<x>" declares ex, too.
    return [_unescape(iri)[0] + local for name, iri in declared if name.endswith(prefix)]


def _is_allowed(address: str, allowed: Sequence[str]) -> bool:
    try:
        wanted = urlsplit(address)
        if "@" in wanted.netloc or re.search(r'[\x00-\x20<>"{}|^`\\]', address):
            return False
        if re.search(r"/(?:\.|%2e){1,2}(?:/|$)", wanted.path, re.IGNORECASE):
            return False
        covered = any(_covers(urlsplit(prefix), wanted) for prefix in allowed)
        # A name may come to lead inwards after it was allowed; an address that was allowed is meant.
        return covered and not is_private(wanted.hostname or "")
    except ValueError:  # a port or a bracketed host that is none
        return False


def _covers(prefix: SplitResult, wanted: SplitResult) -> bool:
    ports = {"http": 80, "https": 443}
    if wanted.scheme not in ports or wanted.scheme != prefix.scheme or not wanted.hostname:
        return False
    if (wanted.hostname, wanted.port or ports[wanted.scheme]) != (
        prefix.hostname,
        prefix.port or ports[prefix.scheme],
    ):
        return False
    folder = prefix.path if prefix.path.endswith("/") else prefix.path + "/"
    return wanted.path == prefix.path or (wanted.path or "/").startswith(folder)
