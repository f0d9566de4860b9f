"""The terms of the ontology: their hierarchy, definitions, examples and alignments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from pyoxigraph import Literal

from kg.describe.listing import iris_in, select
from kg.errors import UnknownNameError
from kg.search import PROLOGUE, Name, name_all, plain, row_text
from kg.store import Answer, Row, Store
from kg.terms import (
    BASE,
    GENID,
    GRAPH_ALIGNMENTS,
    GRAPH_ENTAILMENTS,
    GRAPH_EVENT_TYPES,
    GRAPH_ONTOLOGY,
    ONTOLOGY,
    compact,
)

_KINDS = (
    ("Classes", "owl:Class"),
    ("Relations between things", "owl:ObjectProperty"),
    ("Properties with plain values", "owl:DatatypeProperty"),
    ("Annotations", "owl:AnnotationProperty"),
)
_EXAMPLES = 2
# Terms in one query.
_TOGETHER = 50
# A class expression has an IRI in the store but no label: its members are shown instead.
_NAMED = f"FILTER(isIRI(?{{}}) && !STRSTARTS(STR(?{{}}), '{GENID}'))".replace("{}", "{0}")
_UNION = "owl:unionOf/rdf:rest*/rdf:first"
_ONTOLOGY_IRI = BASE + "ontology"
# The graphs of vocabularies, by the last part of their path below /ontology.
VOCABULARIES = {"": GRAPH_ONTOLOGY, "event-types": GRAPH_EVENT_TYPES, "alignments": GRAPH_ALIGNMENTS}


@dataclass(frozen=True)
class Aligned:
    """A term of another vocabulary, and our term's relation to it: under it, the same, or close to it."""

    how: str
    name: Name


@dataclass(frozen=True)
class Instance:
    """An example from the graph: a member of a class, or the subject and object (or value) of a property."""

    thing: Name
    to: Name | None = None
    value: str = ""


@dataclass(frozen=True)
class TermEntry:
    """A term: prefixed name, definition, example, superclasses or superproperties, domains and ranges."""

    name: Name
    curie: str
    definition: str
    example: str
    note: str
    above: tuple[Name, ...]
    domains: tuple[Name, ...]
    ranges: tuple[Name, ...]
    aligned: tuple[Aligned, ...] = ()
    instances: tuple[Instance, ...] = ()


@dataclass(frozen=True)
class Branch:
    """A class with its direct subclasses."""

    name: Name
    curie: str
    below: tuple[Branch, ...]


@dataclass(frozen=True)
class Header:
    """The metadata of the ontology."""

    title: str
    description: str
    version: str
    version_iri: str
    licence: str
    citation: str


def ontology_header(store: Store) -> Header:
    """Read the metadata of the ontology; missing ones are empty."""
    rows = select(
        store,
        f"SELECT ?p ?o WHERE {{ GRAPH {GRAPH_ONTOLOGY} {{ <{_ONTOLOGY_IRI}> ?p ?o }} }}",
    )
    said = {plain(row["p"]).rpartition("/")[2].rpartition("#")[2]: plain(row["o"]) for row in rows}
    return Header(
        title=said.get("title", ""),
        description=said.get("abstract", said.get("description", "")),
        version=said.get("versionInfo", ""),
        version_iri=said.get("versionIRI", ""),
        licence=said.get("license", ""),
        citation=said.get("bibliographicCitation", ""),
    )


def ontology_terms(store: Store) -> list[tuple[str, list[TermEntry]]]:
    """List the terms that the ontology declares, in sections, those of other vocabularies last."""
    aligned = _alignments(store)
    sections = []
    for title, kind in _KINDS:
        rows = select(
            store,
            f"""SELECT DISTINCT ?term ?definition ?example ?note ?above ?domain ?range WHERE {{
              GRAPH {GRAPH_ONTOLOGY} {{ ?term a {kind} {_NAMED.format("term")}
                OPTIONAL {{ ?term skos:definition ?definition }} OPTIONAL {{ ?term skos:example ?example }}
                OPTIONAL {{ ?term skos:scopeNote ?note }}
                OPTIONAL {{ ?term rdfs:subClassOf|rdfs:subPropertyOf ?above {_NAMED.format("above")} }}
                OPTIONAL {{ ?term rdfs:domain|(rdfs:domain/{_UNION}) ?domain {_NAMED.format("domain")} }}
                OPTIONAL {{ ?term rdfs:range|(rdfs:range/{_UNION}) ?range {_NAMED.format("range")} }} }}
              }} ORDER BY ?term""",
        )
        names = name_all(store, iris_in(rows, "term", "above", "domain", "range"))
        instances = _instances(store, dict.fromkeys(iris_in(rows, "term")), kind)
        grouped: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            grouped[plain(row["term"])].append(row)
        entries = []
        for iri in sorted(grouped, key=lambda iri: (not compact(iri).startswith("dg:"), compact(iri))):
            mine = grouped[iri]
            linked = {
                column: tuple(names[found] for found in dict.fromkeys(iris_in(mine, column)))
                for column in ("above", "domain", "range")
            }
            entries.append(
                TermEntry(
                    name=names[iri],
                    curie=compact(iri),
                    definition=row_text(mine[0], "definition") or "",
                    example=row_text(mine[0], "example") or "",
                    note=row_text(mine[0], "note") or "",
                    above=linked["above"],
                    domains=linked["domain"],
                    ranges=linked["range"],
                    aligned=tuple(aligned.get(iri, ())),
                    instances=tuple(instances.get(iri, ())),
                )
            )
        sections.append((title, entries))
    return sections


