"""Bringing over a store from before facts: its graphs, and the changes of its loads that can be undone.

An aspect of a claim becomes facts, step 1 of a chain is dropped, a span and its selector become one node,
dg:saidBy is added, and topics that are not concepts become matters. What is replaced is kept in a folder of
the data folder, from which an interrupted migration goes on.
"""

from __future__ import annotations

import hashlib
import shutil
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Final, cast

from pyoxigraph import Literal, NamedNode, Quad, RdfFormat, Triple, parse, serialize

from kg.load.followers import open_delta
from kg.load.load_folder import LoadFolder, Loads, disk_errors
from kg.ontology import REFERENCE_GRAPHS, article_graphs
from kg.rdf.compression import drop_packed
from kg.store import Store
from kg.terms import GRAPH_ENTAILMENTS, GRAPH_LOADS, GRAPH_ONTOLOGY, ID, term
from kg.validation.rdf_rules import as_stored, triples_of

FOLDER: Final = "before-facts"
"""Name of the folder, in the data folder, with what a migration replaced."""

_TYPE: Final = term("rdf:type")
_CLAIM, _FACT, _SPAN = map(term, ("dg:Claim", "dg:Fact", "dg:Span"))
_ABOUT, _ASPECT, _STATES = map(term, ("dg:about", "dg:aspect", "dg:states"))
_SUBJECT, _PREDICATE, _OBJECT = map(term, ("dg:subject", "dg:predicate", "dg:object"))
_STATED_IN, _SAID_BY, _MODALITY = map(term, ("dg:statedIn", "dg:saidBy", "dg:modality"))
_STEP, _NUMBER, _WHO = map(term, ("dg:attributionStep", "dg:stepNumber", "dg:attributedTo"))
_SELECTOR, _SOURCE, _IN_TEXT = map(term, ("oa:hasSelector", "oa:hasSource", "dg:inText"))
_POSITIONS: Final = tuple(map(term, ("oa:start", "oa:end", "oa:exact")))
_TOPIC, _MATTER, _CONCEPT = map(term, ("dg:Topic", "dg:Matter", "skos:Concept"))
_TOOK_PLACE, _KIND = map(term, ("dg:tookPlace", "dg:eventType"))
_TRUE: Final = Literal("true", datatype=term("xsd:boolean"))
# With these modalities, a claim about an event also says whether it took place.
_TELLING: Final = {NamedNode(ID + f"modality/{name}") for name in ("happened", "planned", "denied")}
# SHA-256 of the sorted statements of the article's graph as version 0.1 had it before facts.
_OLD_ARTICLE: Final = "4a34539251d7fb1cde01a52785088693985ed0077e0a8df964a4951f19b1611b"

Triples = set[Triple]


def bring_over(triples: Iterable[Triple]) -> Triples:
    """Return the statements of one graph in the model with facts; those that are in it already stay."""
    found = set(triples)
    by: dict[NamedNode, dict[object, list[object]]] = defaultdict(lambda: defaultdict(list))
    for t in sorted(found, key=str):
        by[t.predicate][t.subject].append(t.object)
    claims = {t.subject for t in found if t.predicate == _TYPE and t.object == _CLAIM}
    for claim in claims:
        _state_facts(found, by, claim)
        _say_by(found, by, claim)
    _drop_first_steps(found, by)
    _join_spans(found, by)
    concepts = {t.subject for t in found if t.predicate == _TYPE and t.object == _CONCEPT}
    for t in [t for t in found if t.predicate == _TYPE and t.object == _TOPIC and t.subject not in concepts]:
        found.remove(t)
        found.add(Triple(t.subject, _TYPE, _MATTER))
    return found


_Index = dict[NamedNode, dict[object, list[object]]]


def _state_facts(found: Triples, by: _Index, claim: object) -> None:
    aspects = by[_ASPECT][claim]
    telling = not _TELLING.isdisjoint(by[_MODALITY][claim]) and not by[_STATES][claim]
    for thing in by[_ABOUT][claim]:
        stated = [(aspect, value) for aspect in aspects for value in by[_named(aspect)][thing]]
        # An event may be described in another graph.
        if telling and (by[_KIND][thing] or _named(thing).value.startswith(ID + "event/")):
            stated.append((_TOOK_PLACE, _TRUE))
        for predicate, value in stated:
            text = f"{thing} {predicate} {value}"
            name = _named(claim).value.removeprefix(ID).replace("claim/", "", 1)
            fact = NamedNode(f"{ID}fact/{name}-{hashlib.sha256(text.encode()).hexdigest()[:10]}")
            found |= {
                Triple(_named(claim), _STATES, fact),
                Triple(fact, _TYPE, _FACT),
                Triple(fact, _SUBJECT, _named(thing)),
                Triple(fact, _PREDICATE, _named(predicate)),
                Triple(fact, _OBJECT, value),  # type: ignore[arg-type]
            }
    found -= {t for t in found if t.predicate == _ASPECT and t.subject == claim} if aspects else set()


def _say_by(found: Triples, by: _Index, claim: object) -> None:
    if by[_SAID_BY][claim]:
        return
    steps = [
        (int(getattr(number, "value", "0")), who)
        for step in by[_STEP][claim]
        for number in by[_NUMBER][step]
        for who in by[_WHO][step]
        if str(getattr(number, "value", "")).isdecimal()
    ]
    speakers = [max(steps, key=lambda step: step[0])[1]] if steps else by[_STATED_IN][claim][:1]
    found |= {Triple(_named(claim), _SAID_BY, who) for who in speakers}  # type: ignore[arg-type]


