"""What single statements tell, over the text of a change: what follows from each, and what may follow itself.

Most statements tell something that the next one tells, too, or that is asserted beside it: that a record with
a number is a record. So the statements of a subject are taken together, and the ends of a property each once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kg.changes import Batch, Statements
from kg.reasoning.schema import NONE, TYPE, Schema
from kg.reasoning.statement_keys import Key, Members

# Notes that are held at once; a change that gives more is followed in stretches, so that memory is bounded.
_STRETCH: Final = 400_000
_TYPE: Final = str(TYPE).encode()


@dataclass
class Told:
    """What a stretch of a change tells."""

    candidates: dict[Key, Members] = field(default_factory=lambda: defaultdict(set))
    """What follows from its statements, but for most of what it asserts itself."""
    own: dict[Key, Members] = field(default_factory=lambda: defaultdict(set))
    """Its statements of a kind that may follow from others."""
    joining: set[tuple[bytes, bytes, bytes]] = field(default_factory=set)
    """Its statements with properties whose statements bear on one another."""
    last: bool = False

    @property
    def keys(self) -> list[Key]:
        """Name the keys that it tells of."""
        return sorted({*self.candidates, *self.own})


class Teller:
    """Reads changes by the tables of an ontology."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        # One bit for each class that may follow.
        self._bits = {name: 1 << number for number, name in enumerate(sorted(_told_classes(schema)))}
        named = set(schema.properties) | schema.concluded | schema.joining
        self._uses = {f"<{name}>".encode(): name for name in named}

    def tell(self, batches: Statements) -> Iterator[Told]:
        """Take a change in stretches; the last one says so, and may tell nothing."""
        stretch = _Stretch(self._schema, self._bits, self._uses)
        for batch in batches:
            stretch.read(batch)
            if stretch.size >= _STRETCH:
                yield stretch.told()
                stretch = _Stretch(self._schema, self._bits, self._uses)
        told = stretch.told()
        told.last = True
        yield told


class _Use(NamedTuple):
    """What is noted of the statements with one property."""

    told: int
    ends: set[bytes] | None
    whole: list[tuple[bytes, bytes]] | None


class _Class(NamedTuple):
    """What is noted of the statements that things are of one class."""

    name: str
    bit: int
    told: int
    things: list[bytes] | None


class _Stretch:
    def __init__(self, schema: Schema, bits: dict[str, int], names: dict[bytes, str]) -> None:
        self._schema = schema
        self._bits = bits
        self._uses = {predicate: self._use(name) for predicate, name in names.items()}
        self._names = names
        self._classes: dict[bytes, _Class] = {}
        self._told = Told()
        self._end = 0
        # Values are kept with the ends of their lines, as most are the same and few are looked at.
        self._meant: dict[int, list[set[bytes]]] = {}
        # The statements of a subject stand together, more often than not in one batch.
        self._subject, self._need, self._have = b"", 0, 0

    def read(self, batch: Batch) -> None:
        """Take in some statements. Every step of this loop is taken a million times."""
        uses, classes, self._end = self._uses, self._classes, batch.end
        last, need, have = self._subject, self._need, self._have
        for line in batch.lines:
            subject, predicate, value = line.split(b" ", 2)
            if predicate == _TYPE:
                if subject != last:
                    if need & ~have:
                        self._note(last, need & ~have)
                    last, need, have = subject, 0, 0
                _, bit, told, things = classes.get(value) or self._class(value)
                have |= bit
                need |= told
                if things is not None:
                    things.append(subject)
                continue
            use = uses.get(predicate)
            if use is None:
                continue
            if subject != last:
                if need & ~have:
                    self._note(last, need & ~have)
                last, need, have = subject, 0, 0
            told, ends, whole = use
            need |= told
            if ends is not None:
                ends.add(value)
            if whole is not None:
                whole.append((subject, value))
        self._subject, self._need, self._have = last, need, have

    @property
    def size(self) -> int:
        """Count what is noted."""
        noted = sum(len(use.ends or ()) + len(use.whole or ()) for use in self._uses.values())
        noted += sum(len(kind.things or ()) for kind in self._classes.values())
        return noted + sum(map(len, self._told.candidates.values()))

    def told(self) -> Told:
        """Give what all of it tells."""
        self._note(self._subject, self._need & ~self._have)
        told, properties = self._told, self._schema.properties
        for kind in self._classes.values():
            if kind.things:
                told.own[Key(kind.name, True)].update(filter(_is_iri, kind.things))
        for predicate, use in self._uses.items():
            name = self._names[predicate]
            if use.ends:
                ends = {value[: -self._end] for value in use.ends if _is_iri(value)}
                for cls in properties.get(name, NONE).object if ends else ():
                    told.candidates[Key(cls, True)] |= ends
            for subject, value in use.whole or ():
                self._whole(name, (subject, predicate, value[: -self._end]))
        return told

    def _use(self, name: str) -> _Use:
        follows, schema = self._schema.properties.get(name, NONE), self._schema
        whole = follows.forward or follows.backward or name in schema.joining or name in schema.concluded
        told = sum(self._bits[cls] for cls in follows.subject)
        return _Use(told, set() if follows.object else None, [] if whole else None)

    def _class(self, value: bytes) -> _Class:
        cls = value[: -self._end]
        name = cls[1:-1].decode() if _is_iri(cls) else ""
        told = sum(self._bits[cls] for cls in self._schema.above.get(name, ()))
        found = _Class(name, self._bits.get(name, 0), told, [] if name in self._schema.concluded else None)
        self._classes[value] = found
        return found

    def _note(self, subject: bytes, bits: int) -> None:
        if bits and _is_iri(subject):
            if bits not in self._meant:
                self._meant[bits] = [
                    self._told.candidates[Key(name, True)] for name, bit in self._bits.items() if bit & bits
                ]
            for things in self._meant[bits]:
                things.add(subject)

    def _whole(self, name: str, fact: tuple[bytes, bytes, bytes]) -> None:
        subject, _, value = fact
        if not _is_iri(subject) or value.startswith(b"_:"):
            return
        if name in self._schema.joining:
            self._told.joining.add(fact)
        if name in self._schema.concluded:
            self._told.own[Key(name)].add(b"%b %b" % (subject, value))
        for key, member in links_from(self._schema, name, subject, value):
            self._told.candidates[key].add(member)


def links_from(schema: Schema, name: str, subject: bytes, value: bytes) -> Iterator[tuple[Key, bytes]]:
    """Give the links that follow from one statement with a property."""
    follows = schema.properties.get(name, NONE)
    for other in follows.forward:
        yield Key(other), b"%b %b" % (subject, value)
    if _is_iri(value):
        for other in follows.backward:
            yield Key(other), b"%b %b" % (value, subject)


def consequences(schema: Schema, fact: tuple[bytes, bytes, bytes]) -> Iterator[tuple[Key, bytes]]:
    """Give all that follows from one statement with a property."""
    subject, predicate, value = fact
    name = predicate[1:-1].decode()
    follows = schema.properties.get(name, NONE)
    yield from links_from(schema, name, subject, value)
    for cls in follows.subject:
        yield Key(cls, True), subject
    for cls in follows.object if _is_iri(value) else ():
        yield Key(cls, True), value


def _is_iri(term: bytes) -> bool:
    return term[:1] == b"<" and term[:2] != b"<<"


def _told_classes(schema: Schema) -> set[str]:
    found = {name for above in schema.above.values() for name in above} | set(schema.above)
    for follows in schema.properties.values():
        found |= follows.subject | follows.object
    return found
