"""Consistency and classification by HermiT, which owlready2 brings along and Java runs.

owlready2 keeps global state, prints, and sets no limit to HermiT's time; it therefore works in a process of
its own, `python -m kg.reasoning.hermit`, that reads N-Triples and writes JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations
from typing import Any, Final

from pyoxigraph import BlankNode, Literal, NamedNode, RdfFormat, Triple, parse, serialize

from kg.errors import ToolFailedError, ToolMissingError
from kg.terms import GENID, ONTOLOGY, compact, term

_INSTALL: Final = "Install a Java runtime, for example with: apt install default-jre-headless"


@dataclass(frozen=True)
class InferredType:
    """A class (IRI) that a thing (IRI) belongs to, and that nobody had said."""

    thing: str
    type: str


@dataclass(frozen=True)
class ConsistencyReport:
    """What HermiT made of a graph: IRIs of classes that can have no member, types it worked out, and reasons.

    `explanation` has a line for each contradiction that simple rules find; HermiT itself only says that there
    is one. It is empty for a consistent graph, and can be empty for an inconsistent one.
    """

    consistent: bool
    unsatisfiable: tuple[str, ...] = ()
    inferred_types: tuple[InferredType, ...] = ()
    explanation: tuple[str, ...] = ()


def check_consistency(graphs: Iterable[Triple], *, timeout: float = 300.0) -> ConsistencyReport:
    """Check triples, ontology and facts together, against OWL 2 DL; `timeout` in seconds.

    Raises ToolMissingError without Java, ToolFailedError when HermiT fails or is not done in time.
    """
    java = shutil.which("java")
    if java is None:
        raise ToolMissingError("HermiT needs Java, and no java was found on the PATH", mend=_INSTALL)
    triples = [_as_owl(triple) for triple in graphs if triple.predicate != _IMPORTS]
    answer = _run(serialize(triples, format=RdfFormat.N_TRIPLES) or b"", timeout)
    if "error" in answer:
        raise ToolFailedError(f"HermiT gave up: {answer['error']}", mend="See whether the graph is OWL 2 DL.")
    if not answer["consistent"]:
        return ConsistencyReport(consistent=False, explanation=tuple(sorted(set(_contradictions(triples)))))
    said = set(_types(triples))
    inferred = sorted(
        (thing, cls)
        for thing, classes in answer["types"].items()
        for cls in classes
        if (thing, cls) not in said
    )
    return ConsistencyReport(
        consistent=True,
        unsatisfiable=tuple(sorted(answer["unsatisfiable"])),
        inferred_types=tuple(InferredType(thing, cls) for thing, cls in inferred),
    )


_TYPE: Final = term("rdf:type")
_IMPORTS: Final = term("owl:imports")  # what is to be checked is given; nothing is fetched
_NOTHING: Final = "http://www.w3.org/2002/07/owl#Nothing"


def _types(triples: Iterable[Triple]) -> Iterator[tuple[str, str]]:
    for t in triples:
        if t.predicate == _TYPE and isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode):
            yield t.subject.value, t.object.value


def _as_owl(triple: Triple) -> Triple:
    """Turn skolem IRIs back to blank nodes: a class expression with an IRI is not OWL 2 DL."""
    return Triple(_as_blank(triple.subject), triple.predicate, _as_blank(triple.object))


def _as_blank(node: Any) -> Any:
    if isinstance(node, NamedNode) and node.value.startswith(GENID):
        return BlankNode("g" + "".join(c if c.isalnum() else "x" for c in node.value[len(GENID) :]))
    return node


def _run(data: bytes, timeout: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="diplograph-hermit-") as folder:
        environment = {**os.environ, "TMPDIR": folder, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # A session of its own, so that Java ends with its parent.
        with subprocess.Popen(
            [sys.executable, "-P", "-m", "kg.reasoning.hermit"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        ) as process:
            try:
                out, err = process.communicate(data, timeout)
            except BaseException as error:
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(error, subprocess.TimeoutExpired):
                    raise ToolFailedError(
                        f"HermiT was not done after {timeout:g} seconds",
                        mend="Check fewer graphs at once, or allow more time.",
                    ) from None
                raise
    if process.returncode != 0:
        lines = err.decode(errors="replace").strip().splitlines()
        raise ToolFailedError(f"the reasoner's process failed: {lines[-1] if lines else process.returncode}")
    answer: dict[str, Any] = json.loads(out)
    return answer


def _work() -> None:
    """Reason over the N-Triples on standard input; the process that `check_consistency` starts."""
    import owlready2

    answer: dict[str, Any] = {"consistent": True, "unsatisfiable": [], "types": {}}
    world = owlready2.World()
    data = sys.stdin.buffer.read()
    world.get_ontology(ONTOLOGY).load(fileobj=BytesIO(data), only_local=True)
    try:
        # xsd:date and the like are outside the OWL 2 datatype map; the shapes check them.
        owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)
    except owlready2.OwlReadyInconsistentOntologyError:
        answer["consistent"] = False
    except owlready2.OwlReadyJavaError as error:
        answer["error"] = str(error)[:2000]
    else:
        answer["unsatisfiable"] = [c.iri for c in world.inconsistent_classes() if c.iri != _NOTHING]
        quads = list(parse(data, format=RdfFormat.N_TRIPLES))
        nodes = {
            node for quad in quads for node in (quad.subject, quad.object) if isinstance(node, NamedNode)
        }
        for iri in sorted(node.value for node in nodes):
            # Most nodes are things; classes and properties are not, and what is only named has no type.
            if isinstance(thing := world[iri], owlready2.Thing):
                classes = (c for c in thing.is_a if isinstance(c, owlready2.ThingClass))
                answer["types"][iri] = [c.iri for c in classes if c is not owlready2.Thing]
    json.dump(answer, sys.stdout)


def _contradictions(triples: list[Triple]) -> Iterator[str]:
    """Find what mistakes mostly make: disjoint classes, and a second value where only one is allowed."""
    facts = _Facts(triples)
    why = facts.reasons_for_types()
    for thing, classes in why.items():
        for one, other in combinations(sorted(classes), 2):
            if frozenset((one, other)) in facts.disjoint:
                yield (
                    f"{compact(thing)} cannot be both {compact(one)} ({classes[one]}) "
                    f"and {compact(other)} ({classes[other]})"
                )
    for (thing, name), values in facts.values.items():
        if name in facts.functional and len(values) > 1 and all(isinstance(v, Literal) for v in values):
            shown = ", ".join(sorted(v.value for v in values if isinstance(v, Literal)))
            yield f"{compact(thing)} can have one {compact(name)} only, and has: {shown}"


class _Facts:
    """The axioms and facts that the simple rules look at, by IRI."""

    def __init__(self, triples: list[Triple]) -> None:
        self.above: dict[str, set[str]] = defaultdict(set)
        self.range: dict[str, set[str]] = defaultdict(set)
        self.domain: dict[str, set[str]] = defaultdict(set)
        self.functional: set[str] = set()
        self.types: list[tuple[str, str]] = []
        self.statements: list[tuple[str, str, str | None]] = []
        self.values: dict[tuple[str, str], set[object]] = defaultdict(set)
        self.disjoint = {frozenset(pair) for pair in _disjoint_pairs(triples)}
        tables = {
            term("rdfs:subClassOf"): self.above,
            term("rdfs:subPropertyOf"): self.above,
            term("rdfs:range"): self.range,
            term("rdfs:domain"): self.domain,
        }
        for t in triples:
            if not isinstance(t.subject, NamedNode):
                continue
            target = t.object.value if isinstance(t.object, NamedNode) else None
            if t.predicate in tables and target:
                tables[t.predicate][t.subject.value].add(target)
            elif t.predicate == _TYPE and target:
                self.types.append((t.subject.value, target))
                if t.object == term("owl:FunctionalProperty"):
                    self.functional.add(t.subject.value)
            else:
                self.statements.append((t.subject.value, t.predicate.value, target))
                self.values[t.subject.value, t.predicate.value].add(t.object)

    def upwards(self, name: str) -> set[str]:
        """Give a class or property with all that it is a case of."""
        found, new = {name}, [name]
        while new:
            more = self.above.get(new.pop(), set()) - found
            found |= more
            new += more
        return found

    def reasons_for_types(self) -> dict[str, dict[str, str]]:
        """Give for each thing its classes, each with the first statement that makes it a member."""
        why: dict[str, dict[str, str]] = defaultdict(dict)

        def note(thing: str, cls: str, reason: str) -> None:
            for name in self.upwards(cls):
                why[thing].setdefault(name, reason)

        for thing, cls in self.types:
            note(thing, cls, f"it is said to be a {compact(cls)}")
        for subject, predicate, target in self.statements:
            for name in self.upwards(predicate):
                for cls in self.domain.get(name, ()):
                    note(subject, cls, f"it has {compact(predicate)}")
                for cls in self.range.get(name, ()) if target else ():
                    note(target or "", cls, f"it is the {compact(predicate)} of {compact(subject)}")
        return why


def _disjoint_pairs(triples: list[Triple]) -> Iterator[tuple[str, str]]:
    links = {(t.subject, t.predicate): t.object for t in triples if t.predicate in _LIST_LINKS}
    for t in triples:
        if t.predicate == term("owl:disjointWith"):
            if isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode):
                yield t.subject.value, t.object.value
        elif t.predicate == term("owl:members"):
            members: list[str] = []
            node: Any = t.object
            while (first := links.get((node, _LIST_LINKS[0]))) is not None:
                members += [first.value] if isinstance(first, NamedNode) else []
                node = links.get((node, _LIST_LINKS[1]))
            yield from combinations(members, 2)


_LIST_LINKS: Final = (term("rdf:first"), term("rdf:rest"))

if __name__ == "__main__":
    _work()
