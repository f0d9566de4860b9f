"""Findings of validation: what is wrong with a node, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

import pyoxigraph
from pyoxigraph import BlankNode, NamedNode, Triple

from kg.terms import compact

Severity = Literal["violation", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("violation", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """One finding about a node.

    `node` is a full IRI, or the label of a blank node. `path` and `value` are for display: a prefixed name
    where one fits, and a literal with its language or datatype. `shape` is the label of the shape.
    """

    severity: Severity
    node: str
    path: str | None
    value: str | None
    shape: str
    message: str

    @property
    def text(self) -> str:
        """One line: node, property, value, what is wrong and how to mend it, and the shape."""
        place = " ".join(part for part in (compact(self.node), self.path, self.value) if part)
        return f"{place}: {self.message} (shape: {self.shape})"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings without repeats: violations first, then by node, property and message."""
    return sorted(
        dict.fromkeys(findings), key=lambda f: (SEVERITIES.index(f.severity), f.node, f.path or "", f.message)
    )


def name_of(node: NamedNode | BlankNode | Triple) -> str:
    """Return a node as findings name it: its IRI, or the label of a blank node."""
    return str(node) if isinstance(node, Triple) else node.value


def literal_text(literal: pyoxigraph.Literal) -> str:
    """Return a literal for display: its text in quotes, with the language or the prefixed datatype."""
    if literal.language:
        return f'"{literal.value}"@{literal.language}'
    return f'"{literal.value}"^^{compact(literal.datatype.value)}'