def _drop_first_steps(found: Triples, by: _Index) -> None:
    """Remove the steps that only say that the source itself speaks."""
    uses: dict[object, list[object]] = defaultdict(list)
    for claim, steps in by[_STEP].items():
        for step in steps:
            uses[step].append(claim)
    out = {
        step
        for step, claims in uses.items()
        if [getattr(number, "value", "") for number in by[_NUMBER][step]] == ["1"]
        and all(by[_WHO][step] == by[_STATED_IN][claim] for claim in claims)
    }
    if out:
        found -= {t for t in found if t.subject in out or (t.predicate == _STEP and t.object in out)}


def _join_spans(found: Triples, by: _Index) -> None:
    gone: set[object] = set()
    for span, selectors in list(by[_SELECTOR].items()):
        node = _named(span)
        found |= {Triple(node, _TYPE, _SPAN)}
        found |= {Triple(node, _IN_TEXT, text) for text in by[_SOURCE][span]}  # type: ignore[arg-type]
        for selector in selectors:
            found |= {Triple(node, p, value) for p in _POSITIONS for value in by[p][selector]}  # type: ignore[arg-type]
        gone.update(selectors)
        old = {(_SELECTOR, s) for s in selectors} | {(_SOURCE, s) for s in by[_SOURCE][span]}
        old.add((_TYPE, term("oa:SpecificResource")))
        found -= {Triple(node, p, value) for p, value in old}  # type: ignore[arg-type]
    if gone:
        found -= {t for t in found if t.subject in gone}


def _named(node: object) -> NamedNode:
    """Return a node as what it is in the graphs of a store, which have no blank nodes."""
    return cast(NamedNode, node)


@disk_errors()
def migrate(store: Store, data: Path, loads: Loads) -> bool:
    """Bring over a store whose ontology is from before facts; return whether it was one.

    Its graphs change as one step. The undo of a load takes back what the load would have added today. Raises
    StoreFailedError.
    """
    if not store.query(f"ASK {{ GRAPH {GRAPH_ONTOLOGY} {{ {_ASPECT} ?p ?o }} }}").truth():
        return False
    kept = data / FOLDER
    if not kept.exists():
        _prepare(store, kept, loads)
    before, after = ({*_quads(kept / name)} for name in ("before.nq", "after.nq"))
    store.change(list(before - after), list(after - before))
    for path in sorted((kept / "loads").glob("*.nq")):
        load_id, _, name = path.name.partition(".")
        target = loads.open(load_id).path / name
        part = target.with_name(name + ".part")
        shutil.copyfile(path, part)
        part.replace(target)
        drop_packed(target)
    return True


def _prepare(store: Store, kept: Path, loads: Loads) -> None:
    """Write down the graphs as they are and as they will be, and the changes of their loads."""
    part = kept.with_name(kept.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    (part / "loads").mkdir(parents=True)
    stored = sorted((one for one in loads.all() if one[1].step == "stored"), key=lambda one: one[1].id)
    current = {NamedNode(iri): graph for iri, graph in article_graphs_as_stored().items()}
    with (part / "before.nq").open("ab") as old, (part / "after.nq").open("ab") as new:
        for graph in _old_graphs(store):
            now = set(triples_of(store, graph))
            renewed = current[graph] if graph in current and _digest(now) == _OLD_ARTICLE else bring_over(now)
            old.write(_text(now, graph))
            new.write(_text(renewed, graph))
            _rewrite_loads(
                [one for one, state in stored if state.plan().graph == graph.value], graph, now, part
            )
    part.replace(kept)


def _rewrite_loads(folders: list[LoadFolder], graph: NamedNode, now: Triples, part: Path) -> None:
    """Write the changes that loads of one graph would have made today, from the last one back."""
    state, after = set(now), bring_over(now)
    for folder in reversed(folders):
        state = (state - _delta(folder.added, graph)) | _delta(folder.removed, graph)
        before = bring_over(state)
        for name, changed in (("added", after - before), ("removed", before - after)):
            (part / "loads" / f"{folder.id}.{name}.nq").write_bytes(_text(changed, graph))
        after = before


def article_graphs_as_stored() -> dict[str, Triples]:
    """Return the bundled articles, as a store gives them back."""
    return {graph.value: set(as_stored(triples)) for graph, triples in article_graphs().items()}


def _old_graphs(store: Store) -> list[NamedNode]:
    """List the graphs of sources with claims, spans or topics."""
    rows = store.query(
        f"""SELECT DISTINCT ?g WHERE {{ GRAPH ?g {{ ?s a ?class }}
        FILTER(?class IN ({_CLAIM}, {term("oa:SpecificResource")}, {_TOPIC})) }}"""
    ).rows()
    apart = {*REFERENCE_GRAPHS, GRAPH_LOADS, GRAPH_ENTAILMENTS}
    return sorted((_named(row["g"]) for row in rows if row["g"] not in apart), key=str)


def _digest(triples: Iterable[Triple]) -> str:
    return hashlib.sha256("\n".join(sorted(map(str, triples))).encode()).hexdigest()


def _text(triples: Iterable[Triple], graph: NamedNode) -> bytes:
    quads = [Quad(t.subject, t.predicate, t.object, graph) for t in sorted(triples, key=str)]
    return serialize(quads, format=RdfFormat.N_QUADS) or b""


def _quads(path: Path) -> Iterable[Quad]:
    return parse(path=path, format=RdfFormat.N_QUADS)


def _delta(path: Path, graph: NamedNode) -> Triples:
    text = b"".join(open_delta(path))
    # While a load is being stored, the file also contains its record.
    quads = parse(text, format=RdfFormat.N_QUADS)
    return {quad.triple for quad in quads if quad.graph_name == graph}
