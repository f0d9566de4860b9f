"""What a page needs of a thing, as plain records: texts and IRIs, nothing of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kg.search import Name

PAGE: Final = 50
"""How many entries of each list one page holds."""
COUNTED: Final = 10_000
"""Lists are counted and sorted up to this many entries; beyond it they say so."""
TEXT_LIMIT: Final = 2_000
"""Code points of a literal that a page shows; the data holds all of it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of a list: `start` counts from 0, `more` says that there are more than `total` in all.

    `query` is the SPARQL that gives the IRIs of these items in this order.
    """

    items: Sequence[T] = ()
    total: int = 0
    start: int = 0
    more: bool = False
    query: str = ""


@dataclass(frozen=True)
class Value:
    """The object of a fact: a thing (`name`), or a text with its language or datatype.

    `length` is the whole text's, in code points, where only the beginning of it is given.
    """

    text: str
    name: Name | None = None
    language: str | None = None
    datatype: str | None = None
    length: int | None = None


@dataclass(frozen=True)
class Fact:
    """One value of a property, the graphs that state it, and the claims in them that support it.

    `sourced` is None where no claim is called for: reference data, and the parts that claims are made of.
    `inferred` tells that no graph states it: it follows from what others state.
    """

    value: Value
    graphs: tuple[Name, ...]
    claims: tuple[Name, ...] = ()
    sourced: bool | None = None
    inferred: bool = False


@dataclass(frozen=True)
class Facts:
    """All the values of one property; `total` counts also those that are left out."""

    property: Name
    facts: tuple[Fact, ...]
    total: int


@dataclass(frozen=True)
class When:
    """A time in words, with its bounds (ISO 8601 dates) and precision where they are given."""

    text: str
    begin: str | None = None
    end: str | None = None
    precision: str | None = None
    iri: str | None = None


@dataclass(frozen=True)
class Figure:
    """A quantity, as it is claimed."""

    name: Name
    value: str | None
    comparator: str | None
    unit: str | None
    as_of: When | None
    deadline: When | None
    of: Name | None


@dataclass(frozen=True)
class Between:
    """How an event bears on the relation of its parties; `character` is an IRI's last part, for the eye."""

    name: Name
    parties: tuple[Name, ...]
    character: Name | None


@dataclass(frozen=True)
class Leg:
    """A place on the way of an event, the event or part of it that touches it, and how surely it is said."""

    role: Name
    place: Name
    event: Name
    modality: Name | None


@dataclass(frozen=True)
class EventLine:
    """An event in a list: its types, time and parties, and how it concerns the thing whose list it is.

    `roles` are the properties that lead from the event to that thing, or to `via`, which belongs to it.
    """

    name: Name
    types: tuple[Name, ...]
    when: When | None
    roles: tuple[Name, ...]
    via: tuple[Name, ...]
    between: tuple[Between, ...]


@dataclass(frozen=True)
class AttributionStep:
    """One link of a chain of attribution."""

    number: int
    who: Name
    kind: Name | None
    verb: str | None
    unnamed: bool


@dataclass(frozen=True)
class Span:
    """A place in a text: paragraph from 1, code points from 0, the end not included.

    `exact` is the passage itself where the graph quotes it; `url` is where the source can be read.
    """

    iri: str
    text: Name | None
    paragraph: int | None
    start: int | None
    end: int | None
    sha256: str | None
    exact: str | None = None
    url: str | None = None


@dataclass(frozen=True)
class Statement:
    """A claim: what is said, by whom, how surely, and where in which text.

    `others` are the claims it stands against or beside, each with how: "confirms", "contradicted by" …
    """

    name: Name
    modality: Name | None
    modality_definition: str | None
    chain: tuple[AttributionStep, ...]
    quoted: str | None
    spans: tuple[Span, ...]
    about: tuple[Name, ...]
    stated_in: tuple[Name, ...]
    graphs: tuple[Name, ...]
    others: tuple[tuple[str, Name], ...] = ()


