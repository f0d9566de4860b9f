"""The history of loads, as PROV-O in `graph:loads`."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from pyoxigraph import Literal, NamedNode, Triple

from kg import __version__
from kg.errors import UnknownNameError
from kg.store import Row, Store
from kg.terms import GRAPH_LOADS, LOAD, PREFIXES, compact, mint, term

TOOL: Final = f"diplograph {__version__}"

_RDF_TYPE: Final = term("rdf:type")
_LABEL: Final = term("rdfs:label")


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
    activity, file = NamedNode(load.iri), NamedNode(load.iri + "#file")
    agent = mint("software", load.tool)
    who = [Triple(activity, term("dg:startedBy"), Literal(load.started_by))] if load.started_by else []
    return [
        *who,
        Triple(activity, _RDF_TYPE, term("dg:Load")),
        Triple(activity, _RDF_TYPE, term("prov:Activity")),
        Triple(activity, _LABEL, Literal(load.label, language="en")),
        Triple(activity, term("prov:startedAtTime"), _time(load.started)),
        Triple(activity, term("prov:endedAtTime"), _time(load.ended)),
        Triple(activity, term("prov:used"), file),
        Triple(activity, term("prov:generated"), NamedNode(load.graph)),
        Triple(activity, term("prov:wasAssociatedWith"), agent),
        Triple(activity, term("dg:addedCount"), Literal(load.added)),
        Triple(activity, term("dg:removedCount"), Literal(load.removed)),
        Triple(file, _RDF_TYPE, term("prov:Entity")),
        Triple(file, _LABEL, Literal(load.file_name)),
        Triple(file, term("dg:fileName"), Literal(load.file_name)),
        Triple(file, term("dg:sha256"), Literal(load.sha256)),
        Triple(file, term("dg:byteLength"), Literal(load.byte_length)),
        Triple(agent, _RDF_TYPE, term("prov:SoftwareAgent")),
        Triple(agent, _LABEL, Literal(load.tool, language="en")),
    ]


def undoing_triples(undoing: Undoing) -> list[Triple]:
    """Describe the undoing of a load (PROV-O section 3.1: an Activity informed by another)."""
    activity, load = NamedNode(undoing.iri), NamedNode(undoing.load)
    agent = mint("software", TOOL)
    who = [Triple(activity, term("dg:startedBy"), Literal(undoing.started_by))] if undoing.started_by else []
    return [
        *who,
        Triple(activity, _RDF_TYPE, term("dg:Undoing")),
        Triple(activity, _RDF_TYPE, term("prov:Activity")),
        Triple(activity, _LABEL, Literal(f"Undoing of the load of {undoing.file_name}", language="en")),
        Triple(activity, term("dg:undoes"), load),
        Triple(activity, term("prov:wasInformedBy"), load),
        Triple(activity, term("prov:startedAtTime"), _time(undoing.started)),
        Triple(activity, term("prov:endedAtTime"), _time(undoing.ended)),
        Triple(activity, term("prov:wasAssociatedWith"), agent),
        Triple(activity, term("dg:restoredCount"), Literal(undoing.restored)),
        Triple(activity, term("dg:takenBackCount"), Literal(undoing.taken_back)),
        Triple(agent, _RDF_TYPE, term("prov:SoftwareAgent")),
        Triple(agent, _LABEL, Literal(TOOL, language="en")),
    ]


def read_loads(store: Store) -> list[Load]:
    """List the loads of a store, newest first. Raises StoreFailedError."""
    return sorted(
        _loads(store.query(_LOADS.replace("#ONLY", "")).rows()), key=lambda load: load.id, reverse=True
    )


def read_load(store: Store, load_id: str) -> Load:
    """Read one load by its id or IRI. Raises UnknownNameError, StoreFailedError."""
    try:
        only = NamedNode(load_id if load_id.startswith(LOAD) else LOAD + load_id)
        found = list(_loads(store.query(_LOADS.replace("#ONLY", f"VALUES ?load {{ {only} }}")).rows()))
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


def _loads(rows: Iterable[Row]) -> Iterable[Load]:
    for row in rows:
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


def _time(at: datetime) -> Literal:
    return Literal(at.astimezone(UTC).isoformat().replace("+00:00", "Z"), datatype=term("xsd:dateTime"))
