"""The unnamed graph by its name `UNNAMED` in the text of a request."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from kg.errors import ParameterError
from kg.sparql.lexer import place
from kg.sparql.text import named_iris
from kg.store.interface import UNNAMED, QueryDataset

_QUERY: Final = f"Write FROM <{UNNAMED}>, or send default-graph-uri; patterns outside of GRAPH then mean it."
_UPDATE: Final = "Leave the name out: outside of GRAPH an update means the unnamed graph."
_BEFORE_GRAPHS: Final = {"graph", "with", "using", "named", "to", "add", "copy", "move", "silent"}


def with_unnamed(query: str, dataset: QueryDataset) -> QueryDataset:
    """Return the dataset of a query, read from its FROM clauses if one of them names the unnamed graph.

    Raises ParameterError where GRAPH or FROM NAMED names it: to the engine it is a default graph only.
    """
    if UNNAMED in dataset.named:
        raise ParameterError("named-graph-uri cannot name the unnamed graph", mend=_QUERY)
    _refuse(query, dataset.base_iri, {"graph", "named"}, _QUERY)
    if not dataset.is_union or not _may_name(query):
        return dataset
    clauses = [(word, iri) for word, iri, _ in named_iris(query, dataset.base_iri)]
    default = tuple(iri for word, iri in clauses if word == "from")
    if UNNAMED not in default:
        return dataset
    return replace(dataset, default=default, named=tuple(iri for word, iri in clauses if word == "named"))


def refuse_unnamed(update: str, dataset: QueryDataset) -> None:
    """Raise ParameterError for an update that names the unnamed graph: another would come to be so called."""
    if UNNAMED in (*dataset.default, *dataset.named):
        raise ParameterError("using-graph-uri cannot name the unnamed graph", mend=_UPDATE)
    _refuse(update, dataset.base_iri, _BEFORE_GRAPHS, _UPDATE)


def _refuse(text: str, base_iri: str, words: Collection[str], mend: str) -> None:
    if not _may_name(text):
        return
    for word, iri, start in named_iris(text, base_iri):
        if iri == UNNAMED and word in words:
            line, column = place(text, start)
            raise ParameterError(
                f"{word.upper()} cannot name the unnamed graph", line=line, column=column, mend=mend
            )


def _may_name(text: str) -> bool:
    return UNNAMED.rpartition(":")[2] in text
