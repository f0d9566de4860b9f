"""Posts: who held which, over which time, and the titles that people had on a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from pyoxigraph import Literal, NamedNode

from kg.describe.listing import iris_in, listed, select
from kg.describe.page_model import PAGE, Holding, Listing, Status
from kg.describe.time_words import times_of
from kg.search import Name, iri_text, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import ID, PARTICIPANT_ROLES, PREFIXES

_DATE = NamedNode(PREFIXES["xsd"] + "date")
_ROLES = "|".join(f"dg:{local}" for local in PARTICIPANT_ROLES)
_OPEN = ID + "time-precision/open"


@dataclass(frozen=True)
class Title:
    """A post held on a day.

    `certain`: the day lies within known bounds; the end of an interval that is stated to be open counts as
    known. `begin` and `end` are days as YYYY-MM-DD.
    """

    post: Name
    organization: Name | None
    begin: str | None
    end: str | None
    certain: bool

    @property
    def text(self) -> str:
        """The post, with the organization unless the post's label contains it."""
        body = self.organization
        if body is None or body.label.lower() in self.post.label.lower():
            return self.post.label
        return f"{self.post.label}, {body.label}"


def titles_on(
    store: Store, people: Iterable[str], first: date | None, last: date | None
) -> dict[str, tuple[Title, ...]]:
    """Return the titles of people from the first to the last day of an event, certain ones first.

    People without a title are not in the answer. If only one of the days is known, it is used for both. If a
    person has a certain title, titles without any known bound are left out.
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


def titles_at(store: Store, event: str) -> dict[str, tuple[Name, ...]]:
    """Return the posts that the people in an event are known to have held at its time."""
    rows = select(
        store,
        f"""SELECT DISTINCT ?person ?first ?last WHERE {{
          {iri_text(event)} {_ROLES} ?person ;
            dg:time ?t . ?t dg:begin ?first . OPTIONAL {{ ?t dg:end ?last }}
          FILTER EXISTS {{ ?membership org:member ?person }}
        }} ORDER BY ?person LIMIT 100""",
    )
    people: dict[tuple[date, date], list[str]] = {}
    for row in rows:
        try:
            days = [date.fromisoformat(day) for column in ("first", "last") if (day := row_text(row, column))]
        except ValueError:  # before year 1 or past 9999, where the calendar of the library ends
            continue
        people.setdefault((days[0], days[-1]), []).append(plain(row["person"]))
    titles: dict[str, tuple[Name, ...]] = {}
    for (first, last), some in people.items():
        for person, held in titles_on(store, some, first, last).items():
            if certain := tuple(title.post for title in held if title.certain):
                titles[person] = certain
    return titles


def holdings_of(store: Store, iri: str, page: int) -> Listing[Holding]:
    """List the holders of posts and their intervals, for a person, a post or an organization.

    A post held without a membership counts as well; the earliest beginning comes first.
    """
    node = iri_text(iri)
    where = f"""{{ ?item org:member|org:organization {node} }}
        UNION {{ ?item dg:post {node} ; org:member ?holder }}
        UNION {{ ?item a org:Membership FILTER(?item = {node}) }}"""
    order = "OPTIONAL { ?item org:memberDuring/dg:begin ?begin }"
    found = listed(store, where, page, order=order, key="MIN(?begin)")
    rows = select(
        store,
        f"""SELECT DISTINCT ?m ?person ?post ?organization ?t WHERE {{
          {{ VALUES ?m {{ {values(found.items)} }}
            OPTIONAL {{ ?m org:member ?person }} OPTIONAL {{ ?m dg:post ?post }}
            OPTIONAL {{ ?m org:organization ?organization }} OPTIONAL {{ ?m org:memberDuring ?t }} }}
          UNION {{ ?person org:holds ?post . OPTIONAL {{ ?post org:postIn ?organization }}
            FILTER(?person = {node} || ?post = {node} || ?organization = {node})
            FILTER NOT EXISTS {{ ?any org:member ?person ; dg:post ?post }} }}
        }} ORDER BY ?m ?person ?post LIMIT {2 * PAGE}"""
        if found.items
        else f"""SELECT DISTINCT ?person ?post ?organization WHERE {{
          {{ BIND({node} AS ?person) {node} org:holds ?post OPTIONAL {{ ?post org:postIn ?organization }} }}
          UNION {{ BIND({node} AS ?post) ?person org:holds {node}
            OPTIONAL {{ {node} org:postIn ?organization }} }}
          UNION {{ BIND({node} AS ?organization) ?post org:postIn {node} . ?person org:holds ?post }}
        }} ORDER BY ?person ?post LIMIT {PAGE}""",
    )
    names = name_all(store, iris_in(rows, "m", "person", "post", "organization"))
    times = times_of(store, iris_in(rows, "t"))
    order_of = {item: number for number, item in enumerate(found.items)}
    rows.sort(key=lambda row: order_of.get(row_text(row, "m") or "", len(order_of)))
    holdings = [
        Holding(
            membership=names.get(row_text(row, "m") or ""),
            person=names.get(row_text(row, "person") or ""),
            post=names.get(row_text(row, "post") or ""),
            organization=names.get(row_text(row, "organization") or ""),
            when=times.get(row_text(row, "t") or ""),
        )
        for row in rows
    ]
    query = found.query if found.items else ""
    return Listing(holdings, max(found.total, len(holdings)), found.start, found.more, query)


def statuses_of(store: Store, iri: str, page: int) -> Listing[Status]:
    """List the ranks of a mission over time, the earliest first."""
    where = f"?item dg:statusOf {iri_text(iri)}"
    order = "OPTIONAL { ?item dg:time/dg:begin ?begin } OPTIONAL { ?item dg:time/dg:end ?end }"
    order += " BIND(COALESCE(?begin, ?end) AS ?day)"
    found = listed(store, where, page, order=order, key="MIN(?day)")
    if not found.items:
        return Listing(total=found.total, start=found.start, more=found.more, query=found.query)
    rows = select(
        store,
        f"""SELECT ?item (MIN(?r) AS ?rank) (MIN(?t) AS ?time) WHERE {{
        VALUES ?item {{ {values(found.items)} }}
        OPTIONAL {{ ?item dg:status ?r }} OPTIONAL {{ ?item dg:time ?t }} }} GROUP BY ?item""",
    )
    by_item = {row_text(row, "item") or "": row for row in rows}
    names = name_all(store, [*found.items, *iris_in(rows, "rank")])
    times = times_of(store, iris_in(rows, "time"))
    items = [
        Status(
            names[item],
            names.get(row_text(by_item[item], "rank") or ""),
            times.get(row_text(by_item[item], "time") or ""),
        )
        for item in found.items
    ]
    return Listing(items, found.total, found.start, found.more, found.query)
