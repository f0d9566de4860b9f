"""The concept schemes: sound SKOS, PLOVER's sixteen types, CAMEO codes with their zeros."""

from __future__ import annotations

import csv
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
    return rdflib.Graph().parse(ONTOLOGY_FOLDER / "event-types.ttl")


def concepts(graph: rdflib.Graph, scheme: str | None = None) -> set[rdflib.term.Node]:
    if scheme is None:
        return set(graph.subjects(RDF.type, SKOS.Concept))
    return set(graph.subjects(SKOS.inScheme, THING[f"scheme/{scheme}"]))


def test_every_concept_is_whole(schemes: rdflib.Graph) -> None:
    kinds = set()
    for concept in concepts(schemes):
        (label,) = schemes.objects(concept, RDFS.label)
        assert schemes.value(concept, SKOS.prefLabel) == label
        assert isinstance(label, rdflib.Literal)
        assert label.language == "en"
        assert schemes.value(concept, SKOS.definition)
        (scheme,) = schemes.objects(concept, SKOS.inScheme)
        assert (scheme, RDF.type, SKOS.ConceptScheme) in schemes
        own = {t for t in schemes.objects(concept, RDF.type) if t != SKOS.Concept}
        assert len(own) == 1
        kinds |= own
    assert kinds == {
        DG[name] for name in ("EventType", "Modality", "Comparator", "QuadClass", "Character", "SourceKind",
                              "TimePrecision", "ResolutionMethod", "Unit", "Means",
                                  "GroupingMethod")
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
    for mapping in (SKOS.broadMatch, SKOS.closeMatch):
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
    with _shared("data", "gdelt", "20180101000000.export.CSV").open(encoding="utf-8") as file:
        real = {
            row[28]: quads[int(row[29])] for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        }
    for concept in concepts(schemes, "cameo"):
        root = str(schemes.value(concept, SKOS.notation))[:2]
        assert schemes.value(concept, DG.quadClass) == THING[f"quad-class/{real[root]}"]


def test_modes_match_the_published_conversion(schemes: rdflib.Graph) -> None:
    """Codes map to the type and mode that PLOVER's own table gives, where that has a mode."""
    text = _shared("data", "plover", "CAMEO2PLOVER-2021.txt").read_text(encoding="utf-8")
    table = {}
    for line in text.splitlines():
        code, colon, rest = line.partition(":")
        if colon and code.isdigit() and "," in rest:
            kind, mode = (part.strip().lower() for part in rest.split("#")[0].split(",")[:2])
            table[code] = f"{kind}-{mode}" if mode else kind
    for concept in concepts(schemes, "cameo"):
        code = str(schemes.value(concept, SKOS.notation))
        matches = {*schemes.objects(concept, SKOS.broadMatch), *schemes.objects(concept, SKOS.closeMatch)}
        if code in table and len(code) > 2:
            assert matches == {THING[f"event-type/plover-{table[code]}"]}, code
