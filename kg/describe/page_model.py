"""Plain records for pages: texts, numbers and names, without objects of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from kg.describe.picture_model import Network, Spot, Timeline
from kg.search import Name

PAGE: Final = 50
"""Entries of a list on one page."""
COUNTED: Final = 10_000
"""Lists are counted and sorted up to this many entries; longer ones are marked with `more`."""
TEXT_LIMIT: Final = 2_000
"""Code points of a literal that a page shows."""

T = TypeVar("T")


@dataclass(frozen=True)
class Listing(Generic[T]):
    """One page of a list: `start` counts from 0; `more` is whether there are more than `total` entries.

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

    `length` is that of the whole text, in code points, if `text` is only its beginning.
    """

    text: str
    name: Name | None = None
    language: str | None = None
    datatype: str | None = None
    length: int | None = None


@dataclass(frozen=True)
class Fact:
    """One value of a property, the graphs that state it, and the claims in them that support it.

    `sourced` is None if no claim is expected: for reference data and for the parts of claims. `general` are
    claims about the thing that state no facts. `inferred` is whether the fact follows from others without
    being stated.
    """

    value: Value
    graphs: tuple[Name, ...]
    claims: tuple[Name, ...] = ()
    general: tuple[Name, ...] = ()
    sourced: bool | None = None
    inferred: bool = False


@dataclass(frozen=True)
class Facts:
    """The values of one property; `total` includes those that are left out."""

    property: Name
    facts: tuple[Fact, ...]
    total: int


@dataclass(frozen=True)
class When:
    """A time in words, with its bounds (ISO 8601 dates) and precision if they are known."""

    text: str
    begin: str | None = None
    end: str | None = None
    precision: str | None = None
    iri: str | None = None


@dataclass(frozen=True)
class Figure:
    """A quantity, as it was claimed; `unit` is in the plural unless the value is 1."""

    name: Name
    value: str | None
    comparator: Name | None
    unit: str | None
    effect: Name | None
    trend: Name | None
    as_of: When | None
    deadline: When | None
    of: Name | None


@dataclass(frozen=True)
class Between:
    """The effect of an event on the relation of its parties, and its character."""

    name: Name
    parties: tuple[Name, ...]
    character: Name | None


@dataclass(frozen=True)
class Leg:
    """A place on the route of an event, and the statuses of the claims about it.

    Those about the event itself come first; others are `told` with the parts of the event they are about.
    """

    role: Name
    place: Name
    told: tuple[tuple[Name | None, tuple[Name, ...]], ...]


@dataclass(frozen=True)
class Participation:
    """How an agent takes part in an event: in which role, on whose behalf and at what level."""

    name: Name
    agent: Name
    role: Name | None
    on_behalf_of: tuple[Name, ...]
    level: Name | None


@dataclass(frozen=True)
class EventLine:
    """An event in a list: its types, time and parties, and its relation to the thing whose list it is in.

    `roles` are the properties from the event to that thing, or to `via`, an agent or part of that thing.
    """

    name: Name
    types: tuple[Name, ...]
    when: When | None
    roles: tuple[Name, ...]
    via: tuple[Name, ...]
    between: tuple[Between, ...]


@dataclass(frozen=True)
class AttributionStep:
    """One step of a chain of attribution."""

    number: int
    who: Name
    kind: Name | None
    verb: str | None
    unnamed: bool


@dataclass(frozen=True)
class Span:
    """A passage in a text: paragraph from 1, code points from 0, the end not included.

    `exact` is the quoted passage, if the graph has it; `url` is the address of the source.
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
class StatedFact:
    """A thing, a property and a value that a claim states."""

    subject: Name
    property: Name
    value: Value


@dataclass(frozen=True)
class Account:
    """One value that a claim gives for a property of a thing, by whom, in which source and how surely.

    `figure` is the quantity that has the value, if it is the number of one.
    """

    value: Value
    speaker: Name
    source: Name
    modality: Name
    claim: Name
    figure: Figure | None = None


@dataclass(frozen=True)
class Disagreement:
    """Different values of one property of a thing, or one that somebody denies; what a figure `counts`."""

    property: Name
    accounts: tuple[Account, ...]
    counts: str = ""


@dataclass(frozen=True)
class Act:
    """The act of making a statement: when, to whom, in what form, and whether more than once."""

    on: tuple[Name, ...] = ()
    audience: tuple[Name, ...] = ()
    medium: tuple[Name, ...] = ()
    repeatedly: bool = False


@dataclass(frozen=True)
class Statement:
    """A claim: its content, its sources, its status and its passages in texts.

    `others` are related claims with the relation: "confirms", "contradicted by" …
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
    facts: tuple[StatedFact, ...] = ()
    said_by: Name | None = None
    topics: tuple[Name, ...] = ()
    stances: tuple[Name, ...] = ()
    towards: tuple[Name, ...] = ()
    act: Act = Act()


@dataclass(frozen=True)
class Holding:
    """A post held by a person over an interval."""

    membership: Name | None
    person: Name | None
    post: Name | None
    organization: Name | None
    when: When | None


@dataclass(frozen=True)
class Standing:
    """Words in a text that refer to an agent."""

    name: Name
    words: str
    refers_to: Name | None
    method: Name | None
    spans: tuple[Span, ...]


@dataclass(frozen=True)
class Linked:
    """A thing in a list, and its values in the columns of the list."""

    name: Name
    cells: tuple[tuple[Value, ...], ...] = ()
    group: Name | None = None


@dataclass(frozen=True)
class Links:
    """The things that point to this one by a property: `total` of them, or `more`, under a heading.

    `table` is whether the ontology lists properties of these things beside them; `columns` are those that one
    of them has. `named` is whether the things themselves are a column.
    """

    property: Name
    heading: str
    things: tuple[Linked, ...]
    total: int
    more: bool = False
    table: bool = False
    named: bool = True
    columns: tuple[Name, ...] = ()
    query: str = ""


@dataclass(frozen=True)
class Contents:
    """The contents of a named graph."""

    triples: int
    sources: tuple[Name, ...]
    texts: tuple[Name, ...]
    events: Listing[EventLine]
    records: Listing[RecordLine]
    statements: Listing[Statement]
    kinds: tuple[tuple[Name, int], ...]


@dataclass(frozen=True)
class RecordLine:
    """A coding record in a list."""

    name: Name
    actors: tuple[Name, ...]
    recipients: tuple[Name, ...]
    types: tuple[Name, ...]
    when: When | None
    goldstein: str | None
    datasets: tuple[Name, ...]


@dataclass(frozen=True)
class Status:
    """The rank of a mission during an interval; `name` is the status itself."""

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
    """Metadata of a thing for programs: its classes, and the licences of the graphs that state it.

    A graph without a licence has an empty one.
    """

    types: tuple[str, ...]
    licences: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Description:
    """The contents of the page of a thing.

    `types` are stated in a graph, `inferred` types follow from stated facts. `ordered` are the properties of
    `facts` that the ontology gives an order. `titles` are the posts that the people in an event held on its
    day; `languages` are those of the thing's labels. `queries` are the queries for the sections that are not
    lists, by name. `answers` say whether an event took place: answer, speaker, and the claim.
    """

    name: Name
    kind: str
    types: tuple[Name, ...]
    aliases: tuple[str, ...]
    comments: tuple[str, ...]
    facts: tuple[Facts, ...]
    ordered: frozenset[str]
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
    participations: tuple[Participation, ...]
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
    disagreements: tuple[Disagreement, ...] = ()
    answers: tuple[tuple[str, str, Name], ...] = ()
