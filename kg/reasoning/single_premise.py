"""Entailments with one premise, computed from the N-Triples of a change.

Most statements entail what the next one entails too, or what is asserted beside it: that a record with a
number is a record. The statements of a subject are therefore taken together, and the values of a property
each once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from kg.changes import Batch, Statements
from kg.reasoning.schema import NONE, Schema
from kg.reasoning.statement_keys import TYPE_TOKEN, Fact, Key, Members, iri, is_iri

# Entries that are held at once; a larger change is followed in parts, so that memory is bounded.
_PART: Final = 400_000


@dataclass
class ChangePart:
    """The statements of a part of a change that matter to entailments, and what each entails alone.

    `candidates` are the entailments, without most of those that the part asserts itself. `entailable` are the
    statements that others may entail. `joining` are those with properties that need several premises.
    """

    candidates: dict[Key, Members] = field(default_factory=lambda: defaultdict(set))
    entailable: dict[Key, Members] = field(default_factory=lambda: defaultdict(set))
    joining: set[Fact] = field(default_factory=set)
    last: bool = False

    @property
    def keys(self) -> list[Key]:
        """Keys of the candidates and of the entailable statements."""
        return sorted({*self.candidates, *self.entailable})


def parts_of(batches: Statements, schema: Schema) -> Iterator[ChangePart]:
    """Read a change in parts; the last one is marked, and may be empty."""
    reader = _PartReader(schema)
    for batch in batches:
        reader.read(batch)
        if reader.size >= _PART:
            yield reader.result()
            reader = _PartReader(schema)
    part = reader.result()
    part.last = True
    yield part


class _Property(NamedTuple):
    """What is collected of the statements with one property.

    `entailed` are the bits of the classes of the subject; `values` and `pairs` are None if not needed.
    """

    entailed: int
    values: set[bytes] | None
    pairs: list[tuple[bytes, bytes]] | None


class _Class(NamedTuple):
    """What is collected of the statements with one class: its bit, those of wider classes, and its things."""

    name: str
    bit: int
    entailed: int
    things: list[bytes] | None


class _PartReader:
    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        of_ends = (found.subject | found.object for found in schema.properties.values())
        classes = set(schema.above).union(*schema.above.values(), *of_ends)
        # One bit for each class that may be entailed.
        self._bits = {name: 1 << number for number, name in enumerate(sorted(classes))}
        names = schema.concluded.union(schema.properties, schema.joining)
        self._names = {iri(name): name for name in names}
        self._properties = {predicate: self._property(name) for predicate, name in self._names.items()}
        self._classes: dict[bytes, _Class] = {}
        self._part = ChangePart()
        # Values keep the ends of their lines: most of them are equal, and few are looked at.
        self._end = 0
        self._sets_by_bits: dict[int, list[set[bytes]]] = {}
        # The statements of a subject are next to each other, mostly in one batch: the classes that they
        # entail and those that they assert are collected as bits.
        self._subject, self._entailed, self._asserted = b"", 0, 0

    def read(self, batch: Batch) -> None:
        """Read some statements. Each step of this loop runs a million times."""
        properties, classes, self._end = self._properties, self._classes, batch.end
        last, entailed, asserted = self._subject, self._entailed, self._asserted
        for line in batch.lines:
            subject, predicate, value = line.split(b" ", 2)
            if subject != last:
                if entailed & ~asserted:
                    self._add(last, entailed & ~asserted)
                last, entailed, asserted = subject, 0, 0
            if predicate == TYPE_TOKEN:
                _, bit, wider, things = classes.get(value) or self._class(value)
                asserted |= bit
                entailed |= wider
                if things is not None:
                    things.append(subject)
                continue
            found = properties.get(predicate)
            if found is None:
                continue
            of_subject, values, pairs = found
            entailed |= of_subject
            if values is not None:
                values.add(value)
            if pairs is not None:
                pairs.append((subject, value))
        self._subject, self._entailed, self._asserted = last, entailed, asserted

    @property
    def size(self) -> int:
        """Number of entries held."""
        held = sum(len(found.values or ()) + len(found.pairs or ()) for found in self._properties.values())
        held += sum(len(kind.things or ()) for kind in self._classes.values())
        return held + sum(map(len, self._part.candidates.values()))

    def result(self) -> ChangePart:
        """Return the part of the change that was read."""
        self._add(self._subject, self._entailed & ~self._asserted)
        part, properties = self._part, self._schema.properties
        for kind in self._classes.values():
            if kind.things:
                part.entailable[Key(kind.name, True)].update(filter(is_iri, kind.things))
        for predicate, found in self._properties.items():
            name = self._names[predicate]
            if found.values:
                values = {value[: -self._end] for value in found.values if is_iri(value)}
                for cls in properties.get(name, NONE).object if values else ():
                    part.candidates[Key(cls, True)] |= values
            for subject, value in found.pairs or ():
                self._add_link(name, (subject, predicate, value[: -self._end]))
        return part

    def _property(self, name: str) -> _Property:
        entailed, schema = self._schema.properties.get(name, NONE), self._schema
        pairs = entailed.forward or entailed.backward or name in schema.joining or name in schema.concluded
        bits = sum(self._bits[cls] for cls in entailed.subject)
        return _Property(bits, set() if entailed.object else None, [] if pairs else None)

    def _class(self, value: bytes) -> _Class:
        cls = value[: -self._end]
        name = cls[1:-1].decode() if is_iri(cls) else ""
        wider = sum(self._bits[cls] for cls in self._schema.above.get(name, ()))
        found = _Class(name, self._bits.get(name, 0), wider, [] if name in self._schema.concluded else None)
        self._classes[value] = found
        return found

    def _add(self, subject: bytes, bits: int) -> None:
        """Add a subject to the candidates of the classes of some bits."""
        if bits and is_iri(subject):
            if bits not in self._sets_by_bits:
                self._sets_by_bits[bits] = [
                    self._part.candidates[Key(name, True)] for name, bit in self._bits.items() if bit & bits
                ]
            for things in self._sets_by_bits[bits]:
                things.add(subject)

    def _add_link(self, name: str, fact: Fact) -> None:
        subject, _, value = fact
        if not is_iri(subject) or value.startswith(b"_:"):
            return
        if name in self._schema.joining:
            self._part.joining.add(fact)
        if name in self._schema.concluded:
            self._part.entailable[Key(name)].add(b"%b %b" % (subject, value))
        for key, member in _entailed_links(self._schema, name, subject, value):
            self._part.candidates[key].add(member)


def _entailed_links(schema: Schema, name: str, subject: bytes, value: bytes) -> Iterator[tuple[Key, bytes]]:
    entailed = schema.properties.get(name, NONE)
    for other in entailed.forward:
        yield Key(other), b"%b %b" % (subject, value)
    if is_iri(value):
        for other in entailed.backward:
            yield Key(other), b"%b %b" % (value, subject)


def consequences(schema: Schema, fact: Fact) -> Iterator[tuple[Key, bytes]]:
    """Yield all that one statement with a property entails alone."""
    subject, predicate, value = fact
    name = predicate[1:-1].decode()
    entailed = schema.properties.get(name, NONE)
    yield from _entailed_links(schema, name, subject, value)
    for cls in entailed.subject:
        yield Key(cls, True), subject
    for cls in entailed.object if is_iri(value) else ():
        yield Key(cls, True), value
