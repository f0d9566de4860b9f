"""Which thing a name means, and which things a text may mean."""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from kg.errors import UnknownNameError
from kg.search.folding import fold
from kg.search.index import SearchIndex
from kg.search.naming import PROLOGUE, Hit, exists, iri_text, name_all, plain, types_of, values
from kg.store import Store
from kg.terms import ID, PREFIXES, term

_LABEL_LIMIT: Final = 300
_SIMILAR_LIMIT: Final = 3000

_ATTACHED: WeakKeyDictionary[Store, SearchIndex] = WeakKeyDictionary()
_ATTACHING: Final = threading.Lock()


def attach(store: Store, index: SearchIndex) -> None:
    """Have the names of a store looked up in this index."""
    with _ATTACHING:
        _ATTACHED[store] = index


def index_of(store: Store) -> SearchIndex:
    """Give the index that belongs to a store, fit to be searched; one in memory where none was attached."""
    with _ATTACHING:
        found = _ATTACHED.get(store)
        if found is None:
            found = _ATTACHED[store] = SearchIndex()
    found.freshen(store)
    return found


def search(store: Store, text: str, limit: int = 20, kinds: Sequence[str] = ()) -> list[Hit]:
    """Find things by their names, whatever the case: equal first, then beginnings, whole words, parts.

    Every word of the text must occur in one name or alias; at most `limit` things come back.
    """
    return with_types(store, index_of(store).search(text, limit, kinds))


def suggest(store: Store, text: str, limit: int = 10, *, of: str | None = None) -> list[Hit]:
    """Find things whose names begin so; with `of`, the IRI of a class, only its members."""
    if of is None:
        return index_of(store).suggest(text, limit)
    found = index_of(store).suggest(text, 20 * limit)
    if not found:
        return []
    members = f"""{PROLOGUE} SELECT DISTINCT ?s WHERE {{ VALUES ?s {{ {values(hit.iri for hit in found)} }}
        ?s a/rdfs:subClassOf* {iri_text(of)} }}"""
    fitting = {plain(row["s"]) for row in store.query(members).rows()}
    return [hit for hit in found if hit.iri in fitting][:limit]


def with_types(store: Store, hits: Sequence[Hit]) -> list[Hit]:
    """Say of each hit what it is: the label of its most specific class."""
    if not hits:
        return []
    types = types_of(store, [hit.iri for hit in hits])
    labels = name_all(store, {found[0] for found in types.values()})
    return [
        replace(hit, type_label=labels[types[hit.iri][0]].label) if types.get(hit.iri) else hit
        for hit in hits
    ]


def resolve(store: Store, name: str) -> str:
    """Give the IRI that a name means: an IRI, CURIE, `kind/slug`, country code, label or alias.

    Raises UnknownNameError with suggestions.
    """
    name = name.strip()
    for candidate in _candidates(name):
        if exists(store, candidate):
            return candidate
    index = index_of(store)
    if re.fullmatch(r"[A-Za-z]{2,3}|[0-9]{3}", name):
        text = f"{PROLOGUE} SELECT ?s WHERE {{ ?s dg:iso2|dg:iso3|dg:isoNumeric {_code(name)} }} LIMIT 2"
        for row in store.query(text).rows():
            return plain(row["s"])
    exact = index.exactly(name) or index.exactly(name, identifiers=True)
    if exact:
        return exact
    raise unknown(store, name)


def unknown(store: Store, name: str) -> UnknownNameError:
    """Make the error for a name that means nothing here, with the nearest things that do."""
    index = index_of(store)
    tail = unquote(re.split(r"[/#:]", name[:_LABEL_LIMIT].rstrip("/#"))[-1])
    words = re.findall(r"\w+", tail)
    found = index.search(" ".join(words), 5)
    for word in sorted(words, key=len, reverse=True)[:3]:
        found = found or index.search(word, 5) or (index.search(word[:4], 5) if len(word) > 5 else [])
    found = found or _similar(index, tail)
    hints = "; ".join(
        f"{hit.label[:80]} ({hit.iri.removeprefix(ID)})" if hit.iri.startswith(ID) else hit.label[:80]
        for hit in found
    )
    return UnknownNameError(
        f"nothing here is called {name[:_LABEL_LIMIT]!r}",
        mend=f"Did you mean: {hints}?" if hints else "Search for a part of its name.",
    )


def _similar(index: SearchIndex, name: str) -> list[Hit]:
    folded = fold(name)
    near = difflib.get_close_matches(folded, index.beginning(folded[:1], _SIMILAR_LIMIT), n=3)
    return [hit for label in near for hit in index.search(label, 1)] if folded else []


def _code(name: str) -> str:
    return f'"{name.upper()}"'


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
