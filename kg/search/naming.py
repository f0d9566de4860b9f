"""Labels of things, and IRIs in SPARQL text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from kg.errors import UnknownNameError
from kg.languages import preference, wanted
from kg.store import Row, Store
from kg.store.per_version import kept_for
from kg.terms import GRAPH, ID, PREFIXES, compact

# Without the prefix `load`, because a text with that word is searched for LOAD, token by token.
PROLOGUE: Final = "".join(f"PREFIX {name}: <{iri}>\n" for name, iri in PREFIXES.items() if name != "load")
LABELS: Final = "rdfs:label|skos:prefLabel|dcterms:title"
_LABEL_LIMIT: Final = 300
_TOGETHER: Final = 300
_KEPT_NAMES: Final = 20_000
_SPOKEN: Final = 'BIND(LANG(?label) AS ?language) FILTER(?language = "" || {})'


@dataclass(frozen=True)
class Name:
    """A thing and its label; `described` is whether any triple has it as its subject."""

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
    """Write an IRI for a SPARQL text; raises UnknownNameError if it is not a valid IRI."""
    try:
        return str(NamedNode(iri))
    except ValueError as error:
        raise UnknownNameError(
            f"{iri[:_LABEL_LIMIT]!r} is not an IRI: {error}", mend="Look for the thing by its name."
        ) from None


def kind_of(iri: str) -> str:
    """Return the kind in one of our IRIs (`country`, `event`), else `other`."""
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
    """Name many things at once: in the language that the reader prefers, from the IRI if there is no label.

    Names are kept until the data change.
    """
    asked = list(dict.fromkeys(iris))
    known: dict[str, Name] = kept_for(store).setdefault(("names", wanted()), {})
    if len(known) > _KEPT_NAMES:
        known.clear()
    names = {iri: known[iri] for iri in asked if iri in known}
    new = [iri for iri in asked if iri not in names]
    for start in range(0, len(new), _TOGETHER):
        part = new[start : start + _TOGETHER]
        found = _labels(store, part, _SPOKEN.format(_in_languages()))
        if rest := [iri for iri in part if iri not in found]:
            found |= _labels(store, rest, "")
        if rest := [iri for iri in rest if iri not in found]:
            text = f"SELECT DISTINCT ?s WHERE {{ VALUES ?s {{ {values(rest)} }} ?s ?any ?thing }}"
            described = {plain(row["s"]) for row in store.query(text).rows()}
            found |= {iri: Name(iri, spoken(iri), None, iri in described) for iri in rest}
        names |= found
        known |= found
    return names


def _in_languages() -> str:
    tags = dict.fromkeys(tag.partition("-")[0] for tag in wanted())
    return " || ".join(f'LANGMATCHES(?language, "{tag}")' for tag in tags)


def _labels(store: Store, iris: Iterable[str], narrowed: str) -> dict[str, Name]:
    """Pick the best label of each thing; things without one are not in the answer."""
    pattern = f"VALUES ?s {{ {values(iris)} }} ?s {LABELS} ?label {narrowed}"
    best: dict[str, tuple[int, str, str | None]] = {}
    ranks: dict[str | None, int] = {}
    for row in store.query(f"{PROLOGUE} SELECT ?s ?label WHERE {{ {pattern} }}").rows():
        iri, label = plain(row["s"]), row["label"]
        if not isinstance(label, Literal) or not label.value.strip():
            continue
        language = label.language
        if language not in ranks:
            ranks[language] = preference(language)
        key = (ranks[language], label.value[:_LABEL_LIMIT], language)
        if iri not in best or key[:2] < best[iri][:2]:
            best[iri] = key
    return {iri: Name(iri, label, language) for iri, (_, label, language) in best.items()}


def exists(store: Store, iri: str) -> bool:
    """Return whether any triple, or any graph, has this IRI."""
    return first_known(store, [iri]) is not None


def first_known(store: Store, iris: Iterable[str]) -> str | None:
    """Return the first of several IRIs that any triple, or any graph, has."""
    for iri in iris:
        try:
            node = str(NamedNode(iri))
        except ValueError:
            continue
        patterns = (f"{node} ?p ?o", f"?s ?p {node}", f"?s {node} ?o", f"GRAPH {node} {{ ?s ?p ?o }}")
        if any(store.query(f"ASK {{ {pattern} }}").truth() for pattern in patterns):
            return iri
    return None


def plain(found: object) -> str:
    """Return the text of an IRI, blank node or literal."""
    return str(getattr(found, "value", found))


def row_text(row: Row, name: str) -> str | None:
    """Return the text of a column, None if it is unbound."""
    return plain(row[name]) if name in row else None
