"""Titles as of a day: what somebody was called when something happened."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from kg.describe.entity.entity_page import describe
from kg.describe.entity.posts_held import Title, titles_on
from kg.describe.lists.solution_tables import members_of
from kg.store import EmbeddedStore
from kg.terms import ID

FIXTURES = Path(__file__).parents[2] / "fixtures"
ADA = ID + "person/ada-invented"


def title_on(store: EmbeddedStore, person: str, day: date | None) -> tuple[Title, ...]:
    return titles_on(store, [person], day, day).get(person, ())


@pytest.fixture(scope="module")
def posts(article_store: EmbeddedStore) -> Iterator[EmbeddedStore]:
    store = EmbeddedStore()
    store.engine.bulk_extend(article_store.engine)
    for name in ("posts.trig", "missions.trig"):
        store.engine.load(path=FIXTURES / name)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("day", "title"),
    [
        (date(2015, 1, 31), None),
        (date(2015, 2, 1), "Envoy, Invented Ministry"),
        (date(2017, 6, 30), "Envoy, Invented Ministry"),
        (date(2017, 7, 1), "Minister, Invented Ministry"),
        (date(2024, 1, 1), "Minister, Invented Ministry"),
    ],
)
def test_the_title_is_that_of_the_day(posts: EmbeddedStore, day: date, title: str | None) -> None:
    titles = title_on(posts, ADA, day)
    assert [found.text for found in titles] == ([title] if title else [])
    assert all(found.certain for found in titles)


def test_an_event_of_several_days_can_see_two_titles(posts: EmbeddedStore) -> None:
    found = titles_on(posts, [ADA], date(2017, 6, 1), date(2017, 7, 31))
    assert [title.post.label for title in found[ADA]] == ["Minister", "Envoy"]
    assert titles_on(posts, [ADA], date(2017, 6, 30), None) == titles_on(
        posts, [ADA], None, date(2017, 6, 30)
    )


def test_without_a_day_no_dated_post_is_claimed(posts: EmbeddedStore) -> None:
    assert title_on(posts, ADA, None) == ()
    undated = title_on(posts, ID + "person/tricia-mclaughlin", None)
    assert [(title.post.label, title.certain) for title in undated] == [("Assistant Secretary", False)]


def test_an_end_that_nobody_knows_is_not_certain(posts: EmbeddedStore) -> None:
    (title,) = title_on(posts, ID + "person/stand-in", date(1985, 1, 1))
    assert (title.begin, title.end, title.certain) == ("1979-04-07", None, False)


def test_many_people_at_once(posts: EmbeddedStore) -> None:
    helms, sullivan = (ID + f"person/{name}" for name in ("helms", "sullivan"))
    found = titles_on(posts, [helms, sullivan, ADA], date(1978, 7, 4), date(1978, 7, 4))
    assert list(found) == [sullivan]


def test_nobody_has_no_titles(posts: EmbeddedStore) -> None:
    assert title_on(posts, ID + "person/nobody", date(2000, 1, 1)) == ()
    assert titles_on(posts, [], date(2000, 1, 1), None) == {}


def test_choices_are_in_the_order_of_their_english_names(article_store: EmbeddedStore) -> None:
    labels = [
        name.label for name in members_of(article_store, "https://w3id.org/diplograph/ontology#Country", 400)
    ]
    assert labels[:2] == ["Afghanistan", "Albania"]
    assert labels.index("Germany") < labels.index("Ghana") < labels.index("Japan") < labels.index("Spain")


def test_what_leads_to_a_country_is_in_the_order_of_english_names(article_store: EmbeddedStore) -> None:
    found = describe(article_store, ID + "country/irn")
    (members,) = [links for links in found.incoming if links.property.iri.endswith("#hasMember")]
    assert [one.name.label for one in members.things] == [
        "OPEC",
        "Organisation of Islamic Cooperation",
        "Shanghai Cooperation Organisation",
        "United Nations",
    ]


def test_neighbours_of_a_country_are_listed_once(article_store: EmbeddedStore) -> None:
    found = describe(article_store, ID + "country/che")
    (neighbours,) = [facts for facts in found.facts if facts.property.iri.endswith("#borders")]
    names = ["Austria", "France", "Germany", "Italy", "Liechtenstein"]
    assert [fact.value.text for fact in neighbours.facts] == names
    assert not [links for links in found.incoming if links.property.iri.endswith("#borders")]
