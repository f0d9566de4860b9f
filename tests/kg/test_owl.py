"""The ontology as Python objects: what a notebook finds without knowing OWL."""

from __future__ import annotations

import pytest

from kg.errors import UnknownNameError
from kg.ontology import article_graphs, open_vocabulary
from kg.owl import OwlProperty, Vocabulary
from kg.terms import ID, ONTOLOGY


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    return open_vocabulary(t for graph in article_graphs().values() for t in graph)


def names(terms: object) -> list[str]:
    return [term.name for term in terms]  # type: ignore[attr-defined]


def test_a_class_tells_what_it_is_for(words: Vocabulary) -> None:
    event = words.cls("Event")
    assert event.iri == ONTOLOGY + "Event"
    assert repr(event) == "<dg:Event: event>"
    assert event.definition.startswith("What happened")
    assert event.example
    assert words["dg:Event"] == words[ONTOLOGY + "Event"] == event


def test_classes_above_and_below(words: Vocabulary) -> None:
    assert names(words.cls("Country").above) == ["dg:Agent", "dg:Place"]
    assert names(words.cls("CooperativeEvent").above) == ["dg:Event"]
    assert names(words.cls("Place").below) == ["dg:Country", "dg:Facility", "dg:Region", "dg:WorldRegion"]
    assert names(words.cls("Modality").above) == ["skos:Concept"]


def test_properties_of_a_class_come_from_above_too(words: Vocabulary) -> None:
    assert {"dg:participant", "dg:eventType", "dg:place"} <= set(names(words.cls("Journey").properties))
    assert "dg:about" not in names(words.cls("Journey").properties)


def test_a_property_tells_where_it_leads(words: Vocabulary) -> None:
    cites = words["cites"]
    assert isinstance(cites, OwlProperty)
    assert (names(cites.domains), names(cites.ranges)) == (["dg:Source"], ["dg:Agent", "dg:Source"])
    assert cites.relates_things
    actor, value, led_to = words["actor"], words["value"], words["ledTo"]
    assert isinstance(actor, OwlProperty)
    assert isinstance(value, OwlProperty)
    assert isinstance(led_to, OwlProperty)
    assert names(actor.above) == ["dg:participant"]
    assert not value.relates_things
    assert led_to.inverse is not None
    assert led_to.inverse.name == "dg:resultOf"
    assert actor.inverse is None


def test_things_and_their_values(words: Vocabulary) -> None:
    deportation = words.thing("event/us-iran-deportation")
    assert "dg:Event" in names(deportation.classes)
    (group,) = deportation.values("affected")
    assert getattr(group, "label", "") == "Iranian nationals"
    # The countries were not given along, so that nothing is said of Iran here.
    assert deportation.values("destination") == [ID + "country/irn"]
    assert deportation in words.cls("Event").members
    assert deportation.values("nothing") == []


def test_own_terms_are_listed_in_order(words: Vocabulary) -> None:
    assert names(words.classes)[:2] == ["dg:Administration", "dg:Agency"]
    assert all(p.name.startswith("dg:") for p in words.properties)
    assert "dg:aspect" not in names(words.properties)


def test_a_slip_of_the_pen_is_told_with_the_nearest_name(words: Vocabulary) -> None:
    with pytest.raises(UnknownNameError) as caught:
        words["Evnt"]
    assert caught.value.mend == "Did you mean Event?"
    with pytest.raises(UnknownNameError, match="is not a class"):
        words.cls("actor")
    with pytest.raises(UnknownNameError, match="is a class or a property"):
        words.thing("Event")
