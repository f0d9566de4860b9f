"""RDF from outside on its way to a preview: read, named, checked by the shapes, written down in order."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

import pyoxigraph
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple

from kg.errors import TooLargeError, UnsupportedFormatError, ValidationFailedError
from kg.load.model import Progress, silent
from kg.load.table_reading import unpacked
from kg.rdf.blank_nodes import skolemise
from kg.rdf.parsing import RdfReading, open_rdf
from kg.rdf.sorted_lines import Watch, read_lines, sort_lines
from kg.store import Store
from kg.validation import SEVERITIES, Finding
from kg.validation.known_terms import SUBCLASS
from kg.validation.piecewise import LISTED, FileFindings, PiecewiseValidation
from kg.validation.rdf_rules import Rewriting, target_graph
from kg.validation.shacl import read_shapes

BLANK_STATEMENTS: Final = 1_000_000
"""How many statements about blank nodes a file may hold: they are compared with one another in memory."""


@dataclass(frozen=True)
class RdfRead:
    """What a file of RDF came to: its sorted N-Triples, the graph they go into, and what is said of them."""

    path: Path
    graph: NamedNode
    findings: tuple[tuple[str, str], ...]
    checked: FileFindings
    notes: tuple[str, ...]

    @property
    def violations(self) -> tuple[str, ...]:
        """Give the texts of what keeps the file out; the last says how many more there are."""
        told = tuple(text for severity, text in self.findings if severity == "violation")
        return told + _rest(self.checked.violations)

    @property
    def others(self) -> tuple[str, ...]:
        """Give the texts of what lets it in all the same."""
        told = tuple(text for severity, text in self.findings if severity != "violation")
        return told + _rest(self.checked.others)

    def accept(self, name: str) -> None:
        """Raise ValidationFailedError where something keeps the file out."""
        number = self.checked.violations
        if number:
            raise ValidationFailedError(
                f"{number:,} {'finding' if number == 1 else 'findings'}; nothing was stored",
                findings=self.violations,
                where=name,
                mend="Correct the lines that the findings name, and load the file again.",
            )


def stage_rdf(
    store: Store,
    work: Path,
    path: Path,
    *,
    name: str,
    format: str | None,  # noqa: A002 - the word that every RDF library uses
    media_type: str | None = None,
    source: str | None = None,
    base_iri: str | None = None,
    progress: Progress = silent,
) -> RdfRead:
    """Read a file of RDF into `new.nt` of a folder and hold it against the shapes, in bounded memory.

    Raises as `staging.stage` does, but for violations, which `RdfRead.accept` raises.
    """
    if path.is_dir():
        raise UnsupportedFormatError(
            "it is a folder, and no table that is read from folders",
            where=name,
            mend="Name its files, or a format.",
        )
    new = work / "new.nt"
    with ExitStack() as stack:
        at = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix=".rdf-", dir=work)))
        plain, inner = unpacked(path, name, at, progress)
        reading = open_rdf(plain, name=inner, format=format, media_type=media_type, base_iri=base_iri)
        writing = _Writing(at, source, name)
        with writing:
            watch = _bytes(progress, "reading", reading.content.length)
            writing.write(reading, watch, _lines(progress, "naming blank nodes"))
        total, _ = sort_lines(read_lines(writing.raw), new, watch=_lines(progress, "sorting"))
        writing.raw.unlink()
        inverse = at / "inverse.nt"
        sort_lines(read_lines(writing.turned), inverse, watch=_lines(progress, "sorting"))
        validation = PiecewiseValidation(store, new, inverse, writing.graph, writing.subclasses)
        checked = validation.check(watch=_bytes(progress, "checking", total))
        told = _told(reading, checked.findings, _bytes(progress, "finding lines", reading.content.length))
    return RdfRead(new, writing.graph, told, checked, writing.rewriting.notes())


class _Writing:
    """Writes triples as they come, and apart those that shapes follow backwards."""

    def __init__(self, at: Path, source: str | None, name: str) -> None:
        self.raw = at / "raw.nt"
        self.turned = at / "turned.nt"
        self.rewriting = Rewriting()
        self.subclasses: list[Triple] = []
        self.graph = NamedNode("urn:x:none")
        self._source = source
        self._name = name
        self._inverse_properties = read_shapes().inverse_properties
        self._stack = ExitStack()

    def __enter__(self) -> _Writing:
        self._raw: BinaryIO = self._stack.enter_context(self.raw.open("wb"))
        self._turned: BinaryIO = self._stack.enter_context(self.turned.open("wb"))
        return self

    def __exit__(self, *problem: object) -> None:
        self._stack.close()

    def write(self, reading: RdfReading, watch: Watch, naming: Watch) -> None:
        """Write all of a file; blank nodes, whose names depend on one another, come last."""
        blank: dict[Triple, None] = {}
        self._put(self._without_blank(reading, blank, watch))
        self.graph = target_graph(reading.graph, self._source, self._name)
        self._put(iter(skolemise(blank, self.graph.value, naming)))

    def _without_blank(
        self, reading: RdfReading, blank: dict[Triple, None], watch: Watch
    ) -> Iterator[Triple]:
        for triple in reading.triples(watch):
            if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
                blank[triple] = None
                if len(blank) > BLANK_STATEMENTS:
                    raise TooLargeError(
                        f"it says more than {BLANK_STATEMENTS:,} things of blank nodes,"
                        " which have to be told apart in memory",
                        where=reading.name,
                        mend="Give the nodes IRIs, or split the file.",
                    )
            else:
                yield triple

    def _put(self, triples: Iterator[Triple]) -> None:
        pyoxigraph.serialize(self._noted(triples), self._raw, format=RdfFormat.N_TRIPLES)

    def _noted(self, triples: Iterator[Triple]) -> Iterator[Triple]:
        for triple in self.rewriting.stored(triples):
            if triple.predicate in self._inverse_properties and isinstance(triple.object, NamedNode):
                turned = f"{triple.object} {triple.predicate} {triple.subject} .\n"
                self._turned.write(turned.encode())
            elif triple.predicate == SUBCLASS:
                self.subclasses.append(triple)
            yield triple


def _told(reading: RdfReading, found: list[Finding], watch: Watch) -> tuple[tuple[str, str], ...]:
    """Write findings with the lines that they are about, violations first."""
    if not found:
        return ()
    ordered = sorted(found, key=_place)
    lines = reading.lines_of([(one.node, one.value) for one in ordered], watch)
    name = reading.name
    return tuple(
        (one.severity, f"{name}, line {line}: {one.text}" if line else f"{name}: {one.text}")
        for one, line in zip(ordered, lines, strict=True)
    )


def _place(one: Finding) -> tuple[int, bool, str, str, str]:
    # What the calendar says of literals comes after what the shapes say.
    last = one.shape == "Literals"
    return SEVERITIES.index(one.severity), last, one.node, one.path or "", one.message


def _rest(number: int) -> tuple[str, ...]:
    return (f"… and {number - LISTED:,} more",) if number > LISTED else ()


def _bytes(progress: Progress, phase: str, total: int) -> Watch:
    return lambda number: progress(phase, number, total)


def _lines(progress: Progress, phase: str) -> Watch:
    return lambda number: progress(phase, number)
