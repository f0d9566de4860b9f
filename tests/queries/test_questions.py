"""The questions give the answers that a reader of the article gives, on two engines.

The expected rows are written from the article and from the fixtures, never from what a query returned.
"""

from __future__ import annotations

import io
import re
from pathlib import Path

import pyoxigraph
import pytest
import rdflib

from kg.catalogue import Question, read_catalogue
from kg.store import EmbeddedStore
from kg.terms import ID
from tests.queries.values import EVENT, VALUES

FIXTURES = Path(__file__).parents[1] / "fixtures"
CATALOGUE = read_catalogue()
Rows = list[tuple[object, ...]]

# The names and first columns that readers of the answers rely on.
COLUMNS = {
    "deportations": "event label count comparator affected origin transit destination",
    "attribution-chain": "claim step source kind",
    "planned-not-confirmed": "claim label modality source",
    "led-to": "cause causeLabel effect effectLabel",
    "hostile-acts": "event label actor orderedBy recipient target",
    "quantities": "value comparator unit asOf deadline modality source",
    "statements-by": "claim label speaker post",
    "posts": "person personLabel post organization from to",
    "undisclosed": "claim about source",
    "metonyms": "mention agent method",
    "dyad": "event label type cooperation date source",
    "anonymous-only": "claim label lastStep",
    "coding-records": "record code goldstein event",
    "monthly-balance": "month cooperative conflictual mean",
    "who-held-post-on": "person post organization",
    "head-of-mission": "person personLabel post mission from to certainty",
    "mission-status-on": "mission missionLabel status from to",
    "missions-closed": "mission missionLabel day before after closed",
    "find-country": "country label list value language",
    "members-in-events": "event label member memberLabel date",
    "events-by-type": "event label kind kindLabel date",
    "contested-names": "country label name language user userLabel from to",
    "events-before": "earlier earlierLabel event eventLabel reason",
    "known-by": "event label claim modality source issued",
    "neighbours": "event label country neighbour neighbourLabel date",
    "asserted-on": "graph label statements load loaded changedSince",
    "contradicted-claims": "claim label source other otherLabel otherSource",
    "denied": "event label denied asserted",
    "disagreeing-figures": "thing label value comparator unit speaker source",
    "figure-over-time": "date value comparator unit modality source",
    "modality-by-source": "source label modality claims",
    "most-cited": "speaker label kind claims sources",
    "one-source-events": "event label source date",
    "one-voice": "event label speaker sources",
    "superseded-claims": "claim label by byLabel source",
}
NEGOTIATIONS = "negotiations between the United States and Iran"
DEPORTATION = "deportation of Iranian nationals from the United States to Iran"
STRIKES = "military strikes on Iranian nuclear sites"


@pytest.fixture(scope="module")
def article(article_store: EmbeddedStore) -> pyoxigraph.Store:
    return article_store.engine


@pytest.fixture(scope="module")
def everything(article: pyoxigraph.Store) -> pyoxigraph.Store:
    """The article and every fixture that a question names."""
    store = pyoxigraph.Store()
    store.bulk_extend(article)
    for name in sorted({question.fixture for question in CATALOGUE.values()} - {"article"}):
        store.load(path=FIXTURES / name)
    return store


@pytest.fixture(scope="module")
def second_opinion(everything: pyoxigraph.Store) -> rdflib.Dataset:
    dataset = rdflib.Dataset(default_union=True)
    dumped = everything.dump(format=pyoxigraph.RdfFormat.N_QUADS)
    assert dumped is not None
    dataset.parse(io.BytesIO(dumped), format="nquads")
    return dataset


