"""Which graphs an update may change, by its text; keeps those that diplograph maintains out of updates.

A graph of our own that the text names as one to be changed is refused. Which graphs a variable means, or ALL
and NAMED, is known only when the update runs: the text is then extended so that they are left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pyoxigraph import RdfFormat, parse

from kg.errors import ProtectedGraphError
from kg.sparql.lexer import END, ESCAPED, Token, place, read_tokens, unescape
from kg.terms import OWN_GRAPHS

_OWN: Final = frozenset(graph.value for graph in OWN_GRAPHS)
_LISTED: Final = ", ".join(map(str, OWN_GRAPHS))
_MANAGED: Final = re.compile(r"^(load|clear|drop|create|add|move|copy)(?:silent)?([^}]*)$")
_PROLOGUE: Final = re.compile("^(?:prefix|base|version)+")
# Characters of an operation's words that decide what it does.
_LONGEST: Final = 60
_CONCERNED: Final = re.compile("graph|with|clear|drop|copy|move|add|load|create", re.IGNORECASE)
_WHOLE: Final = re.compile(r"(clear|drop)(?:silent)?(all|named)$")
# Keywords after which a name without a prefix may follow at once: the engine reads GRAPH:a as two words.
_JOINED: Final = re.compile("(?:graph|with|to|into|silent|named|add|move|copy|clear|drop|create|load)$")
# Bases that a relative IRI may have; a text with more could name any graph.
_BASES: Final = 20


def refuse_own(iri: str, line: int | None = None, column: int | None = None) -> None:
    """Raise ProtectedGraphError if an IRI is that of a graph that diplograph maintains."""
    if iri in _OWN:
        raise ProtectedGraphError(
            f"<{iri}> is maintained by diplograph itself",
            line=line,
            column=column,
            mend="Put your statements into another graph.",
        )


def keep_own(update: str, names: Callable[[], Iterable[str]], base_iri: str = "") -> str:
    """Return an update that leaves the graphs of our own as they are; raises ProtectedGraphError.

    `names` lists the named graphs of the store, for CLEAR and DROP of ALL and NAMED.
    """
    if not _CONCERNED.search(update):
        return update
    found = _Update(update, names, base_iri)
    kept = found.kept()
    for iri, token in found.changed.items():
        if iri in _OWN:
            refuse_own(iri, *place(update, token.start))
    return kept


def changed_graphs(update: str, base_iri: str = "") -> frozenset[str] | None:
    """Return the IRIs of all named graphs that an update may change, None if it may be any.

    More are listed where the meaning of a name depends on how declarations are read.
    """
    if not _CONCERNED.search(update):
        return frozenset()
    if ESCAPED.search(update):
        return None
    found = _Update(update, tuple, base_iri)
    found.kept()
    return None if found.any else frozenset(found.changed)


class _Update:
    """Reads an update: the graphs that it names as changed, with a place, and whether it may change `any`."""

    def __init__(self, text: str, names: Callable[[], Iterable[str]], base_iri: str) -> None:
        self.changed: dict[str, Token] = {}
        self.any = False
        self._text = text
        self._names = names
        self._tokens = list(read_tokens(text))
        self._declared: list[tuple[str, str]] = []
        self._bases = [base_iri]
        self._edits: list[tuple[int, int, str]] = []
        # Of the operation: its words outside of braces, where its verb begins, its graphs in variables.
        self._head = ""
        self._verb = 0
        self._variables: set[str] = set()

    def kept(self) -> str:
        """Return the update, extended where it may change any graph."""
        depth, opened = 0, 0
        block = ""
        for index, token in enumerate(self._tokens):
            if depth == 0 and token.nesting != 1:
                self._outside(index, token)
            elif depth and block != "pattern":
                after = self._tokens[index + 1] if index + 1 < len(self._tokens) else END
                if token.word.endswith("graph"):
                    self._named(after)
                elif token.prefix.endswith("graph") and after.nesting == 1:
                    self._named(_without_keyword(token))
            if token.nesting == 1 and depth == 0:
                opened, block = index, self._kind()
            depth += token.nesting
            if token.nesting == -1 and depth == 0:
                self._closed(block, opened, index)
        pieces, at = [], 0
        for start, end, instead in sorted(self._edits):
            pieces += [self._text[at:start], instead]
            at = end
        return "".join([*pieces, self._text[at:]])

    def _kind(self) -> str:
        if self._head.endswith("deletewhere"):
            return "both"
        return "template" if self._head.endswith(("insert", "delete", "data")) else "pattern"

    def _outside(self, index: int, token: Token) -> None:
        """Read a token outside of braces."""
        before = self._tokens[index - 1] if index else END
        if token.word == ";":
            self._head, self._variables = "", set()
        elif token.kind == "word":
            if re.search("clear|drop", token.word):
                self._verb = token.start
            self._head = _PROLOGUE.sub("", self._head + token.word)[-_LONGEST:]
            if whole := _WHOLE.search(self._head):
                self.any = True
                self._edits.append((self._verb, token.end, self._all_but_own(*whole.groups())))
        elif token.kind == "iri" and before.kind == "name" and before.text.endswith(":"):
            self._declared.append((before.prefix, unescape(token.text[1:-1])[0]))
        elif token.kind == "iri" and before.word.endswith("base"):
            self._add_base(unescape(token.text[1:-1])[0])
        elif token.kind in ("iri", "name"):
            if self._is_changed():
                self._note(token)
            if _JOINED.search(token.prefix):
                self._head = (self._head + token.prefix)[-_LONGEST:]
                if self._is_changed():
                    self._note(_without_keyword(token))

    def _add_base(self, iri: str) -> None:
        more = dict.fromkeys(_resolved(iri, base) for base in self._bases)
        self._bases = list(dict.fromkeys([*self._bases, *more]))
        self.any = self.any or len(self._bases) > _BASES
        del self._bases[_BASES:]

    def _is_changed(self) -> bool:
        """Return whether an IRI after the words so far names a graph that is changed."""
        if self._head.endswith("with"):
            return True
        managed = _MANAGED.search(self._head)
        if managed is None:
            return False
        verb, rest = managed.groups()
        if verb in ("add", "copy"):
            return rest.endswith(("to", "tograph"))
        return verb != "load" or "into" in rest

    def _named(self, graph: Token) -> None:
        if graph.kind == "variable":
            self.any = True
            self._variables.add(graph.text)
        elif graph.kind in ("iri", "name"):
            self._note(graph)

    def _note(self, token: Token) -> None:
        for iri in self._addresses(token):
            self.changed.setdefault(iri, token)

    def _addresses(self, token: Token) -> Sequence[str]:
        """Return what a name may mean; several where it depends on how declarations are read."""
        if token.kind == "iri":
            return [_resolved(unescape(token.text[1:-1])[0], base) for base in self._bases]
        prefix, _, local = token.text.partition(":")
        name = re.sub(r"\\(.)", r"\1", unescape(local)[0])
        # "PREFIXex:<x>" declares ex, too.
        found = [start for declared, start in self._declared if declared.endswith(prefix.lower())]
        starts = {_resolved(start, base) for start in found for base in self._bases}
        # An engine may resolve the whole name, too.
        return [*(start + name for start in starts), *(_resolved(start + name, "") for start in starts)]

    def _closed(self, block: str, opened: int, closed: int) -> None:
        """End a block of braces: WHERE leaves out what a template would put into our own graphs."""
        start, end = self._tokens[opened], self._tokens[closed]
        if self._variables and block != "template":
            if block == "both":
                # DELETE WHERE allows no FILTER; its long form repeats the pattern.
                where = self._tokens[opened - 1]
                self._edits.append((where.start, where.start, self._text[start.start : end.end] + " "))
            conditions = "".join(
                f" FILTER(!BOUND({name}) || {name} NOT IN ({_LISTED}))" for name in sorted(self._variables)
            )
            self._edits.append((start.end, start.end, " {"))
            self._edits.append((end.start, end.start, f"}}{conditions} "))
        self._head += "}"

    def _all_but_own(self, verb: str, what: str) -> str:
        graphs = [f"GRAPH <{name}>" for name in self._names() if name not in _OWN]
        parts = [f"{verb} SILENT {graph}" for graph in (["DEFAULT"] if what == "all" else []) + graphs]
        # Graphs that an earlier operation of this request has made.
        pattern = "GRAPH ?g { ?s ?p ?o }"
        parts.append(f"DELETE {{ {pattern} }} WHERE {{ {pattern} FILTER(?g NOT IN ({_LISTED})) }}")
        return " ; ".join(parts)


def _without_keyword(name: Token) -> Token:
    """Return a prefixed name after a keyword without a space, as in GRAPH:a, by its own colon."""
    colon = name.text.index(":")
    return Token("name", name.text[colon:], name.start + colon, name.end)


def _resolved(iri: str, base: str) -> str:
    """Return an IRI as the engine resolves it (RFC 3986 section 5)."""
    try:
        triples = parse(f"<{iri}> <x:> <x:> .".encode(), format=RdfFormat.TURTLE, base_iri=base or None)
        return str(next(triples).subject)[1:-1]
    except (SyntaxError, ValueError):
        return iri
