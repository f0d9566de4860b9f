"""Counts and lists of the things that a load adds, changes, keeps and removes."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

import pyoxigraph
from pyoxigraph import RdfFormat

from kg.load.model import Conflict, Thing
from kg.terms import ONTOLOGY, compact, term

_TYPE: Final = f" {term('rdf:type')} ".encode()
_LABEL: Final = f" {term('rdfs:label')} ".encode()
_OBJECT: Final = re.compile(rb"<([^>]*)> \.\n")
KINDS: Final = {"Event": "event", "Claim": "claim", "CodingRecord": "record"}
# Properties compared between two descriptions of an event.
WATCHED: Final = {
    "dg:time": "date",
    "dg:eventType": "type",
    "dg:actor": "actor",
    "dg:recipient": "recipient",
    "dg:codedActor": "actor",
    "dg:codedRecipient": "recipient",
}
_WATCHED: Final = {str(term(curie)).encode(): name for curie, name in WATCHED.items()}
AGENTS: Final = frozenset(
    ONTOLOGY + name
    for name in (
        "Agent", "Country", "Organization", "Government", "Administration", "Agency", "Person", "Official",
        "InternationalOrganization", "NewsOrganization", "PopulationGroup", "DiplomaticMission",
    )
)  # fmt: skip
SHOWN: Final = 200
_EVENTS: Final = 20_000
_AGENTS: Final = 2_000

Values = dict[str, frozenset[str]]
"""Compared values of an event, by the names in `WATCHED`."""


@dataclass
class Tally:
    """Counts and lists the things of a load; the lists are limited, the counts are not."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    things: list[Thing] = field(default_factory=list)
    thing_count: int = 0
    conflicts: list[Conflict] = field(default_factory=list)
    conflict_count: int = 0
    events: dict[str, Values] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    agents: dict[str, str] = field(default_factory=dict)
    agent_count: int = 0
    added: int = 0
    removed: int = 0
    _listed: Counter[tuple[str, str]] = field(default_factory=Counter)

    def compare(self, subject: bytes, before: list[bytes], after: list[bytes]) -> None:
        """Count a thing with its sorted lines before and after."""
        fate = "new" if not before else "gone" if not after else "unchanged" if before == after else "changed"
        if fate != "unchanged":
            was, will = set(before), set(after)
            self.added += len(will - was)
            self.removed += len(was - will)
        classes = types_of(after or before)
        self.count(classes, fate)
        iri = subject[1:-1].decode()
        if kind := next(filter(None, (KINDS.get(name.removeprefix(ONTOLOGY)) for name in classes)), None):
            self.show(iri, kind, fate, after or before)
            self._watch(iri, before, after)
        if fate == "new" and not AGENTS.isdisjoint(classes):
            self.agent(iri, after)

    def count(self, classes: Iterable[str], fate: str, number: int = 1) -> None:
        """Count things of some classes."""
        for name in classes or ("",):
            self.counts[name][fate] += number

    def show(self, iri: str, kind: str, fate: str, lines: list[bytes] | bytes) -> None:
        """List a changed event, claim or record, up to 200 of each kind and fate."""
        if fate == "unchanged":
            return
        self.thing_count += 1
        self._listed[kind, fate] += 1
        if self._listed[kind, fate] <= SHOWN:
            listed = lines.splitlines(keepends=True) if isinstance(lines, bytes) else lines
            self.things.append(Thing(iri, label_of(listed) or compact(iri), kind, fate))

    def show_rows(self, rows: list[tuple[str, bytes]], number: int) -> None:
        """List the first of `number` new records by their IRIs and the lines of their labels."""
        for iri, line in rows[:SHOWN]:
            self.show(iri, "record", "new", [line])
        self.thing_count += number - len(rows[:SHOWN])

    def agent(self, iri: str, lines: list[bytes]) -> None:
        """Count and list an actor that the file describes."""
        self.agent_count += 1
        if len(self.agents) < _AGENTS:
            self.agents[iri] = label_of(lines) or compact(iri)

    def _watch(self, iri: str, before: list[bytes], after: list[bytes]) -> None:
        if not after:
            return
        here = watched_values(after)
        if before and before != after:
            self.conflict(iri, label_of(after), here, watched_values(before), "before")
        if here and len(self.events) < _EVENTS:
            self.events[iri] = here
            self.labels[iri] = label_of(after)

    def conflict(self, iri: str, label: str, here: Values, there: Values, where: str) -> None:
        """List values of two descriptions that conflict: neither contains the other, a month its days."""
        for what in here.keys() & there.keys():
            one, other = here[what], there[what]
            if not _contains(one, other) and not _contains(other, one):
                self.conflict_count += 1
                if len(self.conflicts) < SHOWN:
                    ours, theirs = (tuple(sorted(map(compact, values))) for values in (one, other))
                    self.conflicts.append(Conflict(iri, label or compact(iri), what, ours, theirs, where))


def _contains(some: frozenset[str], others: frozenset[str]) -> bool:
    """Return whether each of the other values is among some, or is a day or month of one (…/time/2018-06)."""
    return all(other in some or any(other.startswith(f"{one}-") for one in some) for other in others)


def types_of(lines: Iterable[bytes]) -> tuple[str, ...]:
    """Return the classes in a thing's lines."""
    found = (_OBJECT.search(line) for line in lines if _TYPE in line)
    return tuple(match.group(1).decode() for match in found if match)


def watched_values(lines: Iterable[bytes]) -> Values:
    """Return date, type and actors in a thing's lines."""
    found: dict[str, set[str]] = defaultdict(set)
    for line in lines:
        parts = line.split(b" ", 2)
        name = _WATCHED.get(parts[1])
        if name is not None and parts[2].startswith(b"<"):
            found[name].add(parts[2][1 : parts[2].index(b">")].decode())
    return {name: frozenset(values) for name, values in found.items()}


def label_of(lines: Iterable[bytes]) -> str:
    """Return the label in a thing's lines, preferably in English."""
    labels = [line for line in lines if _LABEL in line]
    for line in sorted(labels, key=lambda line: b"@en" not in line)[:1]:
        for quad in pyoxigraph.parse(line, format=RdfFormat.N_QUADS):
            return str(getattr(quad.object, "value", ""))[:300]
    return ""
