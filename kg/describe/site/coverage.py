"""The coverage of the sources by year, and the last load."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from kg.describe.listing import iris_in, select
from kg.describe.lists.event_lists import event_classes
from kg.describe.time_words import days_of
from kg.search import Name, name_all, plain, row_text, values
from kg.store import Store
from kg.terms import GRAPH_LOADS, ONTOLOGY


@dataclass(frozen=True)
class Covered:
    """A source with its numbers of events and coding records, by year and without a date.

    `years` holds year, events, codings; years that are absent hold nothing.
    """

    source: Name
    years: tuple[tuple[int, int, int], ...]
    undated: tuple[int, int]
    claims: int

    @property
    def events(self) -> int:
        """Number of its events."""
        return sum(year[1] for year in self.years) + self.undated[0]

    @property
    def records(self) -> int:
        """Number of its coding records."""
        return sum(year[2] for year in self.years) + self.undated[1]


@dataclass(frozen=True)
class LastLoad:
    """The load that ended last; the time is in UTC (ISO 8601)."""

    name: Name
    ended: str


def coverage_of(store: Store) -> list[Covered]:
    """Count events and coding records by source and year, the sources in alphabetical order."""
    counts: dict[str, dict[int | None, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    years = {time: int(day[:4]) for time, day in days_of(store).items() if day[:4].isdecimal()}
    for column, classes in enumerate((event_classes(store), [ONTOLOGY + "CodingRecord"])):
        block = f"VALUES ?class {{ {values(classes)} }}"
        everything = select(
            store,
            f"""SELECT ?g (COUNT(DISTINCT ?item) AS ?n) WHERE {{ {block} GRAPH ?g {{ ?item a ?class }} }}
            GROUP BY ?g""",
        )
        dated = select(
            store,
            f"""SELECT ?g ?t (COUNT(DISTINCT ?item) AS ?n) WHERE {{ {block}
            GRAPH ?g {{ ?item a ?class ; dg:time ?t }} }} GROUP BY ?g ?t""",
        )
        for row in everything:
            if "g" in row:
                counts[plain(row["g"])][None][column] += int(plain(row["n"]))
        for row in dated:
            year = years.get(row_text(row, "t") or "")
            if "g" in row and year is not None:
                counts[plain(row["g"])][year][column] += int(plain(row["n"]))
                counts[plain(row["g"])][None][column] -= int(plain(row["n"]))
    said = select(
        store, "SELECT ?g (COUNT(DISTINCT ?c) AS ?n) WHERE { GRAPH ?g { ?c a dg:Claim } } GROUP BY ?g"
    )
    claims = {plain(row["g"]): int(plain(row["n"])) for row in said if "g" in row}
    names = name_all(store, [*counts, *claims])
    found = [
        Covered(
            names[graph],
            tuple(
                (year, by_year[year][0], by_year[year][1])
                for year in sorted(y for y in by_year if y is not None)
            ),
            (max(0, by_year[None][0]), max(0, by_year[None][1])),
            claims.get(graph, 0),
        )
        for graph, by_year in ((graph, counts[graph]) for graph in {**counts, **dict.fromkeys(claims)})
    ]
    return sorted(found, key=lambda covered: (covered.source.label, covered.source.iri))


def last_load(store: Store) -> LastLoad | None:
    """Return the load that ended last; None if nothing was loaded."""
    rows = select(
        store,
        f"""SELECT ?load ?ended WHERE {{ GRAPH {GRAPH_LOADS} {{
          ?load a dg:Load ; prov:endedAtTime ?ended }} }}
        ORDER BY DESC(?ended) LIMIT 1""",
    )
    for row in rows:
        name = name_all(store, iris_in([row], "load"))[plain(row["load"])]
        return LastLoad(name, plain(row["ended"]))
    return None
