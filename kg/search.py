"""Names: what things are called, which thing a name means, and which things a text may mean."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from pyoxigraph import Literal, NamedNode

from kg.errors import UnknownNameError
from kg.languages import preference
from kg.store import Row, Store
from kg.terms import ID, ONTOLOGY, PREFIXES, compact, term

PROLOGUE: Final = "".join(f"PREFIX {prefix}: <{iri}>\n" for prefix, iri in PREFIXES.items())
LABELS: Final = "rdfs:label|skos:prefLabel|dcterms:title"
_TEXT_LIMIT = 200
_WORD_LIMIT = 8
_LABEL_LIMIT = 300
_CANDIDATES = 400
_SIMILAR_LIMIT = 3000
# Parts of claims: they are reached from what they belong to and would drown it here.
_PARTS = ("step", "span", "text", "time", "interaction", "membership", "mention")
_FIRST = (
    "country",
    "government",
    "administration",
    "agency",
    "organization",
    "person",
    "group",
    "place",
    "event",
)
_SECOND = ("policy", "post", "source", "unnamed-source", "claim", "topic", "quantity", "event-type")


@dataclass(frozen=True)
class Name:
    """A thing and what to call it; `described` tells whether the store says anything of it."""

    iri: str
    label: str
    language: str | None = None
    described: bool = True


@dataclass(frozen=True)
class Hit:
    """One thing that a search found; `kind` is the part of its IRI after `id/`, else `other`."""

    iri: str
    label: str
    kind: str
    type_label: str


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
    for start in range(0, len(wanted), 500):
        part = wanted[start : start + 500]
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
          VALUES ?s {{ {values(dict.fromkeys(iris))} }} ?s a ?type .
          FILTER NOT EXISTS {{ ?s a ?other . ?other rdfs:subClassOf+ ?type . FILTER(?other != ?type) }}
        }} ORDER BY ?type"""
    for row in store.query(text).rows():
        types.setdefault(plain(row["s"]), []).append(plain(row["type"]))
    ours = (ONTOLOGY, PREFIXES["org"])
    return {iri: sorted(found, key=lambda t: (not t.startswith(ours), t)) for iri, found in types.items()}


def search(store: Store, text: str, limit: int = 20) -> list[Hit]:
    """Find things by their names, whatever the case: equal first, then beginnings, whole words, parts.

    Every word of the text must occur in one name or alias; at most `limit` things come back.
    """
    needle = " ".join(text.split())[:_TEXT_LIMIT].lower()
    words = list(dict.fromkeys(needle.split()))[:_WORD_LIMIT]
    if not words:
        return []
    best: dict[str, int] = {}
    for row in store.query(_search_text(needle, words)).rows():
        iri, rank = plain(row["s"]), int(plain(row["rank"]))
        best[iri] = 4 * rank + _order(kind_of(iri))
    names = name_all(store, best)
    chosen = sorted(best, key=lambda iri: (best[iri], len(names[iri].label), names[iri].label))[:limit]
    types = types_of(store, chosen)
    labels = name_all(store, {found[0] for found in types.values()})
    return [
        Hit(iri, names[iri].label, kind_of(iri), labels[types[iri][0]].label if types.get(iri) else "")
        for iri in chosen
    ]


def _order(kind: str) -> int:
    return 0 if kind in _FIRST else 1 if kind in _SECOND else 2


def resolve(store: Store, name: str) -> str:
    """Give the IRI that a name means: an IRI, CURIE, `kind/slug`, country code, label or alias.

    Raises UnknownNameError with suggestions.
    """
    name = name.strip()
    for candidate in _candidates(name):
        if exists(store, candidate):
            return candidate
    if re.fullmatch(r"[A-Za-z]{2,3}|[0-9]{3}", name):
        code = str(Literal(name.upper()))
        text = f"{PROLOGUE} SELECT ?s WHERE {{ ?s dg:iso2|dg:iso3|dg:isoNumeric {code} }} ORDER BY ?s LIMIT 1"
        for row in store.query(text).rows():
            return plain(row["s"])
    exact = _exactly(store, name)
    if exact:
        return exact
    raise unknown(store, name)


def exists(store: Store, iri: str) -> bool:
    """Tell whether any triple, or any graph, bears this IRI."""
    try:
        node = str(NamedNode(iri))
    except ValueError:
        return False
    patterns = (f"{node} ?p ?o", f"?s ?p {node}", f"?s {node} ?o", f"GRAPH {node} {{ ?s ?p ?o }}")
    return any(store.query(f"ASK {{ {pattern} }}").truth() for pattern in patterns)


