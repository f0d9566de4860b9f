"""Refuses SPARQL that would make the engine fetch an address, or exhaust it, before the engine reads it.

The engine fetches whatever SERVICE and LOAD name, so the text is searched for them. Whether a `<` opens an
IRI or is a comparison is known only to a parser; where both are possible both readings are followed, and a
text is refused if either of them fetches something. Keywords may touch their neighbours (`SERVICE:x`,
`trueSERVICE<x>`), because the engine accepts that.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import SplitResult, urlsplit

from kg.errors import QueryRefusedError, TooLargeError
from kg.settings import LITERAL_LIMIT
from kg.sparql.lexer import END, ESCAPED, LETTER, TOKEN, Token, place, read_tokens, token_at, unescape

FETCHING: Final = re.compile("service|load", re.IGNORECASE)
"""The keywords of what fetches an address."""
# What may follow "<" when it compares: a variable, number, string, bracket, sign, "=", comment, call or name.
_OPERAND: Final = re.compile(
    rf"<(?:[?$'0-9.(+!=#-]|[{LETTER}]+\(|true|false|(?P<prefix>[{LETTER}.-]*):)", re.I
)
_DECLARATION: Final = re.compile(rf"([{LETTER}.-]{{0,500}}):(?:[ \t\r\n]|#[^\r\n]*)*+<([^<>]*)>")
# The engine's parser and evaluator are recursive; some 20,000 levels end its process.
_DEPTH: Final = 200
_OPERATORS: Final = 4000
_RECURSIVE: Final = frozenset({"union", "optional", "minus", "filter", "bind", "exists", *"!|&/+-*^=<>"})


def refuse_remote_access(text: str, allowed: Sequence[str] = ()) -> None:
    """Refuse SPARQL whose SERVICE or LOAD would fetch an address that is not allowed.

    `allowed` holds URL prefixes (http or https): scheme, host and port must be equal and the path must be
    below the prefix's path. A host name that resolves to a loopback or private address is refused, unless the
    prefix contains that address itself. Raises QueryRefusedError with line and column.
    """
    if FETCHING.search(text):
        _refuse(text, text, None, allowed)
    if ESCAPED.search(text):
        # Section 19.2 resolves code point escapes before the grammar; engines differ, so both are checked.
        plain, origin = unescape(text)
        if FETCHING.search(plain):
            _refuse(plain, text, origin, allowed)


def without_silent_loads(update: str, allowed: Sequence[str]) -> str:
    """Replace each LOAD SILENT of an address that is not allowed by an operation without effect.

    The update must be well-formed. Others that would fetch such an address are left.
    """
    declared = _declarations(update)
    tokens = [*read_tokens(update), END, END]
    pieces: list[str] = []
    depth = copied = 0
    for token, after, target in zip(tokens, tokens[1:], tokens[2:], strict=False):
        depth += token.nesting
        if depth or (token.word, after.word) != ("load", "silent"):
            continue
        addresses = _addresses(target, declared)
        if not addresses or not all(_is_allowed(address, allowed) for address in addresses):
            end = target.end
            if (into := token_at(update, end)).word == "into":
                end = token_at(update, token_at(update, into.end).end).end
            pieces += [update[copied : token.start], "INSERT DATA {}"]
            copied = end
    return "".join([*pieces, update[copied:]])


def refuse_excess(text: str) -> None:
    """Refuse SPARQL that is too deep or chained for an engine's stack, or has a literal that is too long.

    Raises TooLargeError with line and column.
    """
    # A quick count that may be too high: it includes IRIs and strings.
    if len(text) > LITERAL_LIMIT // 4:
        _refuse_long(text)
    lower = text.lower()
    if sum(map(text.count, "({[")) <= _DEPTH and sum(map(lower.count, _RECURSIVE)) <= _OPERATORS:
        return
    depth = operators = position = 0
    # As `_tokens` reads them, without making an object of each: large VALUES come by here.
    while match := TOKEN.match(text, position):
        position, kind = match.end(), match.lastgroup
        if kind not in ("other", "word"):
            continue
        found = match.group()
        if kind == "other":
            depth += (found in "({[") - (found in ")}]")
        operators += found.lower() in _RECURSIVE
        if depth > _DEPTH or operators > _OPERATORS:
            line, column = place(text, match.start())
            deep, long = f"more than {_DEPTH} brackets deep", f"over {_OPERATORS:,} operators long"
            raise TooLargeError(
                f"the SPARQL text is {deep if depth > _DEPTH else long}",
                line=line,
                column=column,
                mend="Split it into several requests, or list values with VALUES or IN.",
            )


def _refuse_long(text: str) -> None:
    position = 0
    while match := TOKEN.match(text, position):
        position = match.end()
        if match.lastgroup in ("string", "iri", "name") and len(match.group().encode()) > LITERAL_LIMIT:
            raise too_long(*place(text, match.start()))


def too_long(line: int, column: int) -> TooLargeError:
    """Build the error for a literal above the limit, at a place of a SPARQL text."""
    return TooLargeError(
        f"a literal or IRI may have {LITERAL_LIMIT >> 20} MiB at most",
        line=line,
        column=column,
        mend="Leave it out, or store its address in place of the text.",
    )


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
        what = ", ".join(addresses) if addresses else "an address that is only known when the query runs"
        raise QueryRefusedError(
            f"{keyword} would make this server fetch {what}, which it is not allowed to",
            line=line,
            column=column,
            mend=f"Remove the {keyword} and query that address directly, or start the server with the "
            "address in DIPLOGRAPH_SERVICE_ALLOW. Write the address in full, as <https://…>.",
        )


def _declarations(text: str) -> list[tuple[str, str]]:
    # Every name followed by an IRI counts, so that the declarations of all readings are found.
    return [(found[1], found[2]) for found in _DECLARATION.finditer(text)]


def _readings(text: str, prefixes: set[str]) -> Iterator[tuple[Token, str]]:
    """Yield the tokens of all readings, each with a key for the token before it."""
    todo: list[tuple[int, str]] = [(0, "")]
    seen: set[tuple[int, str]] = set()
    while todo:
        position, before = todo.pop()
        token = token_at(text, position)
        if token is END or (token.start, before) in seen:
            continue
        seen.add((token.start, before))
        yield token, before
        todo.append((token.end, _before(token, before)))
        if token.kind == "iri" and (compared := _OPERAND.match(text, token.start)):
            prefix = compared.group("prefix")
            if prefix is None or any(name.endswith(prefix) for name in prefixes):
                todo.append((token.start + 1, "<"))


def _before(token: Token, before: str) -> str:
    if token.kind == "iri" and before in ("prefix", "base"):
        return ";"  # after a declaration an operation may begin, as after ";"
    if token.kind == "name":
        return "prefix" if token.text.endswith(":") else "name"
    if token.word in (";", "^", "graph", "from", "named", "describe"):
        return token.word
    if token.word.endswith("base"):
        return "base"
    return ";" if token.kind == "string" and before == "version" else token.word[-7:] or token.kind


def _fetch(text: str, token: Token, before: str) -> tuple[str, Token]:
    """Return SERVICE or LOAD if a token is, or may be, that keyword, and the token of its address."""
    after = token_at(text, token.end)
    target = after
    if after.word == "silent":
        target = token_at(text, after.end)
    elif after.prefix.startswith("silent"):
        target = END
    for keyword in ("SERVICE", "LOAD"):
        name = keyword.lower()
        if token.kind == "word" and name in token.word:
            return keyword, target
        if name in token.prefix:
            elsewhere = before in ("^", "graph", "from", "named", "describe")
            service = name == "service" and after.text == "{" and not elsewhere
            load = name == "load" and before in ("", ";") and (after is END or after.word in (";", "into"))
            if service or load:
                return keyword, END
    return "", END


def _addresses(target: Token, declared: Sequence[tuple[str, str]]) -> list[str]:
    """Return the full address; several where a prefix may have several declarations."""
    if target.kind == "iri":
        return [unescape(target.text[1:-1])[0]]
    if target.kind != "name" or "\\" in target.text:
        return []
    prefix, _, local = target.text.partition(":")
    # "PREFIXex:<x>" declares ex, too.
    return [unescape(iri)[0] + local for name, iri in declared if name.endswith(prefix)]


def _is_allowed(address: str, allowed: Sequence[str]) -> bool:
    try:
        wanted = urlsplit(address)
        if "@" in wanted.netloc or re.search(r'[\x00-\x20<>"{}|^`\\]', address):
            return False
        if re.search(r"/(?:\.|%2e){1,2}(?:/|$)", wanted.path, re.IGNORECASE):
            return False
        covered = any(_covers(urlsplit(prefix), wanted) for prefix in allowed)
        # A host name can be pointed at a private address after it was allowed.
        return covered and not is_private(wanted.hostname or "")
    except ValueError:  # a malformed port or bracketed host
        return False


def _covers(prefix: SplitResult, wanted: SplitResult) -> bool:
    ports = {"http": 80, "https": 443}
    if wanted.scheme not in ports or wanted.scheme != prefix.scheme or not wanted.hostname:
        return False
    if wanted.hostname != prefix.hostname:
        return False
    if (wanted.port or ports[wanted.scheme]) != (prefix.port or ports[prefix.scheme]):
        return False
    folder = prefix.path if prefix.path.endswith("/") else prefix.path + "/"
    return wanted.path == prefix.path or (wanted.path or "/").startswith(folder)


def is_private(host: str) -> bool:
    """Return whether a host name resolves to a loopback, private or other non-public address.

    False for numeric addresses and `localhost`, which are allowed only explicitly, and for unknown names.
    """
    if host.lower().rstrip(".") == "localhost" or _address(host):
        return False
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    addresses = (_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    return any(address is None or not address.is_global for address in addresses)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
