"""Small sources of our own whose speakers agree, disagree, deny and correct themselves."""

from __future__ import annotations

from collections.abc import Iterable

import pyoxigraph
import pytest

from kg.describe.entity.entity_page import describe
from kg.ontology import article_graphs, reference_graphs
from kg.store import EmbeddedStore
from kg.terms import ID
from kg.validation import validate
from tests.queries.asking import ask

PREFIXES = """@prefix dg: <https://w3id.org/diplograph/ontology#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix dcterms: <http://purl.org/dc/terms/> .
@prefix time: <http://www.w3.org/2006/time#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix id: <https://w3id.org/diplograph/id/> .
"""
EVENT = f"<{ID}event/invented-raid>"
THINGS = f"""
{EVENT} a dg:Event ; rdfs:label "invented raid"@en ; dg:actor <{ID}country/irn> ;
  dg:eventType <{ID}event-type/plover-assault> .
<{ID}place/pier> a dg:Facility ; rdfs:label "pier"@en ; dg:country <{ID}country/irn> ;
  dg:locatedIn <{ID}place/port> .
<{ID}place/port> a dg:Place ; rdfs:label "port"@en ; dg:country <{ID}country/irn> .
<{ID}organization/rebels> a dg:Organization ; rdfs:label "rebels"@en ; dg:country <{ID}country/irn> .
"""
for _name, _begin, _end, _precision in (
    ("day-3", "2019-04-03", "2019-04-03", "day"),
    ("day-4", "2019-04-04", "2019-04-04", "day"),
    ("april", "2019-04-01", "2019-04-30", "month"),
    ("may", "2019-05-01", "2019-05-31", "month"),
    ("june", "2019-06-01", "2019-06-30", "month"),
    ("all-2019", "2019-01-01", "2019-12-31", "year"),
):
    THINGS += f"""<{ID}time/{_name}> a time:ProperInterval ; rdfs:label "{_name}"@en ;
      dg:begin "{_begin}"^^xsd:date ; dg:end "{_end}"^^xsd:date ;
      dg:precision <{ID}time-precision/{_precision}> .
    """

# Speaker, modality, property, value; then the day of the source, if it matters.
Said = tuple[str, str, str, str] | tuple[str, str, str, str, str]


def claims(said: Iterable[Said]) -> str:
    """Claims in one article for each day; without a speaker, the article itself speaks."""
    text = PREFIXES + THINGS
    for number, (speaker, modality, prop, value, *day) in enumerate(said):
        source = f"<{ID}source/paper-{day[0] if day else 'undated'}>"
        text += f'{source} a dg:Article ; rdfs:label "paper"@en .\n'
        if day:
            text += f'{source} dcterms:issued "{day[0]}"^^xsd:date .\n'
        who = f"<{ID}{speaker}>" if speaker else source
        if speaker:
            text += f"""<{ID}step/{number}> a dg:AttributionStep ; rdfs:label "step"@en ; dg:stepNumber 2 ;
              dg:attributedTo {who} ; dg:sourceKind <{ID}source-kind/organization> .
            <{ID}claim/{number}> dg:attributionStep <{ID}step/{number}> .
            """
        object_ = value if value in ("true", "false") else f"<{ID}{value}>"
        text += f"""<{ID}claim/{number}> a dg:Claim ; rdfs:label "claim {number}"@en ; dg:about {EVENT} ;
          dg:modality <{ID}modality/{modality}> ; dg:statedIn {source} ; dg:saidBy {who} ;
          dg:states <{ID}fact/{number}> .
        <{ID}fact/{number}> a dg:Fact ; dg:subject {EVENT} ; dg:predicate dg:{prop} ; dg:object {object_} .
        """
    return text


@pytest.fixture(scope="module")
def reference() -> list[pyoxigraph.Quad]:
    graphs = {**reference_graphs(), **article_graphs()}
    return [pyoxigraph.Quad(t.subject, t.predicate, t.object, g) for g, ts in graphs.items() for t in ts]


