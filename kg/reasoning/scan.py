"""What follows from single statements, line by line over the graph's N-Triples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from kg.reasoning.schema import TYPE, Schema

_TYPE: Final = str(TYPE).encode()


class Scan:
    """One reading of a graph; `things` (as N-Triples terms) are those whose entailments are wanted apart.

    Lines stay text: an object for each statement would cost more than the work itself. Of what is asserted
    only 64-bit hashes are held, so that a million statements take tens of megabytes.
    """

    def __init__(self, schema: Schema, things: set[bytes]) -> None:
        self._things = things
        self._asserted: set[int] = set()
        self._above = {_iri(c): [_iri(name) for name in names] for c, names in schema.above.items()}
        self._properties = {
            _iri(name): tuple(
                [_iri(x) for x in part] for part in (f.subject, f.object, f.forward, f.backward)
            )
            for name, f in schema.properties.items()
        }
        # Only what may follow can be asserted as well.
        followers = {x for f in schema.properties.values() for x in f.forward | f.backward}
        self._followers = {_iri(name) for name in followers | schema.joining}
        self.near: list[bytes] = []
        """What `candidates` found for things, filled as it is read."""

    def candidates(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Give what follows from each statement; the same may come twice, or be asserted."""
        for line in lines:
            subject, _, rest = line.partition(b" ")
            predicate, _, rest = rest.partition(b" ")
            value = rest[:-2]
            named = subject[:1] == b"<"
            if predicate == _TYPE:
                self._asserted.add(hash(line))
                found = [b"%b %b %b .\n" % (subject, _TYPE, c) for c in self._above.get(value, ()) if named]
            else:
                if predicate in self._followers:
                    self._asserted.add(hash(line))
                if predicate not in self._properties:
                    continue
                found = list(self._follow(subject, predicate, value, named))
            for one in found:
                if one.partition(b" ")[0] in self._things:
                    self.near.append(one)
            yield from found

    def _follow(self, subject: bytes, predicate: bytes, value: bytes, named: bool) -> Iterator[bytes]:
        of_subject, of_object, forward, backward = self._properties[predicate]
        if named:
            yield from (b"%b %b %b .\n" % (subject, _TYPE, c) for c in of_subject)
            if value[:2] != b"_:":
                yield from (b"%b %b %b .\n" % (subject, p, value) for p in forward)
        if value[:1] == b"<":
            yield from (b"%b %b %b .\n" % (value, _TYPE, c) for c in of_object)
            if named:
                yield from (b"%b %b %b .\n" % (value, p, subject) for p in backward)

    def fresh(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Keep the candidates that nobody asserts, each once; `candidates` must have been read."""
        for line in lines:
            mark = hash(line[:-1])
            if mark not in self._asserted:
                self._asserted.add(mark)
                yield line


def _iri(name: str) -> bytes:
    return f"<{name}>".encode()
