"""Consistency and classification by HermiT, which comes with owlready2 and runs on Java.

owlready2 has global state, prints, and does not limit the time of HermiT: it runs in a process of its own.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass, replace
from io import StringIO
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from pyoxigraph import NamedNode, RdfFormat, Triple, parse, serialize

from kg.errors import ToolFailedError, ToolMissingError
from kg.owl import read_world, with_blank_nodes
from kg.processes import end, start_connected
from kg.reasoning.explain import explain
from kg.reasoning.schema import TYPE, is_schema
from kg.terms import PREFIXES, compact, term

_GRAPH: Final = "graph.nt"


@dataclass(frozen=True, order=True)
class InferredType:
    """An inferred type that was not asserted: a thing and its class, both as IRIs."""

    thing: str
    type: str


@dataclass(frozen=True)
class ConsistencyReport:
    """Result of HermiT: IRIs of classes that can have no member, inferred types, and reasons.

    `explanation` has a line for each contradiction that `explain` finds. If it finds none, it is a smallest
    set of facts that contradict each other, or empty if there was no time to find one.
    """

    consistent: bool
    unsatisfiable: tuple[str, ...] = ()
    inferred_types: tuple[InferredType, ...] = ()
    explanation: tuple[str, ...] = ()


def check_consistency(graphs: Iterable[Triple], *, timeout: float = 300.0) -> ConsistencyReport:
    """Check triples, ontology and facts together, against OWL 2 DL; `timeout` in seconds.

    Raises ToolMissingError without Java, ToolFailedError if HermiT fails or exceeds the time.
    """
    if shutil.which("java") is None:
        mend = "Install a Java runtime, for example with: apt install default-jre-headless"
        raise ToolMissingError("HermiT needs Java, and there is no java on the PATH", mend=mend)
    # Imports are not fetched.
    triples = [t for t in with_blank_nodes(graphs) if t.predicate != term("owl:imports")]
    report = _run(triples, timeout)
    if report.consistent:
        return report
    reasons = explain(triples) or _culprits(triples, deadline=time.monotonic() + timeout)
    return replace(report, explanation=reasons)


def _culprits(triples: list[Triple], *, deadline: float) -> tuple[str, ...]:
    """Find a smallest set of contradicting facts by QuickXplain (Junker 2004).

    It takes few runs of HermiT if few facts are at fault.
    """
    kinds = {term("owl:ObjectProperty"), term("owl:DatatypeProperty")}
    properties = {t.subject for t in triples if t.predicate == TYPE and t.object in kinds}
    terms = {t.subject for t in triples if is_schema(t)}
    others = [t for t in triples if isinstance(t.subject, NamedNode) and t.subject not in terms]
    facts = [t for t in others if t.predicate == TYPE or t.predicate in properties]
    base = [t for t in triples if t.subject in terms or not isinstance(t.subject, NamedNode)]

    def fails(some: list[Triple]) -> bool:
        return not _run([*base, *some], deadline - time.monotonic()).consistent

    def narrow(given: list[Triple], rest: list[Triple], added: bool) -> list[Triple]:
        if added and fails(given):
            return []
        if len(rest) == 1:
            return rest
        half = len(rest) // 2
        first, second = rest[:half], rest[half:]
        two = narrow([*given, *first], second, bool(first))
        one = narrow([*given, *two], first, bool(two))
        return [*one, *two]

    try:
        if not facts or fails([]):
            return ()
        found = narrow([], facts, False)
    except ToolFailedError:
        return ()
    facts_at_fault = sorted(" ".join(compact(str(n).strip("<>")) for n in t) for t in found)
    return (f"these cannot all be true: {'; '.join(facts_at_fault)}",)


def _run(triples: Iterable[Triple], timeout: float) -> ConsistencyReport:
    with tempfile.TemporaryDirectory(prefix="diplograph-hermit-") as folder:
        serialize(triples, str(Path(folder, _GRAPH)), format=RdfFormat.N_TRIPLES)
        process, results = start_connected(_work, folder)
        try:
            if not results.poll(max(timeout, 0)):
                raise ToolFailedError(
                    f"HermiT did not finish within {timeout:g} seconds",
                    mend="Check fewer graphs at once, or allow more time.",
                )
            found = results.recv()
        except EOFError:
            raise ToolFailedError("the process of HermiT was killed", mend="Check fewer graphs.") from None
        finally:
            results.close()
            if process.pid:
                # Java is in the session of the process that started it.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            end(process)
    if isinstance(found, ConsistencyReport):
        return found
    raise ToolFailedError(f"HermiT failed: {found}", mend="Check that the graph is OWL 2 DL.")


def _work(results: Connection, folder: str) -> None:
    """Send the report on the graph in a folder, or the text of an error."""
    os.setsid()
    tempfile.tempdir = folder
    with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        try:
            results.send(_reason(Path(folder, _GRAPH)))
        except Exception as error:
            results.send(str(error)[:2000])


def _reason(path: Path) -> ConsistencyReport:
    import owlready2

    world = read_world(path.read_bytes())
    try:
        # xsd:date and others are outside the OWL 2 datatype map; the shapes check them.
        owlready2.sync_reasoner_hermit(world, debug=0, ignore_unsupported_datatypes=True)
    except owlready2.OwlReadyInconsistentOntologyError:
        return ConsistencyReport(consistent=False)
    triples = [quad.triple for quad in parse(path=path, format=RdfFormat.N_TRIPLES)]
    nodes = {n.value for t in triples for n in (t.subject, t.object) if isinstance(n, NamedNode)}
    asserted = {(t.subject, t.object) for t in triples if t.predicate == TYPE}
    # Classes and properties are not things, and a thing that is only referred to has no type.
    types = {
        InferredType(iri, cls.iri)
        for iri in nodes
        if isinstance(thing := world[iri], owlready2.Thing)
        for cls in thing.is_a
        if isinstance(cls, owlready2.ThingClass) and cls is not owlready2.Thing
    }
    impossible = {cls.iri for cls in world.inconsistent_classes()} - {PREFIXES["owl"] + "Nothing"}
    inferred = (t for t in types if (NamedNode(t.thing), NamedNode(t.type)) not in asserted)
    return ConsistencyReport(True, tuple(sorted(impossible)), tuple(sorted(inferred)))
