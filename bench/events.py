"""A generator of coding records in the shape of the data model: fixed seed, a few actors in a third."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

from kg.terms import GRAPH, ID, ONTOLOGY

ACTORS = [f"a{n:02d}" for n in range(60)]
FREQUENT = ACTORS[:4]
TYPES = ["plover-consult", "plover-agree", "plover-coerce", "plover-assault", "plover-aid", "plover-accuse"]
RDF_TYPE = "<http://www.w3.org/1999/02/22-rdf-syntax-ns#type>"
LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
XSD = "http://www.w3.org/2001/XMLSchema#"
QUADS_PER_EVENT = 10


def write_events(path: Path, events: int, seed: int = 20180101) -> int:
    """Write N-Quads of so many coding records; give the number of quads."""
    pick = random.Random(seed)
    start = date(2015, 1, 1)
    with path.open("w", encoding="utf-8") as out:
        for number in range(events):
            goldstein = pick.randrange(-100, 101) / 10
            one, two = _pair(pick)
            day = start + timedelta(days=pick.randrange(3650))
            record = f"<{ID}record/bench-{number}>"
            graph = f"<{GRAPH}bench-{number % 20}>"
            out.write(
                f"{record} {RDF_TYPE} <{ONTOLOGY}CodingRecord> {graph} .\n"
                f'{record} {LABEL} "record {number} of {one} and {two}"@en {graph} .\n'
                f'{record} <{ONTOLOGY}recordId> "{number}" {graph} .\n'
                f"{record} <{ONTOLOGY}codedActor> <{ID}country/{one}> {graph} .\n"
                f"{record} <{ONTOLOGY}codedRecipient> <{ID}country/{two}> {graph} .\n"
                f"{record} <{ONTOLOGY}eventType> <{ID}event-type/{pick.choice(TYPES)}> {graph} .\n"
                f'{record} <{ONTOLOGY}goldstein> "{goldstein}"^^<{XSD}decimal> {graph} .\n'
                f"{record} <{ONTOLOGY}codedFrom> <{ID}source/bench-{number // 3}> {graph} .\n"
                f"{record} <{ONTOLOGY}time> <{ID}time/{day}> {graph} .\n"
                f'<{ID}time/{day}> <{ONTOLOGY}begin> "{day}"^^<{XSD}date> {graph} .\n'
            )
    return events * QUADS_PER_EVENT


def _pair(pick: random.Random) -> tuple[str, str]:
    pool = FREQUENT if pick.random() < 1 / 3 else ACTORS
    one, two = pick.sample(pool, 2)
    return one, two
