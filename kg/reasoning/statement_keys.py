"""Statements by key: the class or the property that they state, and the members of a key.

Terms and statements are bytes in the notation of N-Triples. A member of a class is `<x>`, a member of a
property `<x> <y>`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from kg.reasoning.schema import TYPE, Schema

Members = set[bytes]
Fact = tuple[bytes, bytes, bytes]
"""A statement: subject, predicate and object."""

TYPE_TOKEN: Final = str(TYPE).encode()


class Key(NamedTuple):
    """A class, or a property, by its IRI."""

    name: str
    of_class: bool = False

    @property
    def pattern(self) -> str:
        """SPARQL pattern of the members, as ?x, or as ?x and ?y."""
        return f"?x {TYPE} <{self.name}>" if self.of_class else f"?x <{self.name}> ?y"

    @property
    def variables(self) -> str:
        """Variables of a member."""
        return "?x" if self.of_class else "?x ?y"

    def fact(self, member: bytes) -> Fact:
        """Return the statement of a member, term by term."""
        if self.of_class:
            return member, TYPE_TOKEN, iri(self.name)
        subject, _, value = member.partition(b" ")
        return subject, iri(self.name), value

    def statement(self, member: bytes) -> bytes:
        """Return the statement of a member."""
        return b"%b %b %b" % self.fact(member)


def key_and_member(fact: Fact) -> tuple[Key, bytes]:
    """Return the key of a statement, and its member."""
    subject, predicate, value = fact
    if predicate == TYPE_TOKEN:
        return Key(value[1:-1].decode(), True), subject
    return Key(predicate[1:-1].decode()), b"%b %b" % (subject, value)


def facts_in(lines: bytes) -> Iterator[Fact]:
    """Yield the statements of whole lines of N-Triples."""
    for statement in lines.split(b" .\n"):
        if statement:
            subject, predicate, value = statement.split(b" ", 2)
            yield subject, predicate, value


def is_iri(term: bytes) -> bool:
    """Return whether a term is an IRI, as opposed to a literal, blank node or triple term."""
    return term[:1] == b"<" and term[:2] != b"<<"


def iri(name: str) -> bytes:
    """Write an IRI as a term."""
    return f"<{name}>".encode()


def sources(schema: Schema) -> Mapping[Key, tuple[str, ...]]:
    """Return for each key the patterns of the single statements that entail a member."""
    found: dict[Key, set[str]] = defaultdict(set)
    for cls, above in schema.above.items():
        for name in above:
            found[Key(name, True)].add(f"?x {TYPE} <{cls}>")
    for name, entailed in schema.properties.items():
        for cls in entailed.subject:
            found[Key(cls, True)].add(f"?x <{name}> ?other")
        for cls in entailed.object:
            found[Key(cls, True)].add(f"?other <{name}> ?x")
        for wider in entailed.forward:
            found[Key(wider)].add(f"?x <{name}> ?y")
        for inverse in entailed.backward:
            found[Key(inverse)].add(f"?y <{name}> ?x")
    return {key: tuple(sorted(patterns)) for key, patterns in found.items()}