def class_tree(store: Store) -> list[Branch]:
    """Arrange the classes in trees, the largest tree first.

    A class under two others stands twice; one that is defined by an intersection stands under the class that
    the intersection names.
    """
    rows = select(
        store,
        f"""SELECT DISTINCT ?term ?above WHERE {{ GRAPH {GRAPH_ONTOLOGY} {{
          ?term a owl:Class FILTER(STRSTARTS(STR(?term), "{ONTOLOGY}"))
          OPTIONAL {{
            ?term rdfs:subClassOf|(owl:equivalentClass/owl:intersectionOf/rdf:rest*/rdf:first) ?above
            {_NAMED.format("above")} }} }} }} ORDER BY ?term""",
    )
    names = name_all(store, iris_in(rows, "term", "above"))
    below: dict[str, list[str]] = defaultdict(list)
    tops: dict[str, None] = {}
    held = {plain(row["term"]) for row in rows}
    for row in rows:
        term = plain(row["term"])
        if "above" in row:
            below[plain(row["above"])].append(term)
            if plain(row["above"]) not in held:
                tops[plain(row["above"])] = None
        else:
            tops[term] = None

    def branch(iri: str, path: frozenset[str]) -> Branch:
        children = sorted(set(below[iri]) - path, key=compact)
        return Branch(names[iri], compact(iri), tuple(branch(c, path | {iri}) for c in children))

    branches = [branch(iri, frozenset()) for iri in tops]
    return sorted(branches, key=lambda b: (-_size(b), b.curie))


def _size(branch: Branch) -> int:
    return 1 + sum(_size(child) for child in branch.below)


def _alignments(store: Store) -> dict[str, list[Aligned]]:
    rows = select(
        store,
        f"""SELECT DISTINCT ?term ?p ?other WHERE {{ GRAPH {GRAPH_ALIGNMENTS} {{
          VALUES ?p {{ rdfs:subClassOf rdfs:subPropertyOf owl:equivalentClass owl:equivalentProperty
            rdfs:seeAlso }}
          ?term ?p ?other FILTER(isIRI(?other) && STRSTARTS(STR(?term), "{ONTOLOGY}"))
        }} }} ORDER BY DESC(?p) ?other""",
    )
    found: dict[str, list[Aligned]] = defaultdict(list)
    for row in rows:
        relation, other = compact(plain(row["p"])), plain(row["other"])
        how = "close to" if relation == "rdfs:seeAlso" else "under"
        how = "the same as" if "equivalent" in relation else how
        found[plain(row["term"])].append(Aligned(how, Name(other, compact(other), described=False)))
    return found


def _instances(store: Store, terms: Iterable[str], kind: str) -> dict[str, list[Instance]]:
    """Pick examples of our terms from the graphs of sources; none for annotation properties."""
    ours = [iri for iri in terms if iri.startswith(ONTOLOGY) and kind != "owl:AnnotationProperty"]
    case, beside, limit = "?x {} ?y", GRAPH_ENTAILMENTS, 1
    if kind == "owl:Class":
        case, beside, limit = "?x a {}", GRAPH_ONTOLOGY, _EXAMPLES
    rows: list[Row] = []
    for start in range(0, len(ours), _TOGETHER):
        parts = (
            f"{{ {{ SELECT ?x ?y WHERE {{ GRAPH ?g {{ {case.format(f'<{iri}>')} }}"
            f" FILTER(?g != {beside}) }} LIMIT {limit} }} BIND(<{iri}> AS ?term) }}"
            for iri in ours[start : start + _TOGETHER]
        )
        rows += select(store, f"SELECT ?term ?x ?y WHERE {{ {' UNION '.join(parts)} }}")
    names = name_all(store, iris_in(rows, "x", "y"))
    found: dict[str, list[Instance]] = defaultdict(list)
    for row in rows:
        if plain(row["x"]) in names:
            found[plain(row["term"])].append(
                Instance(
                    thing=names[plain(row["x"])],
                    to=names.get(plain(row["y"])) if "y" in row else None,
                    value=row["y"].value if isinstance(row.get("y"), Literal) else "",  # type: ignore[union-attr]
                )
            )
    return found


def ontology_triples(store: Store, name: str = "", version: str = "") -> Answer:
    """Return a vocabulary as a graph: the ontology, `event-types` or `alignments`, in its present version.

    Raises UnknownNameError for another name, and for a version that is not the present one.
    """
    if name not in VOCABULARIES:
        listed = ", ".join(known for known in VOCABULARIES if known)
        raise UnknownNameError(
            f"there is no vocabulary “{name[:60]}”", mend=f"The vocabularies are: {listed}."
        )
    graph = VOCABULARIES[name]
    if version:
        iri = f"{_ONTOLOGY_IRI}/{name}" if name else _ONTOLOGY_IRI
        rows = select(store, f"SELECT ?v WHERE {{ GRAPH {graph} {{ <{iri}> owl:versionInfo ?v }} }}")
        held = [plain(row["v"]) for row in rows]
        if version not in held:
            raise UnknownNameError(
                f"version {version[:20]} of {compact(iri)} is not available here",
                mend=f"This server has version {', '.join(held)}; leave the version out to get it.",
            )
    return store.query(f"{PROLOGUE} CONSTRUCT {{ ?s ?p ?o }} WHERE {{ GRAPH {graph} {{ ?s ?p ?o }} }}")
