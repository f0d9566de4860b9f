"""Titles as of a day: which posts people held when something happened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyoxigraph import Literal, NamedNode

from kg.describe.listing import iris_in, select
from kg.search import Name, name_all, row_text, values
from kg.store import Store
from kg.terms import ID, PREFIXES

_DATE = NamedNode(PREFIXES["xsd"] + "date")
_OPEN = ID + "time-precision/open"


@dataclass(frozen=True)
class Title:
    """A post held on the day asked about.

    `certain` tells that the day lies within bounds that are known; an end counts as known where the interval
    is said to be open. `begin` and `end` are days as YYYY-MM-DD.
    """

    post: Name
    organization: Name | None
    begin: str | None
    end: str | None
    certain: bool

    @property
    def text(self) -> str:
        """Write it as people do: the post, and the organization where the post's name does not say it."""
        body = self.organization
        if body is None or body.label.lower() in self.post.label.lower():
            return self.post.label
        return f"{self.post.label}, {body.label}"


def title_on(store: Store, person: str, day: date | None) -> tuple[Title, ...]:
    """Give the titles of a person on a day, certain ones first.

    Without a day only posts are given of which no bound is known: of others nobody can say they were held.
    """
    return titles_on(store, [person], day, day).get(person, ())


def titles_on(
    store: Store, people: Iterable[str], first: date | None, last: date | None
) -> dict[str, tuple[Title, ...]]:
    """Give the titles of many people over the days of an event, both included, certain ones first.

    A person without a title then is not in the answer. Where only one bound of the event is known it stands
    for both. Once a title is certain, those are left out of which no bound is known.
    """
    first, last = first or last, last or first
    rows = select(
        store,
        f"""SELECT DISTINCT ?person ?post ?body ?begin ?end ?precision WHERE {{
          VALUES ?person {{ {values(dict.fromkeys(people))} }}
          ?membership org:member ?person ; dg:post ?post .
          OPTIONAL {{ ?membership org:organization ?body }}
          OPTIONAL {{ ?membership org:memberDuring ?during
            OPTIONAL {{ ?during dg:begin ?begin }} OPTIONAL {{ ?during dg:end ?end }}
            OPTIONAL {{ ?during dg:precision ?precision }} }}
          {_held(first, last)}
        }} ORDER BY ?person DESC(?begin) ?post ?body""",
    )
    names = name_all(store, iris_in(rows, "post", "body"))
    found: dict[str, list[Title]] = {}
    for row in rows:
        begin, end = row_text(row, "begin"), row_text(row, "end")
        title = Title(
            post=names[row_text(row, "post") or ""],
            organization=names.get(row_text(row, "body") or ""),
            begin=begin,
            end=end,
            certain=begin is not None and (end is not None or row_text(row, "precision") == _OPEN),
        )
        found.setdefault(row_text(row, "person") or "", []).append(title)
    return {person: _sure_first(titles) for person, titles in found.items()}


def _held(first: date | None, last: date | None) -> str:
    if first is None or last is None:
        return "FILTER(!BOUND(?begin) && !BOUND(?end))"
    from_day, to_day = (Literal(day.isoformat(), datatype=_DATE) for day in (first, last))
    return f"""FILTER((!BOUND(?begin) || ?begin <= {to_day}) && (!BOUND(?end) || {from_day} <= ?end))"""


def _sure_first(titles: list[Title]) -> tuple[Title, ...]:
    certain = [title for title in titles if title.certain]
    others = [title for title in titles if not title.certain and (title.begin or title.end or not certain)]
    return (*certain, *others)