def unknown(store: Store, name: str) -> UnknownNameError:
    """Make the error for a name that means nothing here, with the nearest things that do."""
    tail = re.split(r"[/#:]", name.rstrip("/#"))[-1]
    words = re.findall(r"\w+", unquote(tail))
    found = search(store, " ".join(words), 5)
    for word in sorted(words, key=len, reverse=True)[:3]:
        found = found or search(store, word, 5) or (search(store, word[:4], 5) if len(word) > 5 else [])
    found = found or _similar(store, unquote(tail))
    hints = "; ".join(
        f"{hit.label[:80]} ({hit.iri.removeprefix(ID)})" if hit.iri.startswith(ID) else hit.label[:80]
        for hit in found
    )
    return UnknownNameError(
        f"nothing here is called {name[:_LABEL_LIMIT]!r}",
        mend=f"Did you mean: {hints}?" if hints else "Search for a part of its name.",
    )


def _similar(store: Store, name: str) -> list[Hit]:
    start = str(Literal(name[:1].lower()))
    text = f"""{PROLOGUE}
        SELECT DISTINCT ?label WHERE {{
          ?s {LABELS}|skos:altLabel ?label FILTER(STRSTARTS(LCASE(STR(?label)), {start}))
        }} LIMIT {_SIMILAR_LIMIT}"""
    labels = {plain(row["label"]).lower() for row in store.query(text).rows()}
    near = difflib.get_close_matches(name.lower(), labels, n=3)
    return [hit for label in near for hit in search(store, label, 1)] if name else []


def plain(found: object) -> str:
    """Give the text of an IRI, blank node or literal."""
    return str(getattr(found, "value", found))


def _candidates(name: str) -> list[str]:
    found = []
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name):
        found.append(name)
        prefix = name.partition(":")[0]
        if prefix in PREFIXES:
            try:
                found.append(term(name).value)
            except ValueError:
                return found
    else:
        slug = name.strip("/")
        found.append(ID + slug if "/" in slug else f"{ID}country/{slug.lower()}")
    return found


def _exactly(store: Store, name: str) -> str | None:
    wanted = str(Literal(name.lower()))
    text = f"""{PROLOGUE}
        SELECT DISTINCT ?s ?alias WHERE {{
          ?s ?p ?label VALUES (?p ?alias) {{
            (rdfs:label 0) (skos:prefLabel 0) (dcterms:title 0) (skos:altLabel 1) }}
          FILTER(LCASE(STR(?label)) = {wanted})
        }} ORDER BY ?alias ?s LIMIT {_CANDIDATES}"""
    found: list[tuple[int, int, int, str]] = []
    for row in store.query(text).rows():
        iri = plain(row["s"])
        found.append((int(plain(row["alias"])), _order(kind_of(iri)), len(iri), iri))
    return min(found)[-1] if found else None


def _search_text(needle: str, words: list[str]) -> str:
    """Rank 0 equal, 1 beginning, 2 at the start of a word, 3 anywhere; 4 the words apart."""
    whole = str(Literal(needle))
    spaced = str(Literal(" " + needle))
    every = " && ".join(f"CONTAINS(?lower, {Literal(word)})" for word in words)
    parts = " && ".join(f"!STRSTARTS(STR(?s), {Literal(ID + kind + '/')})" for kind in _PARTS)
    return f"""{PROLOGUE}
        SELECT ?s (MIN(?score) AS ?rank) WHERE {{
          {{ ?s {LABELS}|skos:altLabel ?label }}
          UNION {{ ?mention dg:mentionText ?label ; dg:refersTo ?s }}
          UNION {{ ?s dg:iso2|dg:iso3 ?label FILTER(LCASE(STR(?label)) = {whole}) }}
          BIND(LCASE(STR(?label)) AS ?lower)
          FILTER({every})
          FILTER({parts})
          BIND(IF(?lower = {whole}, 0, IF(STRSTARTS(?lower, {whole}), 1,
            IF(CONTAINS(REPLACE(?lower, "[^\\\\p{{L}}\\\\p{{N}}]+", " "), {spaced}), 2,
            IF(CONTAINS(?lower, {whole}), 3, 4)))) AS ?score)
        }} GROUP BY ?s ORDER BY ?rank ?s LIMIT {_CANDIDATES}"""


def row_text(row: Row, name: str) -> str | None:
    """Give the text of a column, None when it is unbound."""
    return plain(row[name]) if name in row else None
