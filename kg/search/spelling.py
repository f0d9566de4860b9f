"""Misspelt words of a search, read as words of the index that are spelt alike."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import Final

from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from kg.search.finding import Rows
from kg.search.folding import fold, words_of

# Words of the index that are compared: with the same first letter, and of all letters.
_COMPARED: Final = 50_000
_COMPARED_EVERYWHERE: Final = 250_000
_NEAR: Final = 3
_READINGS: Final = 4
_WORDS: Final = 6
# Shorter words differ by one letter from too many others.
_SHORTEST: Final = 4
_LONG: Final = 6


def respelt(rows: Rows, text: str, *, everywhere: bool) -> Iterator[str]:
    """Yield texts with words of the index in place of misspelt ones, the most alike first.

    Letters that are missing, added, replaced or exchanged with their neighbour count one each; long words may
    have two. The first letter may be wrong only if words are compared `everywhere`, which takes longer.
    """
    options: list[list[str]] = []
    for word in words_of(fold(text))[:_WORDS]:
        known = rows("SELECT 1 FROM word WHERE word MATCH ? LIMIT 1", (f'"{word}"*',))
        near = [word] if known or len(word) < _SHORTEST else _near(rows, word, everywhere)
        if not near:
            return
        options.append(near)
    for reading in islice(product(*options), _READINGS):
        if (respelling := " ".join(reading)) != fold(text):
            yield respelling


def _near(rows: Rows, word: str, everywhere: bool) -> list[str]:
    most = 1 if len(word) < _LONG else 2
    compared = [(word[0], _COMPARED), *([("", _COMPARED_EVERYWHERE)] if everywhere else [])]
    for low, number in compared:
        terms = rows(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? LIMIT ?",
            (low, low + "\U0010ffff", number),
        )
        found = extract(word, [term for (term,) in terms], scorer=OSA.distance, score_cutoff=most)
        if found:
            return [near for near, _, _ in found[:_NEAR]]
    return []
