"""The concept schemes: sound SKOS, PLOVER's sixteen types, CAMEO codes with their zeros."""

from __future__ import annotations

import csv
import importlib.util
import os
from pathlib import Path

import pytest
import rdflib
from rdflib.namespace import RDF, RDFS, SKOS

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import ID, PREFIXES

SHARED = Path(os.environ.get("DIPLOGRAPH_SHARED") or Path(__file__).parents[3] / "shared")
DG = rdflib.Namespace(PREFIXES["dg"])
THING = rdflib.Namespace(ID)

# PLOVER manual, "quad category" of each type; REQUEST is the manual's DEMAND.
PLOVER = {
    "verbal-cooperation": {"AGREE", "CONSULT", "SUPPORT", "CONCEDE"},
    "material-cooperation": {"COOPERATE", "AID", "RETREAT"},
    "verbal-conflict": {"REQUEST", "ACCUSE", "REJECT", "THREATEN"},
    "material-conflict": {"PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"},
}


@pytest.fixture(scope="module")
def schemes() -> rdflib.Graph:
    graph = rdflib.Graph().parse(ONTOLOGY_FOLDER / "event-types.ttl")
    return graph.parse(ONTOLOGY_FOLDER / "cameo.ttl")


def concepts(graph: rdflib.Graph, scheme: str | None = None) -> set[rdflib.term.Node]:
    if scheme is None:
        return set(graph.subjects(RDF.type, SKOS.Concept))
    return set(graph.subjects(SKOS.inScheme, THING[f"scheme/{scheme}"]))


def test_every_concept_is_whole(schemes: rdflib.Graph) -> None:
    kinds = set()
    for concept in concepts(schemes):
        labels = set(schemes.objects(concept, RDFS.label))
        assert set(schemes.objects(concept, SKOS.prefLabel)) == labels
        languages = [label.language for label in labels if isinstance(label, rdflib.Literal)]
        assert languages.count("en") == 1
        assert len(set(languages)) == len(labels)
        assert schemes.value(concept, SKOS.definition)
        (scheme,) = schemes.objects(concept, SKOS.inScheme)
        assert (scheme, RDF.type, SKOS.ConceptScheme) in schemes
        own = {t for t in schemes.objects(concept, RDF.type) if t != SKOS.Concept}
        assert len(own) == 1
        kinds |= own
    assert kinds == {
        DG[name] for name in ("EventType", "Modality", "Comparator", "QuadClass", "Character", "SourceKind",
                              "TimePrecision", "ResolutionMethod", "Unit", "Means", "MissionStatusType",
                              "EventContext", "GroupingMethod", "Topic", "Stance", "Trend", "Medium",
                              "Level", "Role",
                              "VoteChoice", "RelationStatus", "AnswerKind", "Effect")
    }  # fmt: skip


def test_every_scheme_has_a_name_and_members(schemes: rdflib.Graph) -> None:
    for scheme in schemes.subjects(RDF.type, SKOS.ConceptScheme):
        assert schemes.value(scheme, RDFS.label) == schemes.value(scheme, SKOS.prefLabel) is not None
        assert list(schemes.subjects(SKOS.topConceptOf, scheme))


def test_hierarchy_is_a_forest_within_its_scheme(schemes: rdflib.Graph) -> None:
    for concept in concepts(schemes):
        broader = list(schemes.objects(concept, SKOS.broader))
        top = list(schemes.objects(concept, SKOS.topConceptOf))
        assert len(broader) + len(top) == 1, concept
        for above in broader:
            assert schemes.value(above, SKOS.inScheme) == schemes.value(concept, SKOS.inScheme)
            assert concept not in set(schemes.transitive_objects(above, SKOS.broader))


def test_mappings_cross_schemes_and_never_contradict(schemes: rdflib.Graph) -> None:
    """SKOS Reference S27 and S46: related is no broader, and mappings lie between schemes."""
    for mapping in (SKOS.broadMatch, SKOS.closeMatch, SKOS.relatedMatch):
        for one, other in schemes.subject_objects(mapping):
            assert other in concepts(schemes)
            assert schemes.value(one, SKOS.inScheme) != schemes.value(other, SKOS.inScheme)


