"""Names: what things are called."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from kg.errors import UnknownNameError
from kg.languages import preference
from kg.store import Row, Store
from kg.terms import GRAPH, ID, ONTOLOGY, PREFIXES, compact

# Without the prefix `load`: a text with that word would have to be searched for LOAD, token by token.
PROLOGUE: Final = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items() if name != "load")
LABELS: Final = "rdfs:label|skos:prefLabel|dcterms:title"
_LABEL_LIMIT: Final = 300


@dataclass(frozen=True)
class Name:
    """A thing and what to call it; `described` tells whether the store says anything of it."""

    iri: str
    label: str
    language: str | None = None
    described: bool = True


@dataclass(frozen=True)
class Hit:
    """One thing that a search found; `kind` is the part of its IRI after `id/`, else `other`.

    `matched` is the name that was found where it is not the label: an alias, a code, words of a text.
    """

    iri: str
    label: str
    kind: str
    type_label: str = ""
    matched: str = ""
    language: str | None = None


def iri_text(iri: str) -> str:
    """Write an IRI for a SPARQL text; raises UnknownNameError for what is no IRI."""
    try:
        return str(NamedNode(iri))
    except ValueError as error:
        raise UnknownNameError(
            f"{iri[:_LABEL_LIMIT]!r} is not an IRI: {error}", mend="Look for the thing by its name."
        ) from None


def kind_of(iri: str) -> str:
    """Give the kind that one of our IRIs bears (`country`, `event`), else `other`."""
    return iri[len(ID) :].partition("/")[0] if iri.startswith(ID) else "other"


def spoken(iri: str) -> str:
    """Make a readable name of an IRI that has no label."""
    if iri.startswith(GRAPH):
        return unquote(iri.removeprefix(GRAPH)) or iri
    short = compact(iri)
    if short == iri or iri.startswith(ID):
        tail = unquote(re.split(r"[/#]", iri.rstrip("/#"))[-1])
        return tail.replace("-", " ").replace("_", " ").strip() or iri
    return short


def values(iris: Iterable[str]) -> str:
    """Write IRIs as the body of a VALUES block."""
    return " ".join(iri_text(iri) for iri in iris)


def name_all(store: Store, iris: Iterable[str]) -> dict[str, Name]:
    """Name many things at once, in the reader's language where there is a choice, else from the IRI."""
    wanted = list(dict.fromkeys(iris))
    names: dict[str, Name] = {}
    for start in range(0, len(wanted), 300):
        part = wanted[start : start + 300]
        best: dict[str, tuple[tuple[int, str], Name]] = {}
        text = f"""{PROLOGUE}
            SELECT DISTINCT ?s ?label (EXISTS {{ ?s ?any ?thing }} AS ?described)
            WHERE {{ VALUES ?s {{ {values(part)} }} OPTIONAL {{ ?s {LABELS} ?label }} }}"""
        for row in store.query(text).rows():
            iri = plain(row["s"])
            label = row.get("label")
            described = plain(row["described"]) == "true"
            if isinstance(label, Literal) and label.value.strip():
                language = label.language
                rank = preference(language)
                found = Name(iri, label.value[:_LABEL_LIMIT], language, described)
            else:
                rank, found = 99, Name(iri, spoken(iri), None, described)
            key = (rank, found.label)
            if iri not in best or key < best[iri][0]:
                best[iri] = (key, found)
        names.update({iri: found for iri, (_, found) in best.items()})
    return names


def types_of(store: Store, iris: Iterable[str]) -> dict[str, list[str]]:
    """Give the classes of each thing that no other class of it is more specific than."""
    types: dict[str, list[str]] = {}
    text = f"""{PROLOGUE}
        SELECT DISTINCT ?s ?type WHERE {{
          VALUES ?s {{ {values(dict.fromkeys(iris))} }} ?s a ?type FILTER(isIRI(?type)) }}"""
    for row in store.query(text).rows():
        types.setdefault(plain(row["s"]), []).append(plain(row["type"]))
    above = _above(store, sorted({cls for found in types.values() if len(found) > 1 for cls in found}))
    ours = (ONTOLOGY, PREFIXES["org"])
    specific = {
        iri: [cls for cls in found if not any((other, cls) in above for other in found if other != cls)]
        for iri, found in types.items()
    }
    return {iri: sorted(found, key=lambda t: (not t.startswith(ours), t)) for iri, found in specific.items()}


def _above(store: Store, classes: Iterable[str]) -> set[tuple[str, str]]:
    """Pair each class with every one above it.

    One path for each, that begins at a constant: from a list of beginnings Virtuoso loses some of the ends.
    """
    paths = [f"{{ {cls} rdfs:subClassOf+ ?above BIND({cls} AS ?cls) }}" for cls in map(iri_text, classes)]
    if not paths:
        return set()
    text = f"{PROLOGUE} SELECT DISTINCT ?cls ?above WHERE {{ {' UNION '.join(paths)} }}"
    return {(plain(row["cls"]), plain(row["above"])) for row in store.query(text).rows()}


def exists(store: Store, iri: str) -> bool:
    """Tell whether any triple, or any graph, bears this IRI."""
    try:
        node = str(NamedNode(iri))
    except ValueError:
        return False
    patterns = (f"{node} ?p ?o", f"?s ?p {node}", f"?s {node} ?o", f"GRAPH {node} {{ ?s ?p ?o }}")
    return any(store.query(f"ASK {{ {pattern} }}").truth() for pattern in patterns)


def plain(found: object) -> str:
    """Give the text of an IRI, blank node or literal."""
    return str(getattr(found, "value", found))


def row_text(row: Row, name: str) -> str | None:
    """Give the text of a column, None when it is unbound."""
    return plain(row[name]) if name in row else None
