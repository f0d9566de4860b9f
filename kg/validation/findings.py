"""What is wrong with a node, in words that tell how to mend it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from kg.terms import compact

Severity = Literal["violation", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("violation", "warning", "info")


@dataclass(frozen=True)
class Finding:
    """What a shape has to say about a node (a full IRI); `path` is a prefixed name where one fits."""

    severity: Severity
    node: str
    path: str | None
    value: str | None
    shape: str
    message: str

    @property
    def text(self) -> str:
        """Give it as one line: node, property, value, what is wrong and how to mend it, and the shape."""
        place = " ".join(part for part in (compact(self.node), self.path, self.value) if part)
        return f"{place}: {self.message} (shape: {self.shape})"


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings, each once: violations first, then by node, property and message."""
    return sorted(
        dict.fromkeys(findings), key=lambda f: (SEVERITIES.index(f.severity), f.node, f.path or "", f.message)
    )