def test_notations_are_unique_in_a_scheme(schemes: rdflib.Graph) -> None:
    for scheme in schemes.subjects(RDF.type, SKOS.ConceptScheme):
        codes = [
            str(n) for c in schemes.subjects(SKOS.inScheme, scheme) for n in schemes.objects(c, SKOS.notation)
        ]
        assert len(codes) == len(set(codes))


def test_plover_types_and_quad_classes(schemes: rdflib.Graph) -> None:
    found: dict[str, set[str]] = {}
    for concept in schemes.subjects(SKOS.topConceptOf, THING["scheme/plover"]):
        quad = str(schemes.value(concept, DG.quadClass)).rpartition("/")[2]
        code = str(schemes.value(concept, SKOS.notation))
        found.setdefault(quad, set()).add(code)
        assert concept == THING[f"event-type/plover-{code.lower()}"]
    assert found == PLOVER


def test_modes_carry_the_quad_class_of_their_type(schemes: rdflib.Graph) -> None:
    for mode, above in schemes.subject_objects(SKOS.broader):
        quad = schemes.value(mode, DG.quadClass)
        assert quad == schemes.value(above, DG.quadClass)


@pytest.mark.parametrize(
    "mode",
    [
        "consult-visit",
        "consult-phone",
        "coerce-deport",
        "coerce-arrest",
        "assault-heavy-weapons",
        "sanction-expel",
    ],
)
def test_modes_that_the_manual_names(schemes: rdflib.Graph, mode: str) -> None:
    kind = mode.partition("-")[0]
    assert (THING[f"event-type/plover-{mode}"], SKOS.broader, THING[f"event-type/plover-{kind}"]) in schemes


@pytest.mark.parametrize("old", ["Demand", "Investigate", "Disapprove", "Confiscate"])
def test_older_names_are_found(schemes: rdflib.Graph, old: str) -> None:
    assert list(schemes.subjects(SKOS.altLabel, rdflib.Literal(old, lang="en")))


def test_the_article_finds_its_codes(schemes: rdflib.Graph) -> None:
    expected = {"046": "consult", "174": "coerce-deport", "195": "assault-heavy-weapons", "190": "assault"}
    for code, plover in expected.items():
        concept, match = THING[f"event-type/cameo-{code}"], THING[f"event-type/plover-{plover}"]
        assert match in {
            *schemes.objects(concept, SKOS.broadMatch),
            *schemes.objects(concept, SKOS.closeMatch),
        }


def test_cameo_codes_stand_under_their_parents(schemes: rdflib.Graph) -> None:
    for concept in concepts(schemes, "cameo"):
        code = schemes.value(concept, SKOS.notation)
        assert isinstance(code, rdflib.Literal)
        assert code.datatype is None
        assert concept == THING[f"event-type/cameo-{code}"]
        above = [str(schemes.value(b, SKOS.notation)) for b in schemes.objects(concept, SKOS.broader)]
        assert above == ([] if len(code) == 2 else [code[:-1]])


