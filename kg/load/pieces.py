"""A file of any size held against the shapes: some subjects at once, with what is known around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.load.model import Progress, silent
from kg.rdf.literals import literal_fault
from kg.rdf.sorted_lines import SortedLines, by_subject, read_lines
from kg.store import Store
from kg.terms import ID, compact, term
from kg.validation import Checker, Classes, Facts, Finding
from kg.validation.facts import concepts
from kg.validation.tokens import TYPE, is_iri, is_typed, split, text_of

SUBJECTS: Final = 1_000
"""How many subjects are looked at together."""
LISTED: Final = 1_000
"""How many violations are listed, and how many other findings; all are counted."""

_LINES: Final = 50_000
_BATCH: Final = 500
_KNOWN: Final = 200_000
_UNKNOWN: Final = 200
_LABEL: Final = str(term("rdfs:label")).encode()
_OURS: Final = b"<" + ID.encode()


@dataclass
class Checked:
    """What is said of a file: findings up to a limit, the number of all, and names that nobody describes."""

    findings: list[Finding] = field(default_factory=list)
    violations: int = 0
    others: int = 0
    unknown: dict[str, None] = field(default_factory=dict)

    def take(self, finding: Finding) -> None:
        """Count a finding, and list it while there is room."""
        if finding.severity == "violation":
            self.violations += 1
            listed = self.violations
        else:
            self.others += 1
            listed = self.others
        if listed <= LISTED:
            self.findings.append(finding)


class Pieces:
    """Checks a sorted file of N-Triples piece by piece, each subject whole.

    `incoming` are the statements of the file that are followed backwards, turned round and sorted; `added`
    are the classes that the file puts below others. `graph` is what the file replaces: it is not looked at.
    """

    def __init__(
        self,
        store: Store,
        path: Path,
        incoming: Path,
        graph: NamedNode,
        added: Mapping[bytes, Iterable[bytes]] | None = None,
        checker: Checker | None = None,
    ) -> None:
        self._store = store
        self._path = path
        self._incoming = incoming
        self._graph = graph
        self._checker = checker or Checker()
        self._classes = Classes(added)
        self._lookup = SortedLines(path)
        self._kinds: dict[bytes, frozenset[bytes]] = {}
        self._bare: set[bytes] = set()

    def check(
        self, *, subjects: int = SUBJECTS, total: int | None = None, progress: Progress = silent
    ) -> Checked:
        """Check all of it. Raises StoreFailedError."""
        checked = Checked()
        pointing = _Pointing(self._incoming)
        done = 0
        try:
            for lines in _some(self._path, subjects):
                progress("checking", done, total)
                done += sum(map(len, lines.values()))
                self._piece(lines, pointing, checked)
        finally:
            self._lookup.close()
            pointing.close()
        return checked

    def _piece(self, lines: dict[bytes, list[bytes]], pointing: _Pointing, checked: Checked) -> None:
        facts = Facts(self._classes)
        for some in lines.values():
            facts.add(some)
        spoken_of = _values(facts, lines)
        for node in lines:
            for predicate, subject in pointing.at(node):
                facts.point(node, predicate, subject)
                spoken_of[subject] = None
        self._add_known(facts, lines, spoken_of)
        self._classify(facts, dict.fromkeys((*lines, *spoken_of)))
        self._add_asked(facts, lines)
        told: set[tuple[str, str | None]] = set()
        # A shape may say one thing twice; nodes of other pieces say other things.
        for finding in dict.fromkeys(self._checker.findings(facts, lines)):
            if finding.severity == "violation":
                told.add((finding.node, finding.path))
            checked.take(finding)
        for finding in _literal_faults(lines):
            if (finding.node, finding.path) not in told:
                checked.take(finding)
        self._note_unknown(facts, spoken_of, checked)

    def _add_known(self, facts: Facts, lines: dict[bytes, list[bytes]], spoken_of: dict[bytes, None]) -> None:
        """Add what other graphs say of these things that a shape follows, and the labels of concepts."""
        backwards = [name.decode() for name in sorted(self._checker.backwards)]
        into = " UNION ".join(f"{{ GRAPH ?g {{ ?y {name} ?x }} BIND({name} AS ?p) }}" for name in backwards)
        for x, p, y in self._ask(lines, into):
            facts.point(x, p, y)
            spoken_of[y] = None
        for x, p, y in self._ask(lines, f"GRAPH ?g {{ ?x ?p ?y }} FILTER(?p IN ({', '.join(backwards)}))"):
            if is_iri(y) and self._lookup.starting(y + b" "):
                facts.add_known(x, p, y)
                spoken_of[y] = None
        for node in lines:
            for predicate, values in concepts().get(node, {}).items():
                for value in values:
                    facts.add_known(node, predicate, value)

    def _classify(self, facts: Facts, nodes: dict[bytes, None]) -> None:
        new = sorted(node for node in nodes if node not in self._kinds)
        if len(self._kinds) + len(new) > _KNOWN:
            self._kinds.clear()
            self._bare.clear()
            new = sorted(nodes)
        stated: dict[bytes, list[bytes]] = {}
        for x, _, y in self._ask(new, f"GRAPH ?g {{ ?x {TYPE.decode()} ?y }} BIND({TYPE.decode()} AS ?p)"):
            stated.setdefault(x, []).append(y)
        for node in new:
            own = facts.out.get(node)
            if own is None:
                types = [split(line)[2] for line in self._lookup.starting(node + b" " + TYPE + b" ")]
            else:
                types = own.get(TYPE, [])
            facts.classify(node, (*types, *stated.get(node, ())))
            self._kinds[node] = facts.kinds[node]
        for node in nodes:
            facts.kinds[node] = self._kinds[node]

    def _add_asked(self, facts: Facts, lines: dict[bytes, list[bytes]]) -> None:
        """Add what queries of shapes need to know of the values of these things."""
        further: list[bytes] = []
        for node in lines:
            wanted = self._checker.queried(facts, node)
            for predicate in wanted:
                for value in facts.values(node, predicate):
                    if is_iri(value) and value not in lines:
                        for one in wanted:
                            further += self._lookup.starting(value + b" " + one + b" ")
        facts.add(dict.fromkeys(further))

    def _ask(self, nodes: Iterable[bytes], pattern: str) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Ask other graphs for ?x ?p ?y, with some nodes as ?x."""
        names = [node.decode() for node in nodes if is_iri(node)]
        for start in range(0, len(names), _BATCH):
            # A second VALUES block would have the engine read everything.
            some = " ".join(names[start : start + _BATCH])
            rows = self._store.query(
                f"SELECT DISTINCT ?x ?p ?y {{ VALUES ?x {{ {some} }} {pattern} FILTER(?g != {self._graph}) }}"
            ).rows()
            for row in rows:
                x, p, y = (str(row[name]).encode() for name in ("x", "p", "y"))
                yield x, p, y

    def _note_unknown(self, facts: Facts, spoken_of: dict[bytes, None], checked: Checked) -> None:
        """Note the IRIs of ours that are spoken of and nowhere described: often a slip of the pen."""
        bare = [
            node
            for node in spoken_of
            if node.startswith(_OURS)
            and not facts.kinds_of(node)
            and node not in self._bare
            and not self._lookup.starting(node + b" " + _LABEL + b" ")
        ]
        self._bare.update(bare)
        for start in range(0, len(bare), _BATCH):
            some = " ".join(node.decode() for node in bare[start : start + _BATCH])
            rows = self._store.query(
                f"SELECT DISTINCT ?x {{ VALUES ?x {{ {some} }} ?x {TYPE.decode()}|{_LABEL.decode()} ?y }}"
            ).rows()
            known = {str(row["x"]).encode() for row in rows}
            for node in bare[start : start + _BATCH]:
                if node not in known and len(checked.unknown) < _UNKNOWN:
                    checked.unknown[text_of(node)] = None


