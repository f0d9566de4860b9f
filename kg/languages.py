"""The languages that a reader wants names in: set once for a request, read wherever things are named."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

DEFAULT: Final = ("en",)
_WANTED: ContextVar[tuple[str, ...]] = ContextVar("languages", default=DEFAULT)


def speak(languages: Sequence[str]) -> None:
    """Prefer names in these languages (BCP 47 tags), the first most, then English; for this context only."""
    _WANTED.set(tuple(dict.fromkeys((*(tag.lower() for tag in languages), *DEFAULT))))


def wanted() -> tuple[str, ...]:
    """Give the languages in order of preference; English is always among them."""
    return _WANTED.get()


def preference(language: str | None) -> int:
    """Rank a language tag, the smaller the better: what is wanted, then no language, then any other.

    `pt` is met by `pt-BR` and the other way round (RFC 4647 section 3.4, both ways).
    """
    found = wanted()
    if language is None:
        return len(found)
    tag = language.lower()
    for rank, asked in enumerate(found):
        if tag == asked or tag.startswith(asked + "-") or asked.startswith(tag + "-"):
            return rank
    return len(found) + 1
