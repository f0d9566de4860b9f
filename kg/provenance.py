"""The history of loads, as PROV-O in `graph:loads`."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from kg import __version__
from kg.errors import UnknownNameError
from kg.store import Store
from kg.terms import GRAPH_LOADS, LOAD, PREFIXES, compact, mint, read_turtle, term

TOOL: Final = f"diplograph {__version__}"


@dataclass(frozen=True)
class Load:
    """One load of a source into its graph: times in UTC, length in bytes, counts in triples."""

    iri: str
    graph: str
    file_name: str
    sha256: str
    byte_length: int
    started: datetime
    ended: datetime
    added: int
    removed: int
    tool: str = TOOL
    started_by: str = ""
    undone: datetime | None = None

    @property
    def id(self) -> str:
        """Last part of the IRI; loads sort by it in time order."""
        return self.iri.removeprefix(LOAD)

    @property
    def label(self) -> str:
        """Label of the load."""
        return f"Load of {self.file_name} into {compact(self.graph)}"

    def summary(self) -> dict[str, object]:
        """Return the load as JSON values; times by RFC 3339."""
        return {
            "id": self.id,
            "iri": self.iri,
            "label": self.label,
            "graph": self.graph,
            "file": self.file_name,
            "sha256": self.sha256,
            "bytes": self.byte_length,
            "started": self.started.isoformat(),
            "ended": self.ended.isoformat(),
            "added": self.added,
            "removed": self.removed,
            "tool": self.tool,
            "started_by": self.started_by or None,
            "undone": self.undone.isoformat() if self.undone else None,
        }


@dataclass(frozen=True)
class Undoing:
    """The undoing of one load: triples restored, and triples taken back."""

    iri: str
    load: str
    file_name: str
    started: datetime
    ended: datetime
    restored: int
    taken_back: int
    started_by: str = ""


def mint_load(at: datetime) -> str:
    """Mint `load/<time>-<random>`: in time order, and unique even within a microsecond."""
    return f"{LOAD}{at.astimezone(UTC):%Y%m%dt%H%M%S%fz}-{secrets.token_hex(3)}"


def load_triples(load: Load) -> list[Triple]:
    """Describe a load (PROV-O section 3.1: an Activity, the Entities it used and generated, its Agent)."""
    name = Literal(load.file_name)
    return _activity(
        load,
        load.label,
        load.tool,
        f"""a dg:Load ; prov:used <{load.iri}#file> ; prov:generated {NamedNode(load.graph)} ;
            dg:addedCount {load.added} ; dg:removedCount {load.removed} .
        <{load.iri}#file> a prov:Entity ; rdfs:label {name} ; dg:fileName {name} ;
            dg:sha256 {Literal(load.sha256)} ; dg:byteLength {load.byte_length} .""",
    )


def undoing_triples(undoing: Undoing) -> list[Triple]:
    """Describe the undoing of a load (PROV-O section 3.1: an Activity informed by another)."""
    return _activity(
        undoing,
        f"Undoing of the load of {undoing.file_name}",
        TOOL,
        f"""a dg:Undoing ; dg:undoes <{undoing.load}> ; prov:wasInformedBy <{undoing.load}> ;
            dg:restoredCount {undoing.restored} ; dg:takenBackCount {undoing.taken_back} .""",
    )


def _activity(done: Load | Undoing, label: str, tool: str, more: str) -> list[Triple]:
    started_by = f"dg:startedBy {Literal(done.started_by)} ;" if done.started_by else ""
    return read_turtle(f"""
        <{done.iri}> a prov:Activity ; rdfs:label {Literal(label, language="en")} ; {started_by}
            prov:startedAtTime {_time(done.started)} ; prov:endedAtTime {_time(done.ended)} ;
            prov:wasAssociatedWith {mint("software", tool)} .
        {mint("software", tool)} a prov:SoftwareAgent ; rdfs:label {Literal(tool, language="en")} .
        <{done.iri}> {more}""")


def _time(at: datetime) -> Literal:
    return Literal(at.astimezone(UTC).isoformat().replace("+00:00", "Z"), datatype=term("xsd:dateTime"))


def read_loads(store: Store) -> list[Load]:
    """List the loads of a store, newest first. Raises StoreFailedError."""
    return sorted(_loads(store, ""), key=lambda load: load.id, reverse=True)


def read_load(store: Store, load_id: str) -> Load:
    """Read one load by its id or IRI. Raises UnknownNameError, StoreFailedError."""
    try:
        only = NamedNode(load_id if load_id.startswith(LOAD) else LOAD + load_id)
        found = list(_loads(store, f"VALUES ?load {{ {only} }}"))
    except ValueError:
        found = []
    if not found:
        raise UnknownNameError(f"there is no load {load_id}", mend="List the loads to see their ids.")
    return found[0]


_LOADS: Final = f"""
PREFIX dg: <{PREFIXES["dg"]}>
PREFIX prov: <{PREFIXES["prov"]}>
PREFIX rdfs: <{PREFIXES["rdfs"]}>
SELECT ?load ?graph ?name ?sha ?length ?started ?ended ?added ?removed ?tool ?who ?undone WHERE {{
  #ONLY
  GRAPH {GRAPH_LOADS} {{
    ?load a dg:Load ; prov:used ?file ; prov:generated ?graph ; prov:wasAssociatedWith ?agent ;
      prov:startedAtTime ?started ; prov:endedAtTime ?ended ;
      dg:addedCount ?added ; dg:removedCount ?removed .
    ?file dg:fileName ?name ; dg:sha256 ?sha ; dg:byteLength ?length .
    ?agent rdfs:label ?tool .
    OPTIONAL {{ ?load dg:startedBy ?who }}
    OPTIONAL {{ ?undoing dg:undoes ?load ; prov:endedAtTime ?undone }}
  }}
}}"""


def _loads(store: Store, only: str) -> Iterator[Load]:
    for row in store.query(_LOADS.replace("#ONLY", only)).rows():
        text = {name: getattr(value, "value", "") for name, value in row.items()}
        yield Load(
            iri=text["load"],
            graph=text["graph"],
            file_name=text["name"],
            sha256=text["sha"],
            byte_length=int(text["length"]),
            started=datetime.fromisoformat(text["started"]),
            ended=datetime.fromisoformat(text["ended"]),
            added=int(text["added"]),
            removed=int(text["removed"]),
            tool=text["tool"],
            started_by=text.get("who", ""),
            undone=datetime.fromisoformat(text["undone"]) if "undone" in text else None,
        )
