"""What a preview says, and how work under way is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypedDict

from kg.actors import Resolver
from kg.changes import Change
from kg.readers.grouping import Grouping
from kg.readers.reading import Notes
from kg.readers.record import Record, RowFault
from kg.store import Store

OnFault = Callable[[RowFault], None]


class TableReader(Protocol):
    """Reads a table; `codes_records` tells that its rows are coding records, which can be grouped."""

    @property
    def codes_records(self) -> bool:
        """Tell whether the rows are coding records."""
        ...

    def read(
        self,
        path: Path,
        *,
        resolver: Resolver,
        on_fault: OnFault,
        name: str | None = None,
        notes: Notes | None = None,
        grouping: Grouping | None = None,
    ) -> Iterator[Record]:
        """Give the records row by row; a row that cannot be read goes to `on_fault` and gives none."""
        ...


FindReader = Callable[[Path, str | None, str], TableReader | None]
"""Finds the reader of a file by path, format and name; None for RDF."""


class Options(TypedDict, total=False):
    """What may be said of a file that is to be loaded; `staging.stage` has the defaults."""

    format: str | None
    media_type: str | None
    source: str | None
    base_iri: str | None
    max_errors: int
    find_reader: FindReader


class Follower(Protocol):
    """What is kept in step with the graph: the search index, the entailments."""

    def follow(self, store: Store, change: Change) -> None:
        """Take in what a commit or an undo changed, after it is stored; doing so twice does no harm."""
        ...


class Progress(Protocol):
    """Takes how far the work is; may raise CancelledError to end it."""

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Tell the phase in words and how much of it is done, of how much where that is known."""
        ...


def silent(phase: str, done: int, total: int | None = None) -> None:
    """Tell nobody."""


@dataclass(frozen=True)
class TypeCount:
    """How many things of a class a load makes, changes, leaves and takes away."""

    type: str
    label: str
    new: int
    changed: int
    unchanged: int
    gone: int


@dataclass(frozen=True)
class Thing:
    """One event, claim or coding record, and what the load does to it: new, changed or gone."""

    iri: str
    label: str
    kind: str
    fate: str


@dataclass(frozen=True)
class Conflict:
    """An event that is told otherwise elsewhere, or was before: `where` is a graph, or "before"."""

    iri: str
    label: str
    what: str
    here: tuple[str, ...]
    there: tuple[str, ...]
    where: str

    @property
    def text(self) -> str:
        """Give it as one line."""
        place = "until now" if self.where == "before" else f"in {self.where}"
        return f"{self.label}: {self.what} {', '.join(self.here)} here, {', '.join(self.there)} {place}"


@dataclass(frozen=True)
class Newcomer:
    """An actor that no other source knows: `suggestions` are known ones with like names, IRI and label."""

    iri: str
    label: str
    suggestions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a load would change. Lists are bounded; the counts beside them are whole."""

    graph: str
    file_name: str
    sha256: str
    byte_length: int
    added: int
    removed: int
    counts: tuple[TypeCount, ...] = ()
    things: tuple[Thing, ...] = ()
    thing_count: int = 0
    conflicts: tuple[Conflict, ...] = ()
    conflict_count: int = 0
    unknown: tuple[str, ...] = ()
    newcomers: tuple[Newcomer, ...] = ()
    newcomer_count: int = 0
    duplicates: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fault_count: int = 0
    records: int = 0
    fingerprint: str = ""
    version: str = field(default="", compare=False)

    @property
    def unchanged(self) -> bool:
        """Tell whether the graph holds exactly this already."""
        return not self.added and not self.removed

    def summary(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return {
            "graph": self.graph,
            "file": self.file_name,
            "sha256": self.sha256,
            "bytes": self.byte_length,
            "unchanged": self.unchanged,
            "added": self.added,
            "removed": self.removed,
            "counts": [asdict(count) for count in self.counts],
            "things": [asdict(thing) for thing in self.things],
            "thing_count": self.thing_count,
            "conflicts": [{**asdict(conflict), "text": conflict.text} for conflict in self.conflicts],
            "conflict_count": self.conflict_count,
            "unknown": list(self.unknown),
            "newcomers": [asdict(one) for one in self.newcomers],
            "newcomer_count": self.newcomer_count,
            "duplicates": list(self.duplicates),
            "findings": list(self.findings),
            "notes": list(self.notes),
            "unreadable": self.fault_count,
            "records": self.records,
        }

    def stored(self) -> dict[str, Any]:
        """Give all of it, to be kept on disk."""
        return asdict(self)

    @classmethod
    def restored(cls, said: dict[str, Any]) -> Preview:
        """Make it again from what `stored` gave."""

        def texts(values: Any) -> tuple[str, ...]:
            return tuple(str(value) for value in values)

        lists = {
            "counts": tuple(TypeCount(**one) for one in said["counts"]),
            "things": tuple(Thing(**one) for one in said["things"]),
            "conflicts": tuple(
                Conflict(**{**one, "here": texts(one["here"]), "there": texts(one["there"])})
                for one in said["conflicts"]
            ),
            "newcomers": tuple(
                Newcomer(one["iri"], one["label"], tuple((iri, label) for iri, label in one["suggestions"]))
                for one in said["newcomers"]
            ),
            **{name: texts(said[name]) for name in ("unknown", "duplicates", "findings", "notes")},
        }
        return cls(**{**said, **lists})
