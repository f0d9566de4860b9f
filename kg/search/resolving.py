"""From names to things: the one that a name means, and those that a text may mean."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from urllib.parse import unquote
from weakref import WeakKeyDictionary

from kg.errors import UnknownNameError
from kg.search.hierarchy import types_of
from kg.search.index import SearchIndex
from kg.search.naming import PROLOGUE, Hit, first_known, iri_text, name_all, plain, values
from kg.store import Store
from kg.terms import ID, PREFIXES, term

_LABEL_LIMIT: Final = 300

_ATTACHED: WeakKeyDictionary[Store, SearchIndex] = WeakKeyDictionary()
_ATTACHING: Final = threading.Lock()


def attach(store: Store, index: SearchIndex) -> None:
    """Use an index for looking up the names of a store."""
    with _ATTACHING:
        _ATTACHED[store] = index


def index_of(store: Store) -> SearchIndex:
    """Return the index of a store, brought up to date; one in memory if none was attached."""
    with _ATTACHING:
        found = _ATTACHED.get(store)
        if found is None:
            found = _ATTACHED[store] = SearchIndex()
    found.freshen(store)
    return found


def search(store: Store, text: str, limit: int = 20, kinds: Sequence[str] = ()) -> list[Hit]:
    """Find at most `limit` things by name, in any case: equal names first, then beginnings, words, parts.

    Every word of the text must occur in one name or alias.
    """
    hits = index_of(store).search(text, limit, kinds)
    return store.run(with_types, hits) if hits else []


def suggest(store: Store, text: str, limit: int = 10, *, of: str | None = None) -> list[Hit]:
    """Find things with a name that begins with a text; with `of`, the IRI of a class, only its members."""
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
    """Add to each hit the label of its most specific class."""
    types = types_of(store, [hit.iri for hit in hits])
    labels = name_all(store, {found[0] for found in types.values()})
    return [
        replace(hit, type_label=labels[types[hit.iri][0]].label) if types.get(hit.iri) else hit
        for hit in hits
    ]


def resolve(store: Store, name: str) -> str:
    """Return the IRI that a name means: an IRI, CURIE, `kind/slug`, country code, label or alias.

    Raises UnknownNameError with suggestions.
    """
    return resolve_all(store, [name])[0]


def resolve_all(store: Store, names: Sequence[str]) -> list[str]:
    """Return the IRI that each name means; see `resolve`."""
    found = look_up(store, names)
    for name, iri in zip(names, found, strict=True):
        if iri is None:
            raise unknown(store, name.strip())
    return [iri for iri in found if iri is not None]


def look_up(store: Store, names: Sequence[str]) -> list[str | None]:
    """Return the IRI that each name means, None for an unknown name; see `resolve`."""
    names = [name.strip() for name in names]
    found = store.run(_known_directly, names) if names else []
    for number, name in enumerate(names):
        if found[number] is None:
            index = index_of(store)
            found[number] = index.exactly(name) or index.exactly(name, identifiers=True)
    return found


def _known_directly(store: Store, names: Sequence[str]) -> list[str | None]:
    """Look names up that are IRIs, or short for IRIs, or country codes; None for other names."""
    return [first_known(store, _candidates(name)) or _by_code(store, name) for name in names]


def _by_code(store: Store, name: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z]{2,3}|[0-9]{3}", name):
        return None
    code = f'"{name.upper()}"'
    text = f"{PROLOGUE} SELECT ?s WHERE {{ ?s dg:iso2|dg:iso3|dg:isoNumeric {code} }} ORDER BY ?s LIMIT 1"
    return next((plain(row["s"]) for row in store.query(text).rows()), None)


def unknown(store: Store, name: str) -> UnknownNameError:
    """Build the error for an unknown name, with the most similar names."""
    index = index_of(store)
    tail = unquote(re.split(r"[/#:]", name[:_LABEL_LIMIT].rstrip("/#"))[-1])
    words = re.findall(r"\w+", tail)
    found = index.search(" ".join(words), 5)
    for word in sorted(words, key=len, reverse=True)[:3]:
        found = found or index.search(word, 5) or (index.search(word[:4], 5) if len(word) > 5 else [])
    meant = tuple({hit.label[:80]: hit.iri for hit in reversed(found)}.items())[::-1]
    *others, last = [f"“{label}”" for label, _ in meant] or [""]
    hints = " or ".join(filter(None, (", ".join(others), last)))
    return UnknownNameError(
        f"nothing is called {name[:_LABEL_LIMIT]!r}",
        mend=f"Did you mean {hints}?" if hints else "Search for a part of its name.",
        meant=meant,
    )


def _candidates(name: str) -> list[str]:
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", name):
        slug = name.strip("/")
        return [ID + slug if "/" in slug else f"{ID}country/{slug.lower()}"]
    found = [name]
    if name.partition(":")[0] in PREFIXES:
        with suppress(ValueError):
            found.append(term(name).value)
    return found
