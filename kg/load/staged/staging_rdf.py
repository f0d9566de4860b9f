"""Staging an RDF file: its blank nodes get IRIs, it is checked by the shapes and sorted on disk."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import BinaryIO, Final

import pyoxigraph
from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple

from kg.errors import TooLargeError, UnsupportedFormatError, ValidationFailedError
from kg.load.model import LoadRequest, Progress, counted, silent, watching
from kg.rdf.blank_nodes import skolemise
from kg.rdf.line_numbers import find_lines
from kg.rdf.parsing import RdfReading, open_rdf
from kg.rdf.sorted_lines import Watch, read_lines, sort_lines
from kg.readers.archives import plain_name, the_one_part
from kg.store import Store
from kg.validation import SEVERITIES, Finding
from kg.validation.known_terms import SUBCLASS
from kg.validation.piecewise import LISTED, FileFindings, PiecewiseValidation
from kg.validation.rdf_rules import Rewriting, target_graph
from kg.validation.shacl import read_shapes

_CHUNK: Final = 1024 * 1024
# As escapes of N-Triples; a backslash before the escape's own is a character.
_CONTROL: Final = re.compile(
    rb"(?<!\\)(?:\\\\)*\\(?:[bf]|u00(?:0[0-8BCEF]|1[0-9A-F])|uFFF[EF])|\xef\xbf[\xbe\xbf]"
)
_PACKED_LIMIT: Final = 4 * 1024**3
BLANK_STATEMENTS: Final = 1_000_000
"""Most statements with blank nodes in one file; they are compared in memory."""


@dataclass(frozen=True)
class RdfRead:
    """A staged file that was checked: its sorted N-Triples, their graph, and the findings.

    `mend` is what to do about violations.
    """

    path: Path
    graph: NamedNode
    findings: tuple[tuple[str, str], ...]
    checked: FileFindings
    notes: tuple[str, ...] = ()
    mend: str = "Correct the lines in the findings and load the file again."

    @property
    def violations(self) -> tuple[str, ...]:
        """Texts of the violations, which prevent the load; the last may give the number of further ones."""
        return self._texts(True, self.checked.violations)

    @property
    def others(self) -> tuple[str, ...]:
        """Texts of the findings that do not prevent the load."""
        return self._texts(False, self.checked.others)

    def _texts(self, violations: bool, number: int) -> tuple[str, ...]:
        texts = [text for severity, text in self.findings if (severity == "violation") is violations]
        return (*texts, f"… and {number - LISTED:,} more") if number > LISTED else tuple(texts)

    def accept(self, name: str) -> None:
        """Raise ValidationFailedError if there are violations."""
        if self.checked.violations:
            raise ValidationFailedError(
                f"{counted(self.checked.violations, 'violation')}; nothing was stored",
                findings=self.violations,
                where=name,
                mend=self.mend,
            )


def stage_rdf(store: Store, work: Path, request: LoadRequest, progress: Progress = silent) -> RdfRead:
    """Read an RDF file into `new.nt` of a folder and check it by the shapes, in bounded memory.

    Raises as `staging.stage` does, except for violations, which `RdfRead.accept` raises.
    """
    name = request.name
    if request.path.is_dir():
        raise UnsupportedFormatError(
            "folders are read only as tables of events",
            where=name,
            mend="Load its files one by one, or name a format.",
        )
    new = work / "new.nt"
    with tempfile.TemporaryDirectory(prefix=".rdf-", dir=work) as folder:
        at = Path(folder)
        plain, inner = _unpacked(request.path, name, at, progress)
        wanted = target_graph(None, request.source, name) if request.source else None
        reading = open_rdf(plain, inner, request.format, request.media_type, request.base_iri, wanted)
        writing = _Writing(at, request.source, name)
        watch = watching(progress, "reading", reading.content.length)
        writing.write(reading, watch, watching(progress, "naming blank nodes"))
        total, _ = sort_lines(read_lines(writing.raw), new, watch=watching(progress, "sorting"))
        writing.raw.unlink()
        inverse = at / "inverse.nt"
        sort_lines(read_lines(writing.turned), inverse, watch=watching(progress, "sorting"))
        validation = PiecewiseValidation(store, new, inverse, writing.graph, writing.subclasses)
        checked = validation.check(watch=watching(progress, "checking", total))
        watch = watching(progress, "finding lines", reading.content.length)
        findings = _located(reading, checked.findings, watch)
    notes = (*writing.rewriting.notes(), *_control_characters(new))
    return RdfRead(new, writing.graph, findings, checked, notes)


def _control_characters(path: Path) -> Iterator[str]:
    """Yield a note if a file of N-Triples has characters that XML 1.0 cannot carry (section 2.2)."""
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as text:
        count = sum(1 for _ in _CONTROL.finditer(text))
    if count:
        what = counted(count, "control character")
        yield f"{what} in texts; they are stored, but results with them need another format than XML"


def _unpacked(path: Path, name: str, work: Path, progress: Progress) -> tuple[Path, str]:
    """Return the path and name of the only RDF file at a path, unpacked into a folder if it is compressed.

    Raises as `archives.parts` and its readers do, UnsupportedFormatError for several files.
    """
    if not name.lower().endswith((".gz", ".zip", ".zst", ".bz2", ".xz")):
        return path, name
    part = the_one_part(path, name, limit=_PACKED_LIMIT)
    target = work / "unpacked"
    with part.open() as stream, target.open("wb") as out:
        while piece := stream.read(_CHUNK):
            out.write(piece)
            progress("unpacking", out.tell())
    return target, plain_name(part)


class _Writing:
    """Writes triples as they are read, and separately those that shapes use in inverse direction."""

    def __init__(self, at: Path, source: str | None, name: str) -> None:
        self.raw = at / "raw.nt"
        self.turned = at / "turned.nt"
        self.rewriting = Rewriting()
        self.subclasses: list[Triple] = []
        self.graph = NamedNode("urn:x:none")
        self._source = source
        self._name = name
        self._inverse_properties = read_shapes().inverse_properties

    def write(self, reading: RdfReading, watch: Watch, naming: Watch) -> None:
        """Write a whole file; blank nodes come last, because their names depend on each other."""
        blank: dict[Triple, None] = {}
        with self.raw.open("wb") as raw, self.turned.open("wb") as turned:
            triples = self._without_blank(reading, blank, watch)
            pyoxigraph.serialize(self._noted(triples, turned), raw, format=RdfFormat.N_TRIPLES)
            self.graph = target_graph(reading.graph, self._source, self._name)
            named = skolemise(blank, self.graph.value, naming)
            pyoxigraph.serialize(self._noted(named, turned), raw, format=RdfFormat.N_TRIPLES)

    def _without_blank(
        self, reading: RdfReading, blank: dict[Triple, None], watch: Watch
    ) -> Iterator[Triple]:
        for triple in reading.triples(watch):
            if isinstance(triple.subject, BlankNode) or isinstance(triple.object, BlankNode):
                blank[triple] = None
                if len(blank) > BLANK_STATEMENTS:
                    raise TooLargeError(
                        f"the file has more than {BLANK_STATEMENTS:,} statements with blank nodes, which are"
                        " compared in memory",
                        where=reading.name,
                        mend="Use IRIs for the nodes, or split the file.",
                    )
            else:
                yield triple

    def _noted(self, triples: Iterable[Triple], turned: BinaryIO) -> Iterator[Triple]:
        for triple in self.rewriting.stored(triples):
            if triple.predicate in self._inverse_properties and isinstance(triple.object, NamedNode):
                turned.write(f"{triple.object} {triple.predicate} {triple.subject} .\n".encode())
            elif triple.predicate == SUBCLASS:
                self.subclasses.append(triple)
            yield triple


def _located(reading: RdfReading, found: list[Finding], watch: Watch) -> tuple[tuple[str, str], ...]:
    """Return findings as texts with file and line, violations first."""
    if not found:
        return ()
    ordered = sorted(found, key=_place)
    lines = find_lines(reading.content, reading.prefixes, [(one.node, one.value) for one in ordered], watch)
    name = reading.name
    return tuple(
        (one.severity, f"{name}, line {line}: {one.text}" if line else f"{name}: {one.text}")
        for one, line in zip(ordered, lines, strict=True)
    )


def _place(one: Finding) -> tuple[int, bool, str, str, str]:
    # Findings of literals come after those of the shapes.
    last = one.shape == "Literals"
    return SEVERITIES.index(one.severity), last, one.node, one.path or "", one.message