def ask(store: pyoxigraph.Store, name: str, columns: str = "", **values: str) -> Rows:
    """Rows of a question; IRIs of ours without their base, numbers as numbers."""
    solutions = store.query(CATALOGUE[name].fill(values), use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    wanted = (columns or COLUMNS[name]).split()
    return [tuple(_plain(solution[column]) for column in wanted) for solution in solutions]


def _plain(term: object) -> object:
    if isinstance(term, pyoxigraph.Literal) and re.search("integer|decimal", term.datatype.value):
        return float(term.value)
    if isinstance(term, pyoxigraph.Literal):
        return term.value
    return term.value.removeprefix(ID) if isinstance(term, pyoxigraph.NamedNode) else None


def test_all_questions_are_there() -> None:
    assert set(CATALOGUE) == set(COLUMNS)


@pytest.mark.parametrize("question", CATALOGUE.values(), ids=list(CATALOGUE))
def test_columns(question: Question, article: pyoxigraph.Store) -> None:
    solutions = article.query(question.text, use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    columns = [variable.value for variable in solutions.variables]
    expected = COLUMNS[question.name].split()
    assert columns[: len(expected)] == expected


@pytest.mark.parametrize("question", CATALOGUE.values(), ids=list(CATALOGUE))
def test_header_and_query_agree(question: Question) -> None:
    places = re.findall(r"^\s*VALUES \?(\w+) \{ (?:UNDEF|[\w-]+:[\w-]+) \}$", question.text, re.MULTILINE)
    assert sorted(places) == sorted(parameter.name for parameter in question.parameters)
    assert question.title
    assert question.description.endswith(".")
    assert question.fixture == "article" or (FIXTURES / question.fixture).is_file()
    assert "ORDER BY" in question.text


# rdflib warns of what its own parser and engine still use.
@pytest.mark.filterwarnings("ignore:Dataset.* is deprecated:DeprecationWarning")
@pytest.mark.parametrize(
    ("name", "values"),
    [(name, {}) for name in CATALOGUE] + list(VALUES.items()),
)
def test_rdflib_gives_the_same_rows(
    name: str, values: dict[str, str], everything: pyoxigraph.Store, second_opinion: rdflib.Dataset
) -> None:
    query = CATALOGUE[name].fill(values)
    solutions = everything.query(query, use_default_graph_as_union=True)
    assert isinstance(solutions, pyoxigraph.QuerySolutions)
    ours = [[None if term is None else _comparable(term.value) for term in row] for row in solutions]
    theirs = [
        [None if term is None else _comparable(str(term)) for term in row]
        for row in second_opinion.query(query)
        if isinstance(row, rdflib.query.ResultRow)
    ]
    assert ours
    assert theirs == ours


def _comparable(text: str) -> str | float:
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


@pytest.mark.parametrize("name", CATALOGUE)
def test_without_data_there_is_no_row(name: str) -> None:
    assert ask(pyoxigraph.Store(), name) == []


def test_deportations(article: pyoxigraph.Store) -> None:
    assert ask(article, "deportations", COLUMNS["deportations"] + " originCountry") == [
        (
            "event/us-iran-deportation", DEPORTATION, 100, "approximately", "Iranian nationals", "Louisiana",
            "Qatar", "Iran", "United States",
        )
    ]  # fmt: skip


def test_attribution_chain_of_the_deportation(article: pyoxigraph.Store) -> None:
    assert ask(article, "attribution-chain", "step source kind", **EVENT) == [
        (1, "News article on a US–Iran deportation flight", "document"),
        (2, "The New York Times", "news organization"),
        (3, "senior officials (unnamed)", "unnamed"),
    ]


def test_attribution_chain_of_everything(article: pyoxigraph.Store) -> None:
    rows = ask(article, "attribution-chain", "claim step")
    assert len({claim for claim, _ in rows}) == len({claim for claim, step in rows if step == 1}) > 20


def test_planned_not_confirmed(article: pyoxigraph.Store) -> None:
    planned, projected = ask(article, "planned-not-confirmed")
    assert planned[2:] == ("planned", "News article on a US–Iran deportation flight")
    assert "Iran by way of Qatar" in str(planned[1])
    assert projected[2:] == ("projected", "Department of Homeland Security")
    assert "600,000" in str(projected[1])


def test_a_plan_that_came_true_is_confirmed(store: EmbeddedStore) -> None:
    store.engine.update(
        "PREFIX dg: <https://w3id.org/diplograph/ontology#> INSERT DATA { GRAPH <urn:later> { <urn:claim>"
        f" dg:about <{ID}event/us-iran-deportation-arrival> ; dg:modality <{ID}modality/happened> }} }}"
    )
    assert [row[2] for row in ask(store.engine, "planned-not-confirmed")] == ["projected"]


def test_led_to(article: pyoxigraph.Store) -> None:
    assert ask(article, "led-to", "causeLabel effectLabel") == [(NEGOTIATIONS, DEPORTATION)]


def test_hostile_acts(article: pyoxigraph.Store) -> None:
    assert ask(article, "hostile-acts", "label actor orderedBy recipient target") == [
        (STRIKES, "United States", "Donald Trump", "Iran", "nuclear sites")
    ]


def test_quantities(article: pyoxigraph.Store) -> None:
    dhs = "Department of Homeland Security"
    assert ask(article, "quantities", "value comparator unit asOf deadline modality source") == [
        (100, "approximately", "person", None, None, "happened", "senior officials (unnamed)"),
        (200000, "close to", "deportation", "end of August, year not stated", None, "realised", dhs),
        (600000, "nearly", "deportation", None, "end of the year, year not stated", "projected", dhs),
    ]


def test_statements_by(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = ask(article, "statements-by", speaker="person/tricia-mclaughlin")
    assert [row[2:] for row in mclaughlin] == [("Tricia McLaughlin", "Assistant Secretary")] * 2
    (white_house,) = ask(article, "statements-by", speaker="agency/white-house")
    assert white_house[2:] == ("White House", None)
    # Neither newspapers nor the nameless, nor a clause that only says who says something.
    speakers = {row[2] for row in ask(article, "statements-by")}
    assert speakers == {
        "Department of Homeland Security", "Donald Trump", "Tricia McLaughlin", "White House",
    }  # fmt: skip
    # The bulletin is of March 2017, when she was still envoy.
    ada = ask(everything, "statements-by", "label post", speaker="person/ada-invented")
    assert ada == [("The visit went well", "Envoy")]


def test_posts(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = (
        "person/tricia-mclaughlin", "Tricia McLaughlin", "Assistant Secretary",
        "Department of Homeland Security", None, None,
    )  # fmt: skip
    assert ask(article, "posts") == [mclaughlin]
    assert ask(article, "posts", on="2018-05-01") == [mclaughlin]
    for day, post in (("2015-02-01", "Envoy"), ("2017-06-30", "Envoy"), ("2017-07-01", "Minister")):
        assert ("Ada Invented", post) in ask(everything, "posts", "personLabel post", on=day)
        assert len(elsewhere(ask(everything, "posts", on=day))) == 2
    assert elsewhere(ask(everything, "posts", on="2015-01-31")) == [mclaughlin]


def elsewhere(rows: Rows) -> Rows:
    """Leave out the sample missions: two of their heads have an end, or both bounds, that nobody knows."""
    return [row for row in rows if row[3] != "Mission of the United States in Iran"]


def test_undisclosed(article: pyoxigraph.Store) -> None:
    assert ask(article, "undisclosed", "about source") == [
        ("identities of the deported", "sources (unnamed)"),
        ("reasons for seeking entry into the United States", "sources (unnamed)"),
    ]


def test_metonyms(article: pyoxigraph.Store) -> None:
    capital = "capital for government"
    assert [row[:2] for row in ask(article, "metonyms")] == [
        ("Tehran", "Iranian government"),
        ("Washington", "United States government"),
        ("White House", "Trump administration"),
    ]
    assert [row[2] == capital for row in ask(article, "metonyms")] == [True, True, False]


def test_dyad(article: pyoxigraph.Store) -> None:
    expected = {(NEGOTIATIONS, "cooperative"), (DEPORTATION, "cooperative"), (STRIKES, "conflictual")}
    rows = ask(article, "dyad", "label cooperation date source")
    assert {row[:2] for row in rows} == expected
    assert len(rows) == 3
    assert {row[2:] for row in rows} == {(None, "News article on a US–Iran deportation flight")}
    turned = ask(article, "dyad", "label cooperation", a="id:country/irn", b="id:country/usa")
    assert set(turned) == expected
    # The governments negotiated; the rest passed between the countries.
    assert ask(article, "dyad", "label", a="government/irn", b="government/usa") == [(NEGOTIATIONS,)]
    assert ask(article, "dyad", a="country/irn", b="country/qat") == []


def test_dyad_newest_first(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "dyad", "label cooperation date source")
    assert rows[:2] == [
        ("invented talks", "cooperative", "2018-02-01", "Invented dataset of codings"),
        ("agreed return of invented people", "cooperative", "2018-01-05", "Invented dataset of codings"),
    ]
    assert [row[2] for row in rows[2:]] == [None, None, None]


def test_anonymous_only(article: pyoxigraph.Store) -> None:
    rows = ask(article, "anonymous-only")
    assert [(claim, step) for claim, _, step in rows] == [
        ("claim/us-iran-deportation-deported", "senior officials (unnamed)"),
        ("claim/us-iran-deportation-make-up", "sources (unnamed)"),
    ]


def test_coding_records(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    assert ask(article, "coding-records") == []
    rows = ask(everything, "coding-records", "record code goldstein event disagrees")
    assert ("record/invented-1", "174", -5, "event/invented-return", "yes") in rows
    assert ("record/invented-4", "046", 7, "event/invented-talks", "no") in rows
    assert ("record/invented-6", "046", None, None, "") in rows
    assert {row[0] for row in rows} == {f"record/invented-{n}" for n in range(1, 7)}
    assert [row[0] for row in ask(everything, "coding-records", b="country/qat")] == ["record/invented-7"]


def test_monthly_balance(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    assert ask(article, "monthly-balance") == []
    expected = [("2018-01", 1, 1, 1), ("2018-02", 1, 1, -1.5), ("2018-03", 1, 0, None)]
    assert ask(everything, "monthly-balance") == expected
    assert ask(everything, "monthly-balance", a="country/irn", b="country/usa") == expected
    plover = ask(everything, "monthly-balance", scheme="scheme/plover")
    assert plover == [("2018-02", 1, 0, 7)]


def test_who_held_post_on(article: pyoxigraph.Store, everything: pyoxigraph.Store) -> None:
    mclaughlin = ("Tricia McLaughlin", "Assistant Secretary", "Department of Homeland Security", None, None)
    columns = "person post organization from to"
    assert ask(article, "who-held-post-on", columns, **EVENT) == [mclaughlin]
    assert set(ask(article, "who-held-post-on", columns)) == {mclaughlin}
    for event, post in (("event/invented-visit", "Envoy"), ("event/invented-treaty", "Minister")):
        assert ask(everything, "who-held-post-on", "person post", event=event) == [("Ada Invented", post)]
    assert ask(everything, "who-held-post-on", event="event/invented-meeting") == []


def test_who_held_post_on_the_day_of_an_event_among_appointments(everything: pyoxigraph.Store) -> None:
    """Two former or present ambassadors were there; one of them held the post."""
    assert ask(everything, "who-held-post-on", event="event/invented-audience") == [SULLIVAN[1:4]]


SULLIVAN = ("person/sullivan", "William Healy Sullivan", "Ambassador Extraordinary and Plenipotentiary",
            "Mission of the United States in Iran", "1977-06-18", "1979-04-06", "dated")  # fmt: skip


@pytest.mark.parametrize("place", ["country/irn", "place/tehran-irn"])
def test_who_headed_the_mission_in_tehran_in_1978(place: str, everything: pyoxigraph.Store) -> None:
    year = {"first": "1978-01-01", "last": "1978-12-31"}
    assert ask(everything, "head-of-mission", place=place, sender="country/usa", **year) == [SULLIVAN]
    assert ask(everything, "head-of-mission", place=place, first="1978-07-04") == [SULLIVAN]


def test_a_change_at_the_head_shows_both(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "head-of-mission", "personLabel", first="1976-12-27", last="1977-06-18")
    assert rows == [("Richard Helms",), ("William Healy Sullivan",)]
    assert ask(everything, "head-of-mission", "personLabel", first="1976-12-28", last="1977-06-17") == []


def test_a_head_whose_end_is_not_known(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "head-of-mission", "person certainty", first="1980-01-01") == [
        ("person/stand-in", "end not known")
    ]
    everyone = ask(everything, "head-of-mission", "person certainty", place="country/irn")
    assert ("person/cutler", "not dated") in everyone
    assert len(everyone) == 4


def test_other_places_and_senders_have_no_such_head(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "head-of-mission", place="country/cub") == []
    assert ask(everything, "head-of-mission", sender="country/gbr") == []


@pytest.mark.parametrize(
    ("day", "status"),
    [("1980-04-06", "embassy"), ("1980-04-07", "none"), ("1980-05-01", "none"),
     ("1980-05-21", "interests section"), ("1995-01-01", "interests section")],
)  # fmt: skip
def test_status_of_the_mission_in_iran(day: str, status: str, everything: pyoxigraph.Store) -> None:
    rows = ask(
        everything,
        "mission-status-on",
        "mission status",
        receiver="country/irn",
        sender="country/usa",
        on=day,
    )
    assert rows == [("mission/usa-irn", status)]


def test_missions_closed_in_a_period(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "missions-closed", first="1980-01-01", last="1989-12-31") == [
        ("mission/usa-irn", "Mission of the United States in Iran", "1980-04-07", "embassy", "none", "yes")
    ]
    assert ask(everything, "missions-closed", "mission day") == [
        ("mission/usa-cub", "1961-01-03"),
        ("mission/usa-irn", "1980-04-07"),
    ]
    assert ask(everything, "missions-closed", sender="country/irn") == []


@pytest.mark.parametrize(
    ("text", "country", "which"),
    [
        ("IZ", "country/irq", "FIPS 10-4"),
        ("816", "country/vnm", "COW number"),
        ("GMY", "country/deu", "COW abbreviation"),
        ("ROM", "country/rou", "CAMEO"),
        ("276", "country/deu", "ISO 3166-1 numeric"),
        ("qat", "country/qat", "ISO 3166-1 alpha-3"),
        ("إيران", "country/irn", "name"),
        ("伊朗", "country/irn", "name"),
        ("иран", "country/irn", "name"),
        ("États-Unis", "country/usa", "name"),
        ("Iranian", "country/irn", "further name or demonym"),
        ("burma", "country/mmr", "further name or demonym"),
    ],
)
def test_a_country_is_found_by_any_code_or_name(
    text: str, country: str, which: str, article: pyoxigraph.Store
) -> None:
    rows = ask(article, "find-country", "country list", text=text)
    assert (country, which) in rows
    assert {found for found, _ in rows} == {country}


def test_one_code_can_mean_two_countries(article: pyoxigraph.Store) -> None:
    """CH is Switzerland in ISO 3166, China in FIPS 10-4; 630 is Iran in COW, Puerto Rico in ISO 3166."""
    assert ask(article, "find-country", "country list", text="CH") == [
        ("country/chn", "FIPS 10-4"),
        ("country/che", "ISO 3166-1 alpha-2"),
    ]
    both = ask(article, "find-country", "country list", text="630")
    assert ("country/irn", "COW number") in both
    assert ("country/pri", "ISO 3166-1 numeric") in both


def test_members_of_the_group_of_seven_in_the_article(article: pyoxigraph.Store) -> None:
    rows = ask(article, "members-in-events", "event member")
    assert {member for _, member in rows} == {"country/usa"}
    assert ("event/us-iran-deportation", "country/usa") in rows
    opec = ask(article, "members-in-events", "member", organization="organization/opec")
    assert set(opec) == {("country/irn",)}


def test_events_of_a_type_and_of_narrower_ones(
    article: pyoxigraph.Store, everything: pyoxigraph.Store
) -> None:
    coerced = ask(article, "events-by-type", "event kind")
    assert ("event/us-iran-deportation", "event-type/plover-coerce-deport") in coerced
    assert ("event/us-iran-deportation", "event-type/cameo-174") in coerced
    assert not any("consult" in str(kind) for _, kind in coerced)
    assert set(ask(article, "events-by-type", "event kind", type="event-type/cameo-17")) == {
        row for row in coerced if "cameo" in str(row[1])
    }
    # 046 leads to CONSULT by its match.
    consulted = ask(everything, "events-by-type", "event kind", type="event-type/plover-consult")
    assert ("event/invented-border-talks", "event-type/cameo-046") in consulted


def test_contested_names(article: pyoxigraph.Store) -> None:
    columns = "name user"
    turkey = {"country": "country/tur"}
    assert ask(article, "contested-names", columns, **turkey, on="2020-01-01") == [
        ("Turkey", "organization/united-nations")
    ]
    assert ask(article, "contested-names", columns, **turkey, on="2023-01-01") == [
        ("Türkiye", "organization/united-nations")
    ]
    assert set(ask(article, "contested-names", columns, country="country/flk")) == {
        ("Falkland Islands", "country/gbr"),
        ("Islas Malvinas", "country/arg"),
    }


def test_what_came_before(everything: pyoxigraph.Store) -> None:
    assert ask(everything, "events-before", "earlier reason", event="event/invented-border-treaty") == [
        ("event/invented-border-talks", "by its dates")
    ]
    assert ask(everything, "events-before", "earlier reason", event="event/invented-border-talks") == [
        ("event/invented-border-quarrel", "as a source says")
    ]


def test_known_by_a_day(everything: pyoxigraph.Store) -> None:
    then = ask(everything, "known-by", "event modality issued", on="2017-03-12")
    assert ("event/invented-visit", "opinion", "2017-03-12") in then
    assert all(str(issued) <= "2017-03-12" for _, _, issued in then)
    before = ask(everything, "known-by", "event", on="2017-03-11")
    assert ("event/invented-visit",) not in before


def test_events_between_neighbours(everything: pyoxigraph.Store) -> None:
    rows = ask(everything, "neighbours", "event neighbour", country="country/tur")
    assert [row for row in rows if "border" in str(row[0])] == [
        ("event/invented-border-quarrel", "country/irq"),
        ("event/invented-border-talks", "country/irq"),
        ("event/invented-border-treaty", "country/irq"),
    ]
