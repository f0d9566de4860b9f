"""Keys: what a statement says of its members, that they are of a class or that a property joins them.

A member is written as SPARQL and N-Triples have it: `<x>` of a class, `<x> <y>` of a property.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from kg.reasoning.schema import TYPE, Schema

Members = set[bytes]


class Key(NamedTuple):
    """A class, or a property, by its IRI."""

    name: str
    of_class: bool = False

    @property
    def pattern(self) -> str:
        """Write what gives the members, as ?x, or ?x and ?y."""
        return f"?x {TYPE} <{self.name}>" if self.of_class else f"?x <{self.name}> ?y"

    @property
    def variables(self) -> str:
        """Name the variables of a member."""
        return "?x" if self.of_class else "?x ?y"

    def statement(self, member: bytes) -> bytes:
        """Write the statement of a member."""
        if self.of_class:
            return b"%b %b <%b>" % (member, str(TYPE).encode(), self.name.encode())
        subject, _, value = member.partition(b" ")
        return b"%b <%b> %b" % (subject, self.name.encode(), value)


def key_of(predicate: bytes, value: bytes) -> Key:
    """Tell the key of a statement."""
    if predicate == str(TYPE).encode():
        return Key(value[1:-1].decode(), True)
    return Key(predicate[1:-1].decode())


def sources(schema: Schema) -> Mapping[Key, tuple[str, ...]]:
    """Give for each key the patterns of the single statements that it follows from."""
    found: dict[Key, set[str]] = defaultdict(set)
    for cls, above in schema.above.items():
        for name in above:
            found[Key(name, True)].add(f"?x {TYPE} <{cls}>")
    for name, follows in schema.properties.items():
        for cls in follows.subject:
            found[Key(cls, True)].add(f"?x <{name}> ?other")
        for cls in follows.object:
            found[Key(cls, True)].add(f"?other <{name}> ?x")
        for above_it in follows.forward:
            found[Key(above_it)].add(f"?x <{name}> ?y")
        for back in follows.backward:
            found[Key(back)].add(f"?y <{name}> ?x")
    return {key: tuple(sorted(patterns)) for key, patterns in found.items()}