class _Pointing:
    """Walks through sorted lines beside the subjects; gives what points at each."""

    def __init__(self, path: Path) -> None:
        self._lines = read_lines(path)
        self._groups = by_subject(self._lines)
        self._next = next(self._groups, None)

    def at(self, node: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give property and subject of what points at a node; nodes come in the order of the file."""
        while self._next is not None and self._next[0] + b" " < node + b" ":
            self._next = next(self._groups, None)
        if self._next is not None and self._next[0] == node:
            for line in self._next[1]:
                _, predicate, subject = split(line)
                yield predicate, subject

    def close(self) -> None:
        """Let go of the file."""
        self._groups = iter(())
        self._lines = iter(())


def _some(path: Path, subjects: int) -> Iterator[dict[bytes, list[bytes]]]:
    """Give the lines of some subjects at once, each subject whole."""
    held: dict[bytes, list[bytes]] = {}
    size = 0
    for subject, lines in by_subject(read_lines(path)):
        held[subject] = lines
        size += len(lines)
        if len(held) >= subjects or size >= _LINES:
            yield held
            held, size = {}, 0
    if held:
        yield held


def _values(facts: Facts, nodes: Iterable[bytes]) -> dict[bytes, None]:
    return {
        value: None
        for node in nodes
        for values in facts.out.get(node, {}).values()
        for value in values
        if value[:1] == b"<"
    }


def _literal_faults(lines: dict[bytes, list[bytes]]) -> Iterator[Finding]:
    for some in lines.values():
        for line in some:
            if line[-4:-3] == b">":
                subject, predicate, value = split(line)
                fault = _fault(value) if is_typed(value) else None
                if fault:
                    path = compact(text_of(predicate))
                    yield Finding("violation", text_of(subject), path, value.decode(), "Literals", fault)


@lru_cache(maxsize=50_000)
def _fault(token: bytes) -> str | None:
    for quad in pyoxigraph.parse(b"<a:a> <a:a> " + token + b" .", format=RdfFormat.N_TRIPLES):
        if isinstance(quad.object, pyoxigraph.Literal):
            return literal_fault(quad.object)
    return None
