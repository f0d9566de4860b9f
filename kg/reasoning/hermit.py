"""Consistency and classification by HermiT, which comes with owlready2 and runs on Java.

owlready2 has global state, prints, and does not limit the time of HermiT. It therefore runs in a process of
its own, `python -m kg.reasoning.hermit`, which reads N-Triples and writes JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final

from pyoxigraph import BlankNode, NamedNode, RdfFormat, Triple, parse, serialize

from kg.errors import ToolFailedError, ToolMissingError
from kg.reasoning.explain import explain
from kg.reasoning.schema import is_schema
from kg.terms import GENID, ONTOLOGY, compact, term

_INSTALL: Final = "Install a Java runtime, for example with: apt install default-jre-headless"


@dataclass(frozen=True)
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
    java = shutil.which("java")
    if java is None:
        raise ToolMissingError("HermiT needs Java, and there is no java on the PATH", mend=_INSTALL)
    triples = [_as_owl(triple) for triple in graphs if triple.predicate != _IMPORTS]
    answer = _run(serialize(triples, format=RdfFormat.N_TRIPLES) or b"", timeout)
    if "error" in answer:
        raise ToolFailedError(f"HermiT failed: {answer['error']}", mend="Check that the graph is OWL 2 DL.")
    if not answer["consistent"]:
        reasons = explain(triples) or _culprits(triples, deadline=time.monotonic() + timeout)
        return ConsistencyReport(consistent=False, explanation=reasons)
    asserted = set(_types(triples))
    inferred = sorted(
        (thing, cls)
        for thing, classes in answer["types"].items()
        for cls in classes
        if (thing, cls) not in asserted
    )
    return ConsistencyReport(
        consistent=True,
        unsatisfiable=tuple(sorted(answer["unsatisfiable"])),
        inferred_types=tuple(InferredType(thing, cls) for thing, cls in inferred),
    )


_TYPE: Final = term("rdf:type")
_IMPORTS: Final = term("owl:imports")  # nothing is fetched
_NOTHING: Final = "http://www.w3.org/2002/07/owl#Nothing"


class _OutOfTimeError(Exception):
    """The search for an explanation has exceeded its time."""


def _culprits(triples: list[Triple], *, deadline: float) -> tuple[str, ...]:
    """Find a smallest set of contradicting facts by QuickXplain (Junker 2004).

    It takes few runs of HermiT if few facts are at fault.
    """
    kinds = {term(f"owl:{kind}Property") for kind in ("Object", "Datatype")}
    properties = {t.subject for t in triples if t.predicate == _TYPE and t.object in kinds}
    terms = {t.subject for t in triples if is_schema(t)}
    facts = [
        t
        for t in triples
        if isinstance(t.subject, NamedNode)
        and t.subject not in terms
        and (t.predicate == _TYPE or t.predicate in properties)
    ]
    base = [t for t in triples if t.subject in terms or not isinstance(t.subject, NamedNode)]

    def fails(some: list[Triple]) -> bool:
        left = deadline - time.monotonic()
        if left < 1:
            raise _OutOfTimeError
        answer = _run(serialize([*base, *some], format=RdfFormat.N_TRIPLES) or b"", left)
        return not answer.get("consistent", True)

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
    except (_OutOfTimeError, ToolFailedError):
        return ()
    facts_at_fault = sorted(
        " ".join(compact(str(n).strip("<>")) for n in (t.subject, t.predicate, t.object)) for t in found
    )
    return (f"these cannot all be true: {'; '.join(facts_at_fault)}",)


def _types(triples: Iterable[Triple]) -> Iterator[tuple[str, str]]:
    for t in triples:
        if t.predicate == _TYPE and isinstance(t.subject, NamedNode) and isinstance(t.object, NamedNode):
            yield t.subject.value, t.object.value


def _as_owl(triple: Triple) -> Triple:
    """Turn skolem IRIs back into blank nodes: in OWL 2 DL a class expression has no IRI."""
    return Triple(_as_blank(triple.subject), triple.predicate, _as_blank(triple.object))


def _as_blank(node: Any) -> Any:
    if isinstance(node, NamedNode) and node.value.startswith(GENID):
        return BlankNode("g" + "".join(c if c.isalnum() else "x" for c in node.value[len(GENID) :]))
    return node


def _run(data: bytes, timeout: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="diplograph-hermit-") as folder:
        environment = {**os.environ, "TMPDIR": folder, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        # A session of its own, so that Java can be killed with its parent.
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
                        f"HermiT did not finish within {timeout:g} seconds",
                        mend="Check fewer graphs at once, or allow more time.",
                    ) from None
                raise
    if process.returncode != 0:
        lines = err.decode(errors="replace").strip().splitlines()
        raise ToolFailedError(f"the process of HermiT failed: {lines[-1] if lines else process.returncode}")
    answer: dict[str, Any] = json.loads(out)
    return answer


def _work() -> None:
    """Reason over the N-Triples on standard input, in the process that `check_consistency` starts."""
    import owlready2

    answer: dict[str, Any] = {"consistent": True, "unsatisfiable": [], "types": {}}
    world = owlready2.World()
    data = sys.stdin.buffer.read()
    world.get_ontology(ONTOLOGY).load(fileobj=BytesIO(data), only_local=True)
    try:
        # xsd:date and others are outside the OWL 2 datatype map; the shapes check them.
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
            # Classes and properties are not things, and a thing that is only referred to has no type.
            if isinstance(thing := world[iri], owlready2.Thing):
                classes = (c for c in thing.is_a if isinstance(c, owlready2.ThingClass))
                answer["types"][iri] = [c.iri for c in classes if c is not owlready2.Thing]
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    _work()
