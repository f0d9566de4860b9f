"""Data of a preview, options of a load, and the interfaces for progress and followers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from kg.changes import Change
from kg.rdf.sorted_lines import Watch
from kg.readers.periods import DateOrder
from kg.readers.record import RowFault
from kg.store import Store

OnFault = Callable[[RowFault], None]
Records = Literal["both", "quads"]
"""How coding records are stored: as quads alone, or as quads and as a table beside them."""
_SUMMARY_NAMES: Final = {"file_name": "file", "byte_length": "bytes", "fault_count": "unreadable"}


@dataclass(frozen=True)
class LoadRequest:
    """A file or folder to load, and how to read it.

    `name` is for messages. `format` names a format of RDF or of a table; without it `media_type`, the name
    and the content decide. `source` names the graph, and `base_iri` resolves relative IRIs of RDF. Up to
    `max_errors` rows of a table may be unreadable; `mapping` is the file of an RML mapping for it. Cells of
    a table with a word of `missing` are empty; `date_order` is that of dates such as 1/2/2018. `records` says
    how coding records are stored.
    """

    path: Path
    name: str
    format: str | None = None
    source: str | None = None
    base_iri: str | None = None
    max_errors: int = 0
    mapping: Path | None = None
    media_type: str | None = None
    missing: tuple[str, ...] = ()
    date_order: DateOrder | None = None
    records: Records = "both"


class Follower(Protocol):
    """Something updated with the graph: the search index, the entailments."""

    def follow(self, store: Store, change: Change) -> None:
        """Apply a stored change; applying it twice has the same result."""


class Progress(Protocol):
    """Receives the progress of the work; may raise CancelledError to stop it."""

    def __call__(self, phase: str, done: int, total: int | None = None) -> None:
        """Take the name of the phase, how much of it is done, and the total if known."""


def silent(phase: str, done: int, total: int | None = None) -> None:
    """Ignore progress."""


def watching(progress: Progress, phase: str, total: int | None = None) -> Watch:
    """Return a function that reports a number done as progress of a phase."""
    return lambda number: progress(phase, number, total)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where needed."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def row_sum(read: int, stored: int, left_out: int) -> str:
    """Return how many rows of a table were read, stored and left out, as one sum."""
    return f"{counted(read, 'row')} read = {stored:,} stored + {left_out:,} left out"


@dataclass(frozen=True)
class TypeCount:
    """How many things of a class a load adds, changes, keeps and removes."""

    type: str
    label: str
    new: int
    changed: int
    unchanged: int
    gone: int


@dataclass(frozen=True)
class Thing:
    """One event, claim or coding record; `fate` is new, changed or gone."""

    iri: str
    label: str
    kind: str
    fate: str


@dataclass(frozen=True)
class Conflict:
    """An event described differently elsewhere or before: `where` is a graph, or "before"."""

    iri: str
    label: str
    what: str
    here: tuple[str, ...]
    there: tuple[str, ...]
    where: str

    @property
    def text(self) -> str:
        """The conflict in one line."""
        place = "until now" if self.where == "before" else f"in {self.where}"
        return f"{self.label}: {self.what} {', '.join(self.here)} here, {', '.join(self.there)} {place}"


@dataclass(frozen=True)
class Newcomer:
    """An actor in no other source; `suggestions` are actors with similar names, IRI and label."""

    iri: str
    label: str
    suggestions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Preview:
    """What a load would change. Lists are limited; the counts beside them are complete."""

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
    faults: tuple[str, ...] = ()
    fault_count: int = 0
    records: int = 0
    rows_read: int = 0
    rows_stored: int = 0
    rows_left_out: int = 0
    fingerprint: str = ""
    version: str = field(default="", compare=False)

    @property
    def unchanged(self) -> bool:
        """Whether the load changes nothing."""
        return not self.added and not self.removed

    @property
    def row_sum(self) -> str:
        """Rows read, stored and left out, as one sum."""
        return row_sum(self.rows_read, self.rows_stored, self.rows_left_out)

    def summary(self) -> dict[str, Any]:
        """Return it as JSON values."""
        values = asdict(self) | {"unchanged": self.unchanged}
        del values["fingerprint"], values["version"]
        values["conflicts"] = [{**asdict(conflict), "text": conflict.text} for conflict in self.conflicts]
        return {
            _SUMMARY_NAMES.get(name, name): list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    @classmethod
    def restored(cls, values: dict[str, Any]) -> Preview:
        """Rebuild a preview from the JSON values of its fields."""
        lists = {
            "counts": tuple(TypeCount(**one) for one in values["counts"]),
            "things": tuple(Thing(**one) for one in values["things"]),
            "conflicts": tuple(
                Conflict(**{**one, "here": tuple(one["here"]), "there": tuple(one["there"])})
                for one in values["conflicts"]
            ),
            "newcomers": tuple(
                Newcomer(one["iri"], one["label"], tuple(map(tuple, one["suggestions"])))
                for one in values["newcomers"]
            ),
            **{name: tuple(values[name]) for name in ("unknown", "duplicates", "findings", "notes")},
            # Loads of earlier versions have none.
            "faults": tuple(values.get("faults", ())),
        }
        return cls(**{**values, **lists})
