"""RDF from outside on its way to a preview: read, named, checked by the shapes, written down in order."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.errors import UnsupportedFormatError, ValidationFailedError
from kg.lines import sort_lines
from kg.load.checking import as_stored, findings_of, target_graph, undescribed
from kg.load.folder import LoadFolder
from kg.load.model import Progress
from kg.load.reading import rdf_bytes
from kg.readers.blank_nodes import skolemise
from kg.readers.rdf import read_rdf
from kg.store import Store


@dataclass(frozen=True)
class RdfRead:
    """What a file of RDF came to: its sorted N-Triples, the graph they go into, and what is said of them."""

    path: Path
    graph: NamedNode
    findings: tuple[str, ...]
    notes: tuple[str, ...]
    unknown: tuple[str, ...]


def stage_rdf(
    store: Store,
    folder: LoadFolder,
    path: Path,
    *,
    name: str,
    format: str | None,  # noqa: A002 - the word that every RDF library uses
    media_type: str | None,
    source: str | None,
    base_iri: str | None,
    progress: Progress,
) -> RdfRead:
    """Read a file of RDF into `new.nt` of the folder. Raises as `staging.stage` does."""
    if path.is_dir():
        raise UnsupportedFormatError(
            "it is a folder, and no table that is read from folders",
            where=name,
            mend="Name its files, or a format.",
        )
    data, inner = rdf_bytes(path, name)
    parsed = read_rdf(data, name=inner, format=format, media_type=media_type, base_iri=base_iri)
    del data
    graph = target_graph(parsed.graph, source, name)
    triples, notes = as_stored(skolemise(parsed.triples, graph.value))
    progress("checking", 0, len(triples))
    findings = _checked(findings_of(store, parsed, triples, graph), name)
    unknown = undescribed(store, triples)
    lines = pyoxigraph.serialize(triples, format=RdfFormat.N_TRIPLES) or b""
    new = folder.path / "new.nt"
    sort_lines(lines.splitlines(keepends=True), new)
    return RdfRead(new, graph, findings, notes, unknown)


def _checked(found: list[tuple[str, str]], name: str) -> tuple[str, ...]:
    violations = [text for severity, text in found if severity == "violation"]
    if violations:
        raise ValidationFailedError(
            f"{len(violations)} {'finding' if len(violations) == 1 else 'findings'}; nothing was stored",
            findings=tuple(violations),
            where=name,
            mend="Correct the lines that the findings name, and load the file again.",
        )
    return tuple(text for _, text in found)
