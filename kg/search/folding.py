"""Folding of names, so that `Côte d’Ivoire`, `COTE D'IVOIRE` and `cote d ivoire` are one."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

TEXT_LIMIT: Final = 200
"""Code points of a name or of a search text that count."""

_WORD: Final = re.compile(r"[^\W_]+")
# Letters that Unicode does not take apart into a base and a mark.
_LETTERS: Final = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"}
)


def fold(text: str) -> str:
    """Reduce a text to its words: no case, no accents, no punctuation, one space between words.

    A text without a letter or digit is only trimmed. What cannot be written as UTF-8 is left out.
    """
    text = text[:TEXT_LIMIT]
    if text.isascii():
        folded = text.lower()
    else:
        parts = unicodedata.normalize("NFKD", text.encode("utf-8", "ignore").decode().casefold())
        folded = "".join(char for char in parts if not unicodedata.combining(char)).translate(_LETTERS)
    return " ".join(_WORD.findall(folded)) or " ".join(folded.replace("\0", " ").split())


def words_of(folded: str) -> list[str]:
    """Give the words of a folded text, each once, in order; none where it has no letter or digit."""
    return list(dict.fromkeys(_WORD.findall(folded)))