def stored(reference: list[pyoxigraph.Quad], text: str) -> EmbeddedStore:
    store = EmbeddedStore()
    store.engine.bulk_extend(reference)
    store.engine.load(
        text.encode(), format=pyoxigraph.RdfFormat.TURTLE, to_graph=pyoxigraph.NamedNode("urn:x:papers")
    )
    return store


TOLD, COUNTED, EXACTLY, KILLED = "happened", "realised", "exactly", "killed"
IRAN, IRAQ, USA = "country/irn", "country/irq", "country/usa"
A, B = "country/irn", "country/irq"
DIFFERENT = {
    "two speakers in one article": [(A, TOLD, "actor", IRAQ), (B, TOLD, "actor", IRAN)],
    "a speaker and the article itself": [("", TOLD, "actor", IRAQ), (B, TOLD, "actor", IRAN)],
    "days": [(A, TOLD, "time", "time/day-3"), (B, TOLD, "time", "time/day-4")],
    "a day outside of the month": [(A, TOLD, "time", "time/may"), (B, TOLD, "time", "time/day-4")],
    "two plans": [(A, "planned", "place", IRAQ), (B, "projected", "place", IRAN)],
    "an opinion": [(A, "opinion", "orderedBy", IRAQ), (B, "asserted", "orderedBy", IRAN)],
    "whether it took place": [(A, "asserted", "tookPlace", "false"), (B, TOLD, "tookPlace", "true")],
    "a denial": [(A, "denied", "target", "place/pier"), (B, TOLD, "target", "place/pier")],
    "denying yes and denying no": [(A, "denied", "tookPlace", "true"), (B, "denied", "tookPlace", "false")],
    "rebels of a country are not the country": [
        (A, TOLD, "actor", "organization/rebels"),
        (B, TOLD, "actor", IRAN),
    ],
    "a value that was given up does not count": [
        (A, TOLD, "actor", USA, "2019-04-05"),
        (A, TOLD, "actor", IRAQ, "2019-04-09"),
        (B, TOLD, "actor", USA, "2019-04-07"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("said", DIFFERENT.values(), ids=list(DIFFERENT))
def test_a_contradiction(said: list[Said], reference: list[pyoxigraph.Quad]) -> None:
    store = stored(reference, claims(said))
    assert len(ask(store.engine, "contradicted-claims", "claim")) == 1
    assert len(ask(store.engine, "contradicted-claims", "claim", about="event/invented-raid")) == 1
    page = describe(store, ID + "event/invented-raid")
    assert page is not None
    (found,) = page.disagreements
    assert len({account.speaker.iri for account in found.accounts}) == 2


AGREEING = {
    "a government and its country": [(A, TOLD, "actor", USA), (B, TOLD, "actor", "government/usa")],
    "a government and an administration": [
        (A, TOLD, "actor", "administration/trump"), (B, TOLD, "actor", "government/usa"),
    ],
    "an agency and its government": [
        (A, TOLD, "actor", "agency/department-of-homeland-security"),
        (B, TOLD, "actor", "government/usa"),
    ],
    "a head and the administration": [
        (A, TOLD, "orderedBy", "person/donald-trump"),
        (B, TOLD, "orderedBy", "administration/trump"),
    ],
    "a month and a day in it": [(A, TOLD, "time", "time/april"), (B, TOLD, "time", "time/day-3")],
    "a year and a month": [(A, TOLD, "time", "time/april"), (B, TOLD, "time", "time/all-2019")],
    "a place and one in it": [(A, TOLD, "target", "place/pier"), (B, TOLD, "target", "place/port")],
    "a place and its country": [(A, TOLD, "target", "place/pier"), (B, TOLD, "target", IRAN)],
    "a plan and what happened": [(A, "planned", "place", IRAQ), (B, TOLD, "place", IRAN)],
    "what is only possible": [(A, "possible", "actor", IRAQ), (B, TOLD, "actor", IRAN)],
    "one names more actors": [
        (A, TOLD, "actor", USA), (B, TOLD, "actor", "government/usa"), (B, TOLD, "actor", IRAQ),
    ],
    "one speaker corrects himself": [
        (A, TOLD, "actor", USA, "2019-04-05"), (A, TOLD, "actor", IRAQ, "2019-04-09"),
    ],
    "no and a denied yes": [(A, "asserted", "tookPlace", "false"), (B, "denied", "tookPlace", "true")],
}  # fmt: skip


@pytest.mark.parametrize("said", AGREEING.values(), ids=list(AGREEING))
def test_no_contradiction(said: list[Said], reference: list[pyoxigraph.Quad]) -> None:
    store = stored(reference, claims(said))
    assert ask(store.engine, "contradicted-claims", "property value otherValue") == []
    page = describe(store, ID + "event/invented-raid")
    assert page is not None
    assert page.disagreements == ()


def test_two_speakers_in_one_article_confirm_each_other(reference: list[pyoxigraph.Quad]) -> None:
    store = stored(reference, claims([(A, "happened", "actor", USA), (B, "asserted", "actor", USA)]))
    rows = ask(store.engine, "confirmed-claims", "claim other property value")
    assert ("claim/0", "claim/1", "actor", "United States") in rows


@pytest.mark.parametrize(
    ("modality", "took_place", "answer"),
    [
        ("asserted", "false", "no"), ("denied", "true", "no"), ("denied", "false", "yes"),
        ("happened", "true", "yes"), ("planned", "true", "planned"), ("planned", "false", "planned not to"),
        ("unknown", "false", "unknown"), ("possible", "true", "possible"),
    ],
)  # fmt: skip
def test_one_answer_for_each_claim(
    modality: str, took_place: str, answer: str, reference: list[pyoxigraph.Quad]
) -> None:
    store = stored(reference, claims([(A, modality, "tookPlace", took_place)]))
    raid = {"event": "event/invented-raid"}
    assert ask(store.engine, "did-it-happen", "answer source", **raid) == [(answer, "Iran")]


@pytest.mark.parametrize(
    ("modality", "answer"), [("happened", "yes"), ("denied", "no"), ("planned", "planned")]
)
def test_a_claim_without_facts_is_about_the_event_as_a_whole(
    modality: str, answer: str, reference: list[pyoxigraph.Quad]
) -> None:
    said = claims([(A, modality, "tookPlace", "true")]).replace(f"dg:states <{ID}fact/0>", "rdfs:comment 'x'")
    store = stored(reference, said)
    raid = {"event": "event/invented-raid"}
    assert ask(store.engine, "did-it-happen", "answer source", **raid) == [(answer, "Iran")]


def test_who_states_that_it_did_not_take_place_denies_it(reference: list[pyoxigraph.Quad]) -> None:
    said: list[Said] = [(A, "asserted", "tookPlace", "false"), (B, "happened", "tookPlace", "true")]
    rows = ask(stored(reference, claims(said)).engine, "denied", "denied asserted property value")
    assert rows == [("Iran", "Iraq", "took place", "true")]


def test_a_plan_that_did_not_take_place_is_not_confirmed(reference: list[pyoxigraph.Quad]) -> None:
    said: list[Said] = [(A, "planned", "tookPlace", "true"), (B, "asserted", "tookPlace", "false")]
    rows = ask(stored(reference, claims(said)).engine, "planned-not-confirmed", "claim")
    assert ("claim/0",) in rows


def test_a_later_value_of_one_speaker_supersedes(reference: list[pyoxigraph.Quad]) -> None:
    said: list[Said] = [
        (A, "happened", "actor", USA, "2019-04-05"),
        (A, "happened", "actor", IRAQ, "2019-04-09"),
        (B, "planned", "place", USA, "2019-04-05"),
        (B, "happened", "place", IRAQ, "2019-04-09"),
    ]
    rows = ask(stored(reference, claims(said)).engine, "superseded-claims", "claim by")
    assert rows == [("claim/0", "claim/1")]


# Speaker, modality, comparator, number, effect, and when it holds.
COUNTS = {
    "dead": [(TOLD, EXACTLY, 12, KILLED, ""), (TOLD, EXACTLY, 30, KILLED, "")],
    "projections": [("projected", EXACTLY, 12, "displaced", ""), ("planned", EXACTLY, 30, "displaced", "")],
    "of one time": [(COUNTED, EXACTLY, 12, KILLED, "april"), (COUNTED, EXACTLY, 30, KILLED, "day-3")],
    "a bound": [(COUNTED, "more-than", 40, KILLED, ""), (COUNTED, EXACTLY, 30, KILLED, "")],
    "rounded, and far off": [
        (COUNTED, "approximately", 40, KILLED, ""), (COUNTED, EXACTLY, 30, KILLED, ""),
    ],
}  # fmt: skip
COMPATIBLE = {
    "dead and wounded": [(TOLD, EXACTLY, 12, KILLED, ""), (TOLD, EXACTLY, 30, "wounded", "")],
    "a projection": [("projected", EXACTLY, 12, KILLED, ""), (COUNTED, EXACTLY, 30, KILLED, "")],
    "as of May and June": [(COUNTED, EXACTLY, 12, KILLED, "may"), (COUNTED, EXACTLY, 30, KILLED, "june")],
    "a bound": [(COUNTED, "more-than", 20, KILLED, ""), (COUNTED, EXACTLY, 30, KILLED, "")],
    "rounded": [(COUNTED, "approximately", 100, KILLED, ""), (COUNTED, EXACTLY, 96, KILLED, "")],
}  # fmt: skip
Count = tuple[str, str, int, str, str]


def counts(said: Iterable[Count]) -> str:
    text = PREFIXES + THINGS + f'<{ID}source/paper> a dg:Article ; rdfs:label "paper"@en .\n'
    for number, (modality, comparator, value, effect, held) in enumerate(said):
        who = (A, B)[number]
        text += f"""<{ID}quantity/{number}> a dg:Quantity ; rdfs:label "figure"@en ; dg:value {value} ;
          dg:comparator <{ID}comparator/{comparator}> ; dg:unit <{ID}unit/person> ;
          dg:effect <{ID}effect/{effect}> ; dg:quantityOf {EVENT} .
        {f"<{ID}quantity/{number}> dg:asOf <{ID}time/{held}> ." if held else ""}
        <{ID}step/{number}> a dg:AttributionStep ; rdfs:label "step"@en ; dg:stepNumber 2 ;
          dg:attributedTo <{ID}{who}> ; dg:sourceKind <{ID}source-kind/organization> .
        <{ID}claim/{number}> a dg:Claim ; rdfs:label "claim {number}"@en ; dg:about <{ID}quantity/{number}> ;
          dg:modality <{ID}modality/{modality}> ; dg:statedIn <{ID}source/paper> ; dg:saidBy <{ID}{who}> ;
          dg:attributionStep <{ID}step/{number}> .
        """
    return text


@pytest.mark.parametrize("said", COUNTS.values(), ids=list(COUNTS))
def test_figures_that_disagree(said: list[Count], reference: list[pyoxigraph.Quad]) -> None:
    store = stored(reference, counts(said))
    rows = ask(store.engine, "disagreeing-figures", "value effect", thing="event/invented-raid")
    assert rows == sorted((number, effect) for _, _, number, effect, _ in said)
    page = describe(store, ID + "event/invented-raid")
    assert page is not None
    (found,) = page.disagreements
    assert found.counts == f"person, {said[0][3]}"


@pytest.mark.parametrize("said", COMPATIBLE.values(), ids=list(COMPATIBLE))
def test_figures_that_may_both_be_right(said: list[Count], reference: list[pyoxigraph.Quad]) -> None:
    assert ask(stored(reference, counts(said)).engine, "disagreeing-figures", "value") == []


def test_these_sources_may_be_loaded(reference: list[pyoxigraph.Quad]) -> None:
    known = [quad.triple for quad in reference]
    for text in (claims(DIFFERENT["a denial"]), counts(COUNTS["of one time"])):
        triples = [quad.triple for quad in pyoxigraph.parse(text, format=pyoxigraph.RdfFormat.TURTLE)]
        assert [f.text for f in validate(triples, known) if f.severity == "violation"] == []
