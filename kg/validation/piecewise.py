"""Validation of a file of any size: some subjects at a time, with what is known around them."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat, Triple

from kg.rdf.sorted_lines import SortedLines, Watch, read_lines, side_by_side
from kg.store import Store, Term
from kg.terms import ID, term
from kg.validation.alike import Alike, likeness
from kg.validation.findings import Finding
from kg.validation.graph_check import check_graph, shared_validator
from kg.validation.known_terms import TYPE, concept_statements
from kg.validation.rdf_rules import batches
from kg.validation.shacl import ShapesValidator, read_shapes

SUBJECTS: Final = 250
"""Subjects that are checked together. More save no time and take more memory: 0.3 MB each."""
LISTED: Final = 1_000
"""Violations that are listed, and other findings that are listed; all are counted."""

_LINES: Final = 50_000
_REMEMBERED: Final = 200_000
_UNDESCRIBED: Final = 200
_LABEL: Final = term("rdfs:label")


@dataclass
class FileFindings:
    """Findings about a file, listed up to a limit and counted.

    `undescribed` are IRIs of the `id:` namespace that neither the file nor the store describes.
    """

    findings: list[Finding] = field(default_factory=list)
    violations: int = 0
    others: int = 0
    undescribed: dict[str, None] = field(default_factory=dict)

    def add(self, finding: Finding) -> None:
        """Count a finding, and list it below the limit."""
        violation = finding.severity == "violation"
        self.violations += violation
        self.others += not violation
        if (self.violations if violation else self.others) <= LISTED:
            self.findings.append(finding)


@dataclass
class PiecewiseValidation:
    """Checks a sorted file of N-Triples piece by piece, each subject whole.

    `inverse` is a sorted file of the statements with a property that shapes follow backwards, subject and
    object exchanged; `subclasses` are its rdfs:subClassOf statements. `graph` is the graph that the file
    replaces: its content in the store does not count.
    """

    store: Store
    path: Path
    inverse: Path
    graph: NamedNode
    subclasses: Iterable[Triple] = ()

    def __post_init__(self) -> None:
        added = tuple(self.subclasses)
        self._validator = ShapesValidator(added) if added else shared_validator()
        self._file = SortedLines(self.path)
        self._types: dict[NamedNode, tuple[Triple, ...]] = {}
        self._kinds: dict[NamedNode, frozenset[Hashable]] = {}
        self._bare: set[NamedNode] = set()
        self._alike = Alike()
        self._found: set[str] = set()

    def check(self, *, subjects: int = SUBJECTS, watch: Watch | None = None) -> FileFindings:
        """Check the whole file; `watch` is called with the number of lines done. Raises StoreFailedError."""
        result = FileFindings()
        done = 0
        try:
            for lines, turned in _pieces(self.path, self.inverse, subjects):
                if watch:
                    watch(done)
                done += len(lines)
                pointing = [Triple(o, p, s) for s, p, o in _parse(turned) if isinstance(o, NamedNode)]
                self._check(list(_parse(lines)), pointing, result)
        finally:
            self._file.close()
        return result

    def _check(self, own: list[Triple], pointing: list[Triple], result: FileFindings) -> None:
        subjects = {t.subject for t in own if isinstance(t.subject, NamedNode)}
        referenced = {t.object for t in own if isinstance(t.object, NamedNode)}
        around = [*pointing, *self._in_other_graphs(subjects)]
        referenced.update(n for t in around for n in (t.subject, t.object) if isinstance(n, NamedNode))
        concepts = concept_statements()
        around += (t for node in subjects for t in concepts.get(node, ()))
        around += self._types_of(own, subjects, referenced)
        # SPARQL constraints also read statements of the file beyond the subjects of this piece.
        read = read_shapes().query_properties
        values = {t.object for t in own if t.predicate in read and isinstance(t.object, NamedNode)} - subjects
        around += self._statements(f"{x} {name} " for x in values for name in read)
        for some in self._told_apart(own, around, subjects):
            # Shapes may report one thing twice.
            for finding in dict.fromkeys(check_graph(self._validator, *_about(some, own, around))):
                result.add(finding)
                self._found.add(finding.node)
        self._note_undescribed(referenced, result)

    def _told_apart(
        self, own: list[Triple], around: list[Triple], subjects: set[NamedNode]
    ) -> Iterator[set[NamedNode]]:
        """Yield the things to validate: one of those that are alike, and the others if it has a finding."""
        stated: dict[NamedNode, list[Triple]] = {node: [] for node in subjects}
        pointing: dict[NamedNode, list[Triple]] = {node: [] for node in subjects}
        for triple in own:
            if isinstance(triple.subject, NamedNode):
                stated[triple.subject].append(triple)
        for triple in around:
            if isinstance(triple.object, NamedNode) and triple.object in pointing:
                pointing[triple.object].append(triple)
        alike: dict[Hashable, list[NamedNode]] = {}
        for node in subjects:
            key = likeness(node, stated[node], pointing[node], self._kinds)
            if key is None or not self._alike.is_sound(key):
                alike.setdefault(node if key is None else key, []).append(node)
        self._found.clear()
        if alike:
            yield {nodes[0] for nodes in alike.values()}
        for key, nodes in alike.items():
            if nodes[0].value not in self._found and key != nodes[0]:
                self._alike.add(key)
        if rest := {n for nodes in alike.values() if nodes[0].value in self._found for n in nodes[1:]}:
            yield rest

    def _in_other_graphs(self, subjects: set[NamedNode]) -> Iterator[Triple]:
        """Yield statements of other graphs about things of the file that shapes follow backwards."""
        names = sorted(map(str, read_shapes().inverse_properties))
        backwards = " UNION ".join(f"{{ GRAPH ?g {{ ?y {name} ?x }} BIND({name} AS ?p) }}" for name in names)
        yield from self._construct("?y ?p ?x", subjects, backwards)
        forwards = f"GRAPH ?g {{ ?x ?p ?y }} FILTER(?p IN ({', '.join(names)}))"
        for triple in self._construct("?x ?p ?y", subjects, forwards):
            if isinstance(triple.object, NamedNode) and self._file.starting(f"{triple.object} ".encode()):
                yield triple

    def _types_of(
        self, own: list[Triple], subjects: set[NamedNode], referenced: set[NamedNode]
    ) -> Iterator[Triple]:
        """Yield the types that the file, other graphs and the ontology state of some things."""
        nodes = subjects | referenced
        new = [node for node in nodes if node not in self._types]
        if len(self._types) + len(new) > _REMEMBERED:
            self._types.clear()
            self._kinds.clear()
            self._bare.clear()
            new = list(nodes)
        found: dict[NamedNode, list[Triple]] = {node: [] for node in new}
        stated = [t for t in own if t.predicate == TYPE]
        stated += self._statements(f"{node} {TYPE} " for node in new if node not in subjects)
        stated += self._construct(f"?x {TYPE} ?y", new, f"GRAPH ?g {{ ?x {TYPE} ?y }}")
        for triple in stated:
            if isinstance(triple.subject, NamedNode) and triple.subject in found:
                found[triple.subject].append(triple)
        concepts = concept_statements()
        for node, triples in found.items():
            triples += (t for t in concepts.get(node, ()) if t.predicate == TYPE)
            self._types[node] = tuple(triples)
            self._kinds[node] = frozenset(t.object for t in triples)
        for node in nodes:
            yield from self._types[node]

    def _statements(self, beginnings: Iterable[str]) -> Iterator[Triple]:
        """Yield the statements of the file whose lines begin so."""
        return _parse(line for beginning in beginnings for line in self._file.starting(beginning.encode()))

    def _construct(self, template: str, nodes: Iterable[NamedNode], pattern: str) -> Iterator[Triple]:
        """Query the graphs beside the one replaced, with some nodes as ?x."""
        for some in batches(nodes):
            # A second VALUES block would make the engine read everything.
            where = f"VALUES ?x {{ {some} }} {pattern} FILTER(?g != {self.graph})"
            yield from self.store.query(f"CONSTRUCT {{ {template} }} WHERE {{ {where} }}").triples()

    def _note_undescribed(self, referenced: set[NamedNode], result: FileFindings) -> None:
        """Note the `id:` IRIs without type and label: most are misspelled."""
        untyped = (n for n in referenced - self._bare if n.value.startswith(ID) and not self._types[n])
        bare = [n for n in untyped if not self._file.starting(f"{n} {_LABEL} ".encode())]
        self._bare.update(bare)
        known: set[Term] = set()
        for some in batches(bare):
            query = f"SELECT DISTINCT ?x {{ VALUES ?x {{ {some} }} ?x {TYPE}|{_LABEL} ?y }}"
            known.update(row["x"] for row in self.store.query(query).rows())
        for node in bare:
            if node not in known and len(result.undescribed) < _UNDESCRIBED:
                result.undescribed[node.value] = None


def _about(
    nodes: set[NamedNode], own: list[Triple], around: list[Triple]
) -> tuple[list[Triple], list[Triple]]:
    """Return the statements about some things, and those around them."""
    theirs = [triple for triple in own if triple.subject in nodes]
    near = nodes.union(t.object for t in theirs if isinstance(t.object, NamedNode))
    near.update(t.subject for t in around if t.object in nodes and isinstance(t.subject, NamedNode))
    # The value of a property that queries read may have such properties, too.
    near.update(t.object for t in around if t.subject in near and isinstance(t.object, NamedNode))
    return theirs, [t for t in around if t.subject in near]


def _pieces(path: Path, inverse: Path, subjects: int) -> Iterator[tuple[list[bytes], list[bytes]]]:
    """Yield the lines of some subjects at a time, each subject whole, and those of the inverse file."""
    piece: list[bytes] = []
    turned: list[bytes] = []
    count = 0
    for _, backwards, lines in side_by_side(read_lines(inverse), read_lines(path)):
        if lines:
            piece += lines
            turned += backwards
            count += 1
        if count >= subjects or len(piece) >= _LINES:
            yield piece, turned
            piece, turned, count = [], [], 0
    if piece:
        yield piece, turned


def _parse(lines: Iterable[bytes]) -> Iterator[Triple]:
    text = b"".join(lines)
    return (quad.triple for quad in pyoxigraph.parse(text, format=RdfFormat.N_TRIPLES))
