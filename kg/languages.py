"""Preferred languages of names, set once for each request."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Final

DEFAULT: Final = ("en",)
_WANTED: ContextVar[tuple[str, ...]] = ContextVar("languages", default=DEFAULT)


def speak(languages: Sequence[str]) -> None:
    """Set the preferred languages (BCP 47 tags) of the current context; English is added last."""
    _WANTED.set(tuple(dict.fromkeys((*(tag.lower() for tag in languages), *DEFAULT))))


def wanted() -> tuple[str, ...]:
    """Return the languages in order of preference, English included."""
    return _WANTED.get()


def preference(language: str | None) -> int:
    """Return the rank of a language tag, best first: preferred ones, then none, then any other.

    `pt` matches `pt-BR` and vice versa (RFC 4647 section 3.4, in both directions).
    """
    found = wanted()
    if language is None:
        return len(found)
    tag = language.lower()
    for rank, asked in enumerate(found):
        if tag == asked or tag.startswith(asked + "-") or asked.startswith(tag + "-"):
            return rank
    return len(found) + 1
