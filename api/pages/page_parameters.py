"""The parameters that several pages share: the number of the page, days, and things by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from flask import request

from api.web.state import state
from kg.errors import ParameterError
from kg.search import look_up, unknown


def whole_number(text: str, name: str, least: int, most: int) -> int:
    """Read a whole number from `least` to `most`; raises ParameterError with the `name` of the parameter."""
    if text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    raise ParameterError(
        f"{name}: “{text[:40]}” is not a whole number from {least:,} to {most:,}",
        mend=f"Use a whole number, such as {name}={max(1, least)}.",
    )


def page_number(last: int) -> int:
    """Return the parameter `page`, 1 if absent; raises ParameterError unless it is from 1 to `last`."""
    return whole_number(request.args.get("page", "1"), "page", 1, last)


def day(text: str, name: str, *, last: bool = False) -> date | None:
    """Read a day, month or year: its first day, or its `last` one; None for an empty text.

    Raises ParameterError with the `name` of the parameter.
    """
    if not text:
        return None
    parts = text.split("-")
    try:
        if len(parts) > 3 or not all(part.isascii() and part.isdecimal() for part in parts):
            raise ValueError(text)
        numbers = [int(part) for part in parts]
        if len(numbers) == 3:
            return date(*numbers)
        month = numbers[1] if len(numbers) == 2 else 12 if last else 1
        first = date(numbers[0], month, 1)
        return _end_of_month(first) if last else first
    except (ValueError, OverflowError):
        raise ParameterError(
            f"{name}: “{text[:40]}” is not a date", mend="Use 2026-11-30, 2026-11 or 2026."
        ) from None


def meant(given: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return the IRIs that the values of parameters mean; raises ParameterError with the parameter's name."""
    store = state().store
    pairs = [(name, text) for name, texts in given.items() for text in texts]
    iris: dict[str, list[str]] = {name: [] for name in given}
    for (name, text), iri in zip(pairs, look_up(store, [text for _, text in pairs]), strict=True):
        if iri is None:
            error = unknown(store, text)
            raise ParameterError(f"{name}: {error.detail}", mend=error.mend, meant=error.meant)
        iris[name].append(iri)
    return iris


def _end_of_month(first: date) -> date:
    return (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