def _shared(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.is_file():
        pytest.skip(f"{path.name} is not here; set DIPLOGRAPH_SHARED to the folder that has data/")
    return path


def test_cameo_codes_exist(schemes: rdflib.Graph) -> None:
    with _shared("data", "cameo", "CAMEO.eventcodesfull.txt").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = {row["EventCode"] for row in rows} | {row["EventRootCode"] for row in rows}
    assert {str(schemes.value(c, SKOS.notation)) for c in concepts(schemes, "cameo")} <= known


def test_goldstein_values_are_those_of_real_rows(schemes: rdflib.Graph) -> None:
    with _shared("data", "cameo", "goldstein_empirical.csv").open(encoding="utf-8") as file:
        real = {row["cameo"]: float(row["goldstein_in_gdelt_rows"]) for row in csv.DictReader(file)}
    for concept in concepts(schemes, "cameo"):
        code = str(schemes.value(concept, SKOS.notation))
        value = schemes.value(concept, DG.goldstein)
        assert (float(str(value)) if value is not None else None) == real.get(code), code


def test_quad_classes_of_cameo_roots_are_those_of_real_rows(schemes: rdflib.Graph) -> None:
    """GDELT's QuadClass: 1 verbal cooperation, 2 material cooperation, 3 verbal and 4 material conflict."""
    quads = dict(
        enumerate(("verbal-cooperation", "material-cooperation", "verbal-conflict", "material-conflict"), 1)
    )
    real = {
        "20": "material-conflict"
    }  # No row at hand has it; 20 is the last of the codebook's fourth class.
    for name in ("20180101000000.export.CSV", "gdelt_iran_usa.tsv"):
        with _shared("data", "gdelt", name).open(encoding="utf-8") as file:
            for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                if row[29].isdigit():
                    real[row[28]] = quads[int(row[29])]
    assert len(real) == 20
    for concept in concepts(schemes, "cameo"):
        code = str(schemes.value(concept, SKOS.notation))
        assert schemes.value(concept, DG.quadClass) == THING[f"quad-class/{real[code[:2]]}"], code


# Modes of the table that the manual does not have, and what stands for them.
NO_MODE = {"085": "retreat", "1321": "threaten-restrict", "1712": "assault-destroy", "175": "assault"}
# A CAMEO code that GDELT does not list.
NOT_IN_GDELT = {"1214"}


def conversion() -> dict[str, tuple[str, str, set[str]]]:
    """Type, mode and contexts of each code in PLOVER's own table; a line without commas is a heading."""
    table = {}
    for line in _shared("data", "plover", "CAMEO2PLOVER-2021.txt").read_text(encoding="utf-8").splitlines():
        code, colon, rest = line.partition(":")
        if colon and code.isdigit() and "," in rest:
            kind, mode, contexts = (part.strip().lower() for part in rest.split("#")[0].split(",")[:3])
            table[code] = (
                kind,
                mode,
                {context.strip() for context in contexts.split(";") if context.strip()},
            )
    return table


def test_matches_are_those_of_the_published_conversion(schemes: rdflib.Graph) -> None:
    for code, (kind, mode, contexts) in conversion().items():
        if code in NOT_IN_GDELT:
            continue
        concept = THING[f"event-type/cameo-{code}"]
        matches = {*schemes.objects(concept, SKOS.broadMatch), *schemes.objects(concept, SKOS.closeMatch)}
        expected = NO_MODE.get(code, f"{kind}-{mode}" if mode else kind)
        assert matches == {THING[f"event-type/plover-{expected}"]}, code
        related = {str(schemes.value(c, SKOS.notation)) for c in schemes.objects(concept, SKOS.relatedMatch)}
        assert related == contexts | ({mode} if mode == "pro_autocracy" else set()), code


def test_all_of_gdelts_codes_are_there(schemes: rdflib.Graph) -> None:
    with _shared("data", "cameo", "CAMEO.eventcodesfull.txt").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    known = {row["EventCode"] for row in rows} | {row["EventRootCode"] for row in rows}
    ours = {str(schemes.value(c, SKOS.notation)) for c in concepts(schemes, "cameo")}
    assert ours == known - {"0"}


def test_codes_of_unspecified_acts_and_appeals_lead_to_plover(schemes: rdflib.Graph) -> None:
    """Whatever is no statement has a match; statements have none, since PLOVER dropped them."""
    for concept in concepts(schemes, "cameo"):
        code = str(schemes.value(concept, SKOS.notation))
        matches = {*schemes.objects(concept, SKOS.broadMatch), *schemes.objects(concept, SKOS.closeMatch)}
        assert len(matches) == (0 if code.startswith("01") or code == "08" else 1), code


def test_the_twenty_roots(schemes: rdflib.Graph) -> None:
    roots = {
        str(schemes.value(c, SKOS.notation))
        for c in schemes.subjects(SKOS.topConceptOf, THING["scheme/cameo"])
    }
    assert roots == {f"{number:02}" for number in range(1, 21)}


def test_the_sixteen_types_have_names_in_four_languages(schemes: rdflib.Graph) -> None:
    for concept in schemes.subjects(SKOS.topConceptOf, THING["scheme/plover"]):
        languages = {getattr(label, "language", None) for label in schemes.objects(concept, SKOS.prefLabel)}
        assert languages == {"en", "fr", "es", "fa"}, concept


def test_the_file_of_cameo_is_what_its_writer_writes() -> None:
    path = Path(__file__).parents[2] / "tools" / "write_cameo.py"
    spec = importlib.util.spec_from_file_location("write_cameo", path)
    assert spec and spec.loader
    writer = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(writer)
    assert writer.turtle() == (ONTOLOGY_FOLDER / "cameo.ttl").read_text(encoding="utf-8")
