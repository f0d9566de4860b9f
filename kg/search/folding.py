"""Folding of names, so that `Côte d’Ivoire`, `COTE D'IVOIRE` and `cote d ivoire` are equal."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TEXT_LIMIT: Final = 200
"""Number of code points compared of a name or search text."""

_WORD: Final = re.compile(r"[^\W_]+")
# The letters of an abbreviation with dots (U.K., D.R.C.), once the dots are blanks.
_LETTERS_APART: Final = re.compile(r"(?<!\S)[^\W\d_](?: [^\W\d_])+(?!\S)")
# Letters that Unicode does not decompose into a base letter and a mark.
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)


def fold(text: str) -> str:
    """Return a text as its words without case, accents and punctuation, separated by single spaces.

    Single letters that follow each other are one word, so that `U.K.` and `UK` are equal. A text without
    letters and digits is only trimmed. Surrogates are removed.
    """
    text = text[:TEXT_LIMIT]
    if text.isascii():
        folded = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text.encode("utf-8", "ignore").decode().casefold())
        folded = "".join(char for char in parts if not unicodedata.combining(char)).translate(_LETTERS)
    words = " ".join(_WORD.findall(folded))
    whole = _LETTERS_APART.sub(lambda found: found[0].replace(" ", ""), words)
    return whole or " ".join(folded.replace("\0", " ").split())


def words_of(folded: str) -> list[str]:
    """Return the distinct words of a folded text in order."""
    return list(dict.fromkeys(_WORD.findall(folded)))
