"""The names in a store that the search index contains."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from kg.changes import Batch
from kg.search.naming import PROLOGUE, kind_of, plain, values
from kg.store import Row, Store
from kg.terms import ID, ONTOLOGY, PREFIXES, compact

LABEL, ALIAS, IDENTIFIER, MENTION = 0, 1, 2, 3

ROLES: Final = {
    PREFIXES["rdfs"] + "label": LABEL,
    PREFIXES["skos"] + "prefLabel": LABEL,
    PREFIXES["dcterms"] + "title": LABEL,
    PREFIXES["skos"] + "altLabel": ALIAS,
    PREFIXES["skos"] + "hiddenLabel": ALIAS,
    PREFIXES["skos"] + "notation": IDENTIFIER,
    PREFIXES["dcterms"] + "identifier": IDENTIFIER,
    PREFIXES["skos"] + "exactMatch": IDENTIFIER,
    **{
        f"{ONTOLOGY}{code}": IDENTIFIER
        for code in ("iso2", "iso3", "isoNumeric", "fips", "cameo", "cow", "unM49")
    },
}
_MENTION_TEXT: Final = ONTOLOGY + "mentionText"
_REFERS_TO: Final = ONTOLOGY + "refersTo"
# Parts of claims and machine-coded rows are reached from their owners; they would dominate a search.
_LEFT_OUT: Final = frozenset(
    ("step", "span", "text", "time", "interaction", "membership", "mention", "record", "record-group")
)
_ROLES: Final = {
    **{f"<{name}>".encode(): role for name, role in ROLES.items()},
    **{f"<{name}>".encode(): MENTION for name in (_MENTION_TEXT, _REFERS_TO)},
}
_LANGUAGE: Final = re.compile(rb"@[a-z]+(?:-[a-z0-9]+)*")
# Of the kinds left out, only mentions contain names of other things.
_NO_NAMES: Final = _LEFT_OUT - {"mention"}
# Most lines fail to match at their first letters.
_NAMES: Final = re.compile(
    rb"<(?!%b(?:%b)/)[^ ]* (?:%b) "
    % (
        re.escape(ID.encode()),
        b"|".join(re.escape(kind.encode()) for kind in sorted(_NO_NAMES)),
        b"|".join(map(re.escape, sorted(_ROLES))),
    )
)
_BATCH: Final = 500


@dataclass(frozen=True)
class IndexedName:
    """One name of one thing; `via` is the mention that contains it, else empty."""

    iri: str
    role: int
    text: str
    language: str = ""
    via: str = ""


def marker(store: Store, before: str = "") -> str:
    """Return counts that identify the state of a store's names, also after a restart.

    `before` is the result for the same names, which are then not counted again.
    """
    names = before.split(" ")[:2] if before else _counts(store, _NAME_COUNT, _MENTION_COUNT)
    return " ".join([*names, *_counts(store, _LOAD_COUNT)])


_NAME_COUNT: Final = "?s rdfs:label|skos:altLabel|dcterms:title ?name"
_MENTION_COUNT: Final = "?s dg:refersTo ?who"
_LOAD_COUNT: Final = "GRAPH graph:loads { ?load ?p ?o }"


def _counts(store: Store, *patterns: str) -> list[str]:
    parts = (f"{{ SELECT (COUNT(*) AS ?n{i}) WHERE {{ {p} }} }}" for i, p in enumerate(patterns))
    row = next(iter(store.query(f"{PROLOGUE} SELECT * WHERE {{ {' '.join(parts)} }}").rows()))
    return [plain(row[f"n{i}"]) for i in range(len(patterns))]


def all_entries(store: Store) -> Iterator[IndexedName]:
    """Yield all names in a store."""
    for predicate, role in ROLES.items():
        for row in store.query(f"SELECT ?s ?o WHERE {{ ?s <{predicate}> ?o }}").rows():
            yield from _entry(row, role)
    yield from _mentions(store, "")


def entries_of(store: Store, things: Iterable[str]) -> Iterator[IndexedName]:
    """Yield the current names of some things, except those from mentions."""
    for part in _parts(things):
        # With a second VALUES block the engine reads everything.
        text = f"""SELECT ?s ?p ?o WHERE {{ VALUES ?s {{ {values(part)} }} ?s ?p ?o
            FILTER(?p IN ({", ".join(f"<{role}>" for role in ROLES)})) }}"""
        for row in store.query(text).rows():
            yield from _entry(row, ROLES[plain(row["p"])])


def entries_by(store: Store, mentions: Iterable[str]) -> Iterator[IndexedName]:
    """Yield the current names from some mentions."""
    for part in _parts(mentions):
        yield from _mentions(store, f"VALUES ?via {{ {values(part)} }}")


@dataclass
class Names:
    """Names in a change, and the mentions that it concerns."""

    entries: list[IndexedName] = field(default_factory=list)
    mentions: set[str] = field(default_factory=set)


def names_in(batch: Batch) -> Names:
    """Return the names in some triples, except those of kinds that are left out."""
    found = Names()
    for line in filter(_NAMES.match, batch.lines):
        subject, predicate, name = line[: -batch.end].split(b" ", 2)
        role, iri = _ROLES[predicate], subject[1:-1].decode()
        if role == MENTION:
            found.mentions.add(iri)
            continue
        text, _, tail = name[1:].rpartition(b'"')
        if name[:1] == b'"' and b"\\" not in text and (not tail or _LANGUAGE.fullmatch(tail)):
            # The literal has no escapes.
            if text.strip() and kind_of(iri) not in _LEFT_OUT:
                found.entries.append(IndexedName(iri, role, text.decode(), tail[1:].decode()))
        else:
            [quad] = parse(b"<urn:x> <urn:x> %b ." % name, format=RdfFormat.N_TRIPLES)
            found.entries += _entry({"s": NamedNode(iri), "o": quad.object}, role)
    return found


def _mentions(store: Store, block: str) -> Iterator[IndexedName]:
    text = f"""SELECT DISTINCT ?via ?s ?o WHERE {{ {block}
        ?via <{_MENTION_TEXT}> ?o ; <{_REFERS_TO}> ?s }}"""
    for row in store.query(text).rows():
        via = plain(row["via"])
        for found in _entry(row, MENTION) if kind_of(via) not in _NO_NAMES else ():
            yield IndexedName(found.iri, MENTION, found.text, found.language, via)


def _entry(row: Row, role: int) -> Iterator[IndexedName]:
    subject, name = row["s"], row["o"]
    if not isinstance(subject, NamedNode) or kind_of(subject.value) in _LEFT_OUT:
        return
    if isinstance(name, Literal) and name.value.strip():
        yield IndexedName(subject.value, role, name.value, name.language or "")
    elif isinstance(name, NamedNode) and role == IDENTIFIER and name.value.startswith(PREFIXES["wd"]):
        yield IndexedName(subject.value, role, compact(name.value).partition(":")[2])


def _parts(iris: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(dict.fromkeys(iris))
    while part := list(islice(rest, _BATCH)):
        yield part
