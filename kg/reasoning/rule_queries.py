"""Queries for asserted statements, stored entailments and premises, of many things at once.

Engines join and count far faster than they serialise terms. All members of a key are therefore read if they
are few; otherwise the store is asked for each wanted member.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import count, islice
from typing import Final, TypeVar

from pyoxigraph import Literal, NamedNode

from kg.rdf.formats import result_format
from kg.reasoning.schema import Schema
from kg.reasoning.statement_keys import Fact, Key, Members, facts_in, is_iri, sources
from kg.store import UNION, UNNAMED, Answer, LocalStore, QueryDataset, Store
from kg.terms import GRAPH_ENTAILMENTS

T = TypeVar("T")

_BATCH: Final = 500
_FEW: Final = 50
# Reading a row takes about a fifth of the time of asking for a member.
_READ: Final = 5
_NTRIPLES: Final = result_format("graph", "nt")
_TSV: Final = result_format("solutions", "tsv")


def query_whole(store: Store, text: str, dataset: QueryDataset = UNION) -> Answer:
    """Run a query of our own, to which the limit on rows does not apply."""
    return store.query_whole(text, dataset) if isinstance(store, LocalStore) else store.query(text, dataset)


class RuleQueries:
    """Queries one store; graphs in `aside` do not count as asserted, like that of the entailments."""

    def __init__(self, store: Store, schema: Schema, aside: Iterable[NamedNode] = ()) -> None:
        self.store = store
        self.sources = sources(schema)
        self._aside = (GRAPH_ENTAILMENTS, *aside)
        self._numbers = count()
        unnamed = QueryDataset(default=(UNNAMED,))
        # ?g never matches the unnamed graph: its content counts only if all graphs are listed.
        self._listed = store.query("ASK { ?s ?p ?o }", unnamed).truth()
        self._dataset = self._graphs() if self._listed else UNION

    def asserts(self, *patterns: str, anywhere: bool = False) -> str:
        """Join patterns for asserted statements by UNION; `anywhere` includes all other graphs."""
        return " UNION ".join(self._asserts(pattern, anywhere) for pattern in patterns)

    def query(self, text: str) -> Answer:
        """Run a query made of the patterns of `asserts` and `entailed`. Raises StoreFailedError."""
        return query_whole(self.store, text, self._dataset)

    def asserted(self, key: Key, members: Collection[bytes]) -> Members:
        """Return the members that are asserted."""
        return self._among(key, members, (key.pattern,))

    def supported(self, key: Key, members: Collection[bytes]) -> Members:
        """Return the members that some single statement entails."""
        return self._among(key, members, self.sources.get(key, ()))

    def stored(self, key: Key, members: Collection[bytes]) -> Members:
        """Return the members in the graph of entailments."""
        return self._among(key, members, (key.pattern,), inside=True)

    def matching(self, things: Collection[bytes], patterns: Iterable[str]) -> Members:
        """Return the things for which one of some patterns of ?x is asserted."""
        return self._among(Key("", True), things, tuple(patterns))

    def lines(self, key: Key, where: str) -> Iterator[bytes]:
        """Yield statements of a key as whole lines of N-Triples, without those with blank nodes."""
        middle = key.statement(b"")
        odd = False
        for piece in self._rows(key, where):
            rows = piece
            if not _all_plain(piece, key):
                odd, rows = True, b"".join(row for row in piece.splitlines(keepends=True) if _is_plain(row))
            if key.of_class:
                yield rows.replace(b"\n", b"%b .\n" % middle)
            else:
                yield rows.replace(b"\t", middle).replace(b"\n", b" .\n")
        if odd and not key.of_class:
            # TSV writes numbers in a shorter form than N-Triples.
            text = f"CONSTRUCT {{ {key.pattern} }} WHERE {{ {where} FILTER(!isIRI(?y) && !isBlank(?y)) }}"
            for subject, predicate, value in self.statements(text):
                if _is_plain(subject):
                    yield b"%b %b %b .\n" % (subject, predicate, value)

    def members(self, key: Key, where: str) -> Iterator[bytes]:
        """Yield the members of a key in the notation of TSV: numbers may be shorter than in N-Triples."""
        for piece in self._rows(key, where):
            yield from piece.replace(b"\t", b" ").split(b"\n")[:-1]

    def all_if_few(self, key: Key, patterns: tuple[str, ...], number: int) -> Iterator[bytes] | None:
        """Return all members by some patterns, or None if asking for `number` members is cheaper."""
        if self._at_most(key, self.asserts(*patterns, anywhere=True), _READ * number):
            return self.members(key, self.asserts(*patterns))
        return None

    def statements(self, text: str) -> Iterator[Fact]:
        """Yield the result of a CONSTRUCT query, term by term."""
        if not isinstance(self.store, LocalStore):
            # Remote engines vary in how they write N-Triples, for example with a comment in an empty result.
            for found in self.query(text).triples():
                yield str(found.subject).encode(), str(found.predicate).encode(), str(found.object).encode()
            return
        for piece in _whole_lines(self.query(text).serialize(_NTRIPLES)):
            yield from facts_in(piece)

    def _rows(self, key: Key, where: str) -> Iterator[bytes]:
        text = f"SELECT DISTINCT {key.variables} WHERE {{ {where} }}"
        pieces = _whole_lines(self.query(text).serialize(_TSV))
        yield next(pieces).partition(b"\n")[2]
        yield from pieces

    def _asserts(self, pattern: str, anywhere: bool) -> str:
        if self._listed:
            return f"{{ {pattern} }}"
        graph = f"?g{next(self._numbers)}"
        but = "" if anywhere else f" FILTER({graph} NOT IN ({', '.join(map(str, self._aside))}))"
        return f"{{ GRAPH {graph} {{ {pattern} }}{but} }}"

    def _graphs(self) -> QueryDataset:
        rows = query_whole(self.store, "SELECT DISTINCT ?g { GRAPH ?g { } }").rows()
        graphs = {row["g"].value for row in rows if isinstance(row["g"], NamedNode)}
        kept = sorted(graphs.difference(graph.value for graph in self._aside))
        return QueryDataset(default=(*kept, UNNAMED), named=(GRAPH_ENTAILMENTS.value,))

    def _among(
        self, key: Key, members: Collection[bytes], patterns: tuple[str, ...], inside: bool = False
    ) -> Members:
        if not members or not patterns:
            return set()
        where = entailed(patterns[0]) if inside else self.asserts(*patterns)
        asked = members
        found: Members = set()
        if len(members) > _FEW:
            everywhere = where if inside else self.asserts(*patterns, anywhere=True)
            if self._at_most(key, everywhere, _READ * len(members)):
                found.update(self.members(key, where))
                found.intersection_update(members)
                # A literal may be written in several ways.
                asked = [] if key.of_class else [m for m in members if not is_iri(m.partition(b" ")[2])]
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
        counts = (row["n"] for row in self.query(text).rows())
        return all(int(count.value) <= limit for count in counts if isinstance(count, Literal))


def entailed(pattern: str) -> str:
    """Return a pattern for what the graph of entailments holds."""
    return f"{{ GRAPH {GRAPH_ENTAILMENTS} {{ {pattern} }} }}"


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of some items at a time."""
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
    """Return whether all terms of some rows of TSV are IRIs."""
    number = rows.count(b"\n")
    return (b"\n" + rows).count(b"\n<") == number and (
        key.of_class or (rows.count(b"\t<") == number and b"\t<<" not in rows)
    )


def _is_plain(row: bytes) -> bool:
    """Return whether all terms of a row of TSV are IRIs."""
    return all(map(is_iri, row.split(b"\t")))