@dataclass(frozen=True)
class Holding:
    """A post held by somebody over an interval."""

    membership: Name | None
    person: Name | None
    post: Name | None
    organization: Name | None
    when: When | None


@dataclass(frozen=True)
class Standing:
    """Words in a text that stand for an agent."""

    name: Name
    words: str
    refers_to: Name | None
    method: Name | None
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Links:
    """The things that point to this one by one property: `total` of them, or `more`."""

    property: Name
    things: tuple[Name, ...]
    total: int
    more: bool = False


@dataclass(frozen=True)
class Contents:
    """What a named graph holds."""

    triples: int
    sources: tuple[Name, ...]
    texts: tuple[Name, ...]
    events: Listing[EventLine]
    records: Listing[RecordLine]
    statements: Listing[Statement]
    kinds: tuple[tuple[Name, int], ...]


@dataclass(frozen=True)
class RecordLine:
    """A coding record in a list: what a machine made of an article."""

    name: Name
    actors: tuple[Name, ...]
    recipients: tuple[Name, ...]
    types: tuple[Name, ...]
    when: When | None
    goldstein: str | None
    datasets: tuple[Name, ...]


@dataclass(frozen=True)
class Bar:
    """A month (`2018-05`) or year (`2018`), its first and last day, and how many things fall into it."""

    name: str
    begin: str
    end: str
    count: int


@dataclass(frozen=True)
class Timeline:
    """Counts by month or year; `more` says that there is too much to count unasked."""

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
    """A thing, which comes first, and the things around it."""

    things: tuple[Name, ...] = ()
    edges: tuple[Edge, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class Spot:
    """A place on the map in degrees (WGS 84); `exact` tells its own coordinates from those of its country.

    `way` tells whether it is a station of a way rather than a place where something happened.
    """

    name: Name
    role: Name | None
    way: bool
    latitude: float | None
    longitude: float | None
    exact: bool
    country: Name | None
    iso_numeric: str | None


@dataclass(frozen=True)
class Status:
    """The rank of a mission over a time; `name` is the status itself."""

    name: Name
    rank: Name | None
    when: When | None


@dataclass(frozen=True)
class Release:
    """The state of the data after a load: the last part of its IRI, and when it ended (ISO 8601)."""

    number: str
    ended: str


@dataclass(frozen=True)
class Signposts:
    """What programs are told of a thing: its classes, and the graphs that state it with their licences.

    A graph without a licence has an empty one.
    """

    types: tuple[str, ...]
    licences: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Description:
    """Everything that the page of a thing shows.

    `types` are those that a graph states, `inferred` those that follow from what is stated. `titles` are the
    posts that people who take part in an event held on its day; `languages` are those that the thing has
    names in. `queries` are the questions behind blocks that are no lists, by the block's name.
    """

    name: Name
    kind: str
    types: tuple[Name, ...]
    aliases: tuple[str, ...]
    comments: tuple[str, ...]
    facts: tuple[Facts, ...]
    identifiers: tuple[Facts, ...]
    titles: dict[str, tuple[Name, ...]]
    times: dict[str, When]
    spots: tuple[Spot, ...]
    timeline: Timeline
    records: Listing[RecordLine]
    network: Network
    languages: tuple[str, ...]
    queries: dict[str, str]
    figures: tuple[Figure, ...]
    between: tuple[Between, ...]
    parts: tuple[EventLine, ...]
    route: tuple[Leg, ...]
    events: Listing[EventLine]
    about: Listing[Statement]
    by: Listing[Statement]
    statement: Statement | None
    holdings: Listing[Holding]
    mentions: Listing[Standing]
    incoming: tuple[Links, ...]
    contents: Contents | None
    graphs: tuple[Name, ...]
    page: int
    pages: int
    inferred: tuple[Name, ...] = ()
    statuses: Listing[Status] = Listing()
    release: Release | None = None
    signposts: Signposts = Signposts((), ())
