"""Asking a store what is asserted, entailed, or follows from single statements: many things at once.

Engines join and count far faster than they write terms out. So what a store has to tell of many members is
read whole where it is little, and asked member by member where it is much.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, islice
from typing import Final, TypeVar

from pyoxigraph import NamedNode

from kg.rdf.formats import result_format
from kg.reasoning.schema import Schema
from kg.reasoning.statement_keys import Key, Members, sources
from kg.store import UNION, UNNAMED, Answer, LocalStore, QueryDataset, Store
from kg.terms import GRAPH_ENTAILMENTS

T = TypeVar("T")

_BATCH: Final = 500
_FEW: Final = 50
# Reading a row takes about a fifth of asking for a member.
_READ: Final = 5
_NTRIPLES: Final = result_format("graph", "nt")
_TSV: Final = result_format("solutions", "tsv")
_THING: Final = ("?x ?p ?other", "?other ?p ?x")


def ask(store: Store, text: str, dataset: QueryDataset = UNION) -> Answer:
    """Ask a question of our own: a limit on the rows of a query is for those who ask from outside."""
    return store.query_whole(text, dataset) if isinstance(store, LocalStore) else store.query(text, dataset)


class Asking:
    """Asks one store; `aside` are graphs that do not count as asserted, beside that of the entailments."""

    def __init__(self, store: Store, schema: Schema, aside: Iterable[NamedNode] = ()) -> None:
        self.store = store
        self.sources = sources(schema)
        self._aside = (GRAPH_ENTAILMENTS, *aside)
        self._numbers = count()
        unnamed = QueryDataset(default=(UNNAMED,))
        # The unnamed graph is no ?g: what is in it counts only where all graphs are listed.
        self._listed = store.query("ASK { ?s ?p ?o }", unnamed).truth()
        self._dataset = self._graphs() if self._listed else UNION

    def said(self, *patterns: str, loosely: bool = False) -> str:
        """Write patterns, of which one must be asserted; `loosely` takes in what is entailed and aside."""
        return " UNION ".join(self._said(pattern, loosely) for pattern in patterns)

    def query(self, text: str) -> Answer:
        """Ask a question whose patterns are of `said` and `entailed`. Raises StoreFailedError."""
        return ask(self.store, text, self._dataset)

    def asserted(self, key: Key, members: Collection[bytes]) -> Members:
        """Keep the members that somebody asserts."""
        return self._among(key, members, (key.pattern,))

    def supported(self, key: Key, members: Collection[bytes]) -> Members:
        """Keep the members that follow from some single statement."""
        return self._among(key, members, self.sources.get(key, ()))

    def held(self, key: Key, members: Collection[bytes]) -> Members:
        """Keep the members that the graph of entailments holds."""
        return self._among(key, members, (key.pattern,), inside=True)

    def known(self, things: Collection[bytes]) -> Members:
        """Keep the things of which anything is asserted."""
        return self.those(things, _THING)

    def those(self, things: Collection[bytes], patterns: Iterable[str]) -> Members:
        """Keep the things of which one of some patterns of ?x is asserted."""
        return self._among(Key("", True), things, tuple(patterns))

    def any_held(self) -> bool:
        """Tell whether anything is entailed."""
        return self.store.query(f"ASK {{ {entailed('?s ?p ?o')} }}").truth()

    def lines(self, key: Key, where: str) -> Iterator[bytes]:
        """Give statements of a key as pieces of N-Triples of whole lines, those with blank nodes left out."""
        middle = key.statement(b"")
        odd = False
        for piece in self._rows(key, where):
            rows = piece
            if not _all_plain(piece, key):
                kept = [row for row in piece.splitlines(keepends=True) if _is_plain(row)]
                odd, rows = True, b"".join(kept)
            if key.of_class:
                yield rows.replace(b"\n", b"%b .\n" % middle)
            else:
                yield rows.replace(b"\t", middle).replace(b"\n", b" .\n")
        if odd and not key.of_class:
            # TSV has numbers in a shorter form than N-Triples.
            text = f"CONSTRUCT {{ {key.pattern} }} WHERE {{ {where} FILTER(!isIRI(?y) && !isBlank(?y)) }}"
            for subject, predicate, value in self.statements(text):
                if _is_plain(subject):
                    yield b"%b %b %b .\n" % (subject, predicate, value)

    def members(self, key: Key, where: str) -> Iterator[bytes]:
        """Give the members of a key, written as TSV has them: numbers may be shorter than in N-Triples."""
        for piece in self._rows(key, where):
            yield from piece.replace(b"\t", b" ").split(b"\n")[:-1]

    def few(self, key: Key, patterns: tuple[str, ...], number: int) -> Iterator[bytes] | None:
        """Give all that patterns say of a key, where that is less than to ask for so many members."""
        if self._at_most(key, self.said(*patterns, loosely=True), _READ * number):
            return self.members(key, self.said(*patterns))
        return None

    def statements(self, text: str) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Read what a CONSTRUCT of `said` and `entailed` gives, term by term."""
        if not isinstance(self.store, LocalStore):
            # Engines elsewhere write N-Triples in ways of their own, such as a remark where there are none.
            for found in self.query(text).triples():
                yield str(found.subject).encode(), str(found.predicate).encode(), str(found.object).encode()
            return
        for piece in _whole_lines(self.query(text).serialize(_NTRIPLES)):
            for statement in piece.split(b" .\n"):
                if statement:
                    subject, predicate, value = statement.split(b" ", 2)
                    yield subject, predicate, value

    def _rows(self, key: Key, where: str) -> Iterator[bytes]:
        text = f"SELECT DISTINCT {key.variables} WHERE {{ {where} }}"
        pieces = _whole_lines(self.query(text).serialize(_TSV))
        yield next(pieces).partition(b"\n")[2]
        yield from pieces

    def _said(self, pattern: str, loosely: bool) -> str:
        if self._listed:
            return f"{{ {pattern} }}"
        graph = f"?g{next(self._numbers)}"
        but = "" if loosely else f" FILTER({graph} NOT IN ({', '.join(map(str, self._aside))}))"
        return f"{{ GRAPH {graph} {{ {pattern} }}{but} }}"

    def _graphs(self) -> QueryDataset:
        rows = ask(self.store, "SELECT DISTINCT ?g { GRAPH ?g { } }").rows()
        graphs = {row["g"].value for row in rows if isinstance(row["g"], NamedNode)}
        kept = sorted(graphs.difference(graph.value for graph in self._aside))
        return QueryDataset(default=(*kept, UNNAMED), named=(GRAPH_ENTAILMENTS.value,))

    def _among(
        self, key: Key, members: Collection[bytes], patterns: tuple[str, ...], inside: bool = False
    ) -> Members:
        if not members or not patterns:
            return set()
        where = entailed(patterns[0]) if inside else self.said(*patterns)
        asked = members
        found: Members = set()
        if len(members) > _FEW:
            loosely = where if inside else self.said(*patterns, loosely=True)
            if self._at_most(key, loosely, _READ * len(members)):
                found.update(self.members(key, where))
                found.intersection_update(members)
                # Of what is no IRI, one term may be written in several ways.
                asked = [] if key.of_class else [m for m in members if not _is_link(m)]
        for batch in chunks(asked, _BATCH):
            rows = " ".join(f"({number} {member.decode()})" for number, member in enumerate(batch))
            answer = self.query(
                f"SELECT ?n {{ VALUES (?n {key.variables}) {{ {rows} }} FILTER EXISTS {{ {where} }} }}"
            )
            numbers = b"".join(answer.serialize(_TSV)).split()[1:]
            found.update(batch[int(number)] for number in numbers)
        return found

    def _at_most(self, key: Key, where: str, limit: int) -> bool:
        text = f"SELECT (COUNT(*) AS ?n) {{ SELECT {key.variables} {{ {where} }} LIMIT {limit + 1} }}"
        return all(int(getattr(row["n"], "value", 0)) <= limit for row in self.query(text).rows())


def entailed(pattern: str) -> str:
    """Write a pattern that must be entailed."""
    return f"{{ GRAPH {GRAPH_ENTAILMENTS} {{ {pattern} }} }}"


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Give items some at a time."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _whole_lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        whole, end, rest = (rest + piece).rpartition(b"\n")
        if end:
            yield whole + end
    if rest:
        yield rest + b"\n"


def _all_plain(rows: bytes, key: Key) -> bool:
    """Tell whether rows of TSV have IRIs alone."""
    number = rows.count(b"\n")
    return (b"\n" + rows).count(b"\n<") == number and (
        key.of_class or (rows.count(b"\t<") == number and b"\t<<" not in rows)
    )


def _is_plain(row: bytes) -> bool:
    """Tell whether a row of TSV has IRIs alone."""
    return all(term[:1] == b"<" and term[:2] != b"<<" for term in row.split(b"\t"))


def _is_link(member: bytes) -> bool:
    value = member.partition(b" ")[2]
    return value.startswith(b"<") and not value.startswith(b"<<")
