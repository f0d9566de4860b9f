"""Input and output formats: one table of names, media types and file endings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from pyoxigraph import QueryResultsFormat, RdfFormat

from kg.errors import NotAcceptableError, UnsupportedFormatError

Kind = Literal["solutions", "boolean", "graph"]


@dataclass(frozen=True)
class Format:
    """A serialization: its short name, media type (RFC 6838), file ending and the engine's handle.

    `aliases` are further media types that clients send for the same thing; `old_names` are accepted in
    requests for it only.
    """

    name: str
    media_type: str
    extension: str
    engine: RdfFormat | QueryResultsFormat
    aliases: tuple[str, ...] = ()
    old_names: tuple[str, ...] = ()

    @property
    def content_type(self) -> str:
        """Content-Type; text formats declare UTF-8 (SPARQL 1.1 CSV/TSV section 6)."""
        return self.media_type + ("; charset=utf-8" if self.media_type.startswith("text/") else "")


_XML: Final = ("application/xml", "text/xml")
RESULT_FORMATS: Final = (
    Format("json", "application/sparql-results+json", "srj", QueryResultsFormat.JSON, ("application/json",)),
    Format("xml", "application/sparql-results+xml", "srx", QueryResultsFormat.XML, _XML),
    Format("csv", "text/csv", "csv", QueryResultsFormat.CSV),
    Format("tsv", "text/tab-separated-values", "tsv", QueryResultsFormat.TSV),
)

GRAPH_FORMATS: Final = (
    Format("ttl", "text/turtle", "ttl", RdfFormat.TURTLE, ("application/x-turtle",)),
    Format("nt", "application/n-triples", "nt", RdfFormat.N_TRIPLES, old_names=("text/plain",)),
    Format("rdf", "application/rdf+xml", "rdf", RdfFormat.RDF_XML, _XML),
    Format("jsonld", "application/ld+json", "jsonld", RdfFormat.JSON_LD, ("application/json",)),
)

DATASET_FORMATS: Final = (
    Format("trig", "application/trig", "trig", RdfFormat.TRIG, ("application/x-trig",)),
    Format("nq", "application/n-quads", "nq", RdfFormat.N_QUADS, ("text/x-nquads",)),
)

RDF_FORMATS: Final = GRAPH_FORMATS + DATASET_FORMATS


OTHER_NAMES: Final = {
    "turtle": "ttl",
    "n-triples": "nt",
    "n-quads": "nq",
    "xml": "rdf",
    "owl": "rdf",
    "json": "jsonld",
}


def formats_for(kind: Kind) -> tuple[Format, ...]:
    """List what a result of this kind can be written as, the preferred first (SPARQL 1.1 Protocol 2.1.6)."""
    if kind == "graph":
        return GRAPH_FORMATS
    if kind == "boolean":
        return RESULT_FORMATS[:2]
    return RESULT_FORMATS


def result_format(kind: Kind, name: str) -> Format:
    """Find the format of a result by name or media type; raises NotAcceptableError."""
    offered = formats_for(kind)
    for candidate in offered:
        if name in (candidate.name, candidate.media_type):
            return candidate
    names = ", ".join(candidate.name for candidate in offered)
    raise NotAcceptableError(f"a {kind} result cannot be written as {name}", mend=f"Ask for one of: {names}.")


def rdf_format(name: str) -> Format:
    """Find an RDF format by name, media type or file ending; raises UnsupportedFormatError."""
    wanted = name.lower().lstrip(".").partition(";")[0].strip()
    for candidate in RDF_FORMATS:
        if wanted in (candidate.name, candidate.extension, candidate.media_type, *candidate.aliases):
            return candidate
    if wanted in OTHER_NAMES:
        return rdf_format(OTHER_NAMES[wanted])
    names = ", ".join(f"{candidate.name} ({candidate.media_type})" for candidate in RDF_FORMATS)
    raise UnsupportedFormatError(f"{name} is not a known RDF format", mend=f"Use one of: {names}.")
