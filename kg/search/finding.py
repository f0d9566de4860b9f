"""Finds names in the index: equal ones first, then beginnings, words, and parts of words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kg.search.folding import fold, words_of
from kg.search.index_file import CLASS, KIND, TEXT
from kg.search.naming import Hit, kind_of, spoken

Rows = Callable[[str, tuple[object, ...]], list[tuple[Any, ...]]]
"""Runs a SQL statement with values and returns its rows."""

_WORDS: Final = 8
_PARTS_FOUND: Final = 400


def find(rows: Rows, text: str, limit: int, kinds: Sequence[str], most: int, parts: bool) -> list[Hit]:
    """Find things of the given kinds (all if empty) by a text, examining at most `most` names of each kind.

    Every word of the text must begin a word of one name; with `parts`, parts of words match if that finds too
    few.
    """
    needle = fold(text)
    words = words_of(needle)[:_WORDS]
    if not needle or limit < 1:
        return []
    columns = f"iri, role, text, folded, id / {CLASS}"
    found = rows(f"SELECT {columns} FROM name WHERE folded = ? LIMIT 400", (needle,))  # noqa: S608
    if kinds:
        found = [row for row in found if kind_of(row[0]) in kinds]
    match = " AND ".join(f'"{word}"*' for word in words)
    for low, high in _ranges(rows, kinds) if words else ():
        found += rows(
            f"SELECT {columns} FROM name WHERE id IN (SELECT rowid FROM word WHERE word MATCH ? "  # noqa: S608
            "AND rowid BETWEEN ? AND ? ORDER BY rowid LIMIT ?)",
            (match, low, high, most),
        )
    if parts and len({row[0] for row in found}) < limit:
        every = " AND ".join("instr(folded, ?)" for _ in words or [needle])
        for low, high in _ranges(rows, kinds):
            found += rows(
                f"SELECT {columns} FROM name WHERE id BETWEEN ? AND ? AND role != 2 AND {every} "  # noqa: S608
                "ORDER BY id LIMIT ?",
                (low, high, *(words or [needle]), _PARTS_FOUND),
            )
    best: dict[str, tuple[int, int, int, str, str]] = {}
    for iri, role, name, folded, order in found:
        key = (3 * _rank(folded, needle) + order, role, len(folded), folded, name)
        if iri not in best or key < best[iri]:
            best[iri] = key
    chosen = sorted(best, key=lambda iri: (best[iri], iri))[:limit]
    labels = _labels(rows, chosen)
    hits = []
    for iri in chosen:
        label, language = labels.get(iri, (spoken(iri), None))
        matched = best[iri][-1]
        other = "" if fold(matched) == fold(label) else matched[:TEXT]
        hits.append(Hit(iri, label[:TEXT], kind_of(iri), "", other, language))
    return hits


def _labels(rows: Rows, iris: Sequence[str]) -> dict[str, tuple[str, str | None]]:
    marks = ", ".join("?" * len(iris))
    found = rows(
        f"SELECT iri, text, language FROM name WHERE iri IN ({marks}) AND role = 0",  # noqa: S608
        tuple(iris),
    )
    # The last of equal IRIs wins: English, then no language, then others.
    ordered = sorted(found, key=lambda row: (2 if row[2] and row[2][:2] != "en" else not row[2], row[1]))
    return {iri: (text, language or None) for iri, text, language in reversed(ordered)}


def _ranges(rows: Rows, kinds: Sequence[str]) -> list[tuple[int, int]]:
    if not kinds:
        return [(0, 3 * CLASS)]
    marks = ", ".join("?" * len(kinds))
    found = rows(f"SELECT base FROM kind WHERE kind IN ({marks}) ORDER BY base", tuple(kinds))  # noqa: S608
    return [(base, base + KIND - 1) for (base,) in found]


def _rank(folded: str, needle: str) -> int:
    """Return 0 for equal, 1 for a beginning, 2 at the start of a word, 3 anywhere, 4 for separate words."""
    found = (folded == needle, folded.startswith(needle), f" {needle}" in folded, needle in folded, True)
    return found.index(True)
