"""Plain records for the pictures of pages: bars, networks and maps."""

from __future__ import annotations

from dataclasses import dataclass

from kg.search import Name


@dataclass(frozen=True)
class Bar:
    """A month (`2018-05`) or year (`2018`), its first and last day, and the number of things in it."""

    name: str
    begin: str
    end: str
    count: int


@dataclass(frozen=True)
class Timeline:
    """Counts by month or year; `more` if there are too many things to count without being asked."""

    bars: tuple[Bar, ...] = ()
    undated: int = 0
    more: bool = False
    query: str = ""


@dataclass(frozen=True)
class Edge:
    """A link between two things of a network, by one or several properties."""

    source: Name
    target: Name
    properties: tuple[Name, ...]


@dataclass(frozen=True)
class Network:
    """A thing, which is the first, and the things around it."""

    things: tuple[Name, ...] = ()
    edges: tuple[Edge, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class Spot:
    """A place on the map in degrees of WGS 84: `exact` if the coordinates are not those of its country.

    `way` is whether it is a stop on a route rather than the place of an event.
    """

    name: Name
    role: Name | None
    way: bool
    latitude: float | None
    longitude: float | None
    exact: bool
    country: Name | None
    iso_numeric: str | None
