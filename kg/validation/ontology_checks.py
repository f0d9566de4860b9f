"""Checks of ontologies and concept schemes: one SPARQL file for each kind of finding, in `ontology/checks/`.

The files run in any SPARQL tool, over the union of the graphs to check. Each row is a finding, with the IRI
at fault as `?term` and optionally a `?detail`. The header consists of comment lines:

    # title: A cycle of classes
    # finds: Classes that are under themselves.
    # severity: error
    # covers: OOPS P06
    # mend: Take out the rdfs:subClassOf that closes the circle.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pyoxigraph
from pyoxigraph import NamedNode, Quad, QuerySolutions, Triple

from kg.bundled import CHECKS_FOLDER
from kg.errors import DataSyntaxError
from kg.terms import compact

Severity = Literal["error", "warning"]

_HEADER: Final = re.compile(r"#\s*(title|finds|severity|covers|mend):\s*(.*\S)\s*")
_SEVERITIES: Final[dict[str, Severity]] = {"error": "error", "warning": "warning"}
_IRI: Final = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True)
class Check:
    """A kind of finding; `covers` names the equivalent rules of other checkers, or is empty."""

    name: str
    title: str
    finds: str
    severity: Severity
    covers: str
    mend: str
    text: str


@dataclass(frozen=True)
class CheckFinding:
    """A term at fault (full IRI; a blank node as `_:…`), with an optional detail."""

    check: Check
    term: str
    detail: str = ""

    @property
    def text(self) -> str:
        """One line: the term, what is wrong, how to mend it, and the name of the check."""
        detail = f" ({_IRI.sub(lambda found: compact(found[1]), self.detail)})" if self.detail else ""
        check = self.check
        return f"{compact(self.term)}: {check.title}{detail}. {check.mend} (check: {check.name})"


def read_checks(folder: Path = CHECKS_FOLDER) -> dict[str, Check]:
    """Read all checks of a folder, by name in alphabetical order.

    Raises DataSyntaxError for an incomplete header.
    """
    return {path.stem: _read(path) for path in sorted(folder.glob("*.rq"))}


def run_checks(triples: Iterable[Triple], checks: Mapping[str, Check] | None = None) -> list[CheckFinding]:
    """Run checks over triples, by default all; return findings, errors first, then by check and term.

    Raises DataSyntaxError for a check that is not SPARQL or does not select `?term`.
    """
    store = pyoxigraph.Store()
    store.bulk_extend(Quad(t.subject, t.predicate, t.object) for t in triples)
    found: list[CheckFinding] = []
    for check in (read_checks() if checks is None else checks).values():
        try:
            solutions = store.query(check.text)
        except SyntaxError as error:
            raise DataSyntaxError(str(error), where=f"{check.name}.rq", mend="Correct the query.") from None
        if not isinstance(solutions, QuerySolutions) or "term" not in {v.value for v in solutions.variables}:
            raise DataSyntaxError(
                "the query does not select ?term",
                where=f"{check.name}.rq",
                mend="Select ?term, the IRI at fault.",
            )
        details = {v.value for v in solutions.variables} & {"detail"}
        for row in solutions:
            detail = row["detail"] if details else None
            text = detail.value if isinstance(detail, pyoxigraph.Literal) else ""
            found.append(CheckFinding(check, _plain(row["term"]), text))
    # A term that one check finds in several ways is one finding.
    single: dict[tuple[str, str], CheckFinding] = {}
    for finding in found:
        single.setdefault((finding.check.name, finding.term), finding)
    return sorted(single.values(), key=lambda f: (f.check.severity != "error", f.check.name, f.term))


def _plain(term: object) -> str:
    return term.value if isinstance(term, NamedNode) else str(term)


def _read(path: Path) -> Check:
    text = path.read_text(encoding="utf-8")
    parts = {found[1]: found[2] for line in text.splitlines() if (found := _HEADER.fullmatch(line))}
    for key in ("title", "finds", "severity", "mend"):
        if key not in parts:
            raise DataSyntaxError(f"the header lacks {key}", where=path.name, mend=f"Add a line # {key}: …")
    severity = _SEVERITIES.get(parts["severity"])
    if severity is None:
        raise DataSyntaxError(
            f"“{parts['severity']}” is not a severity", where=path.name, mend="Write error or warning."
        )
    return Check(
        path.stem, parts["title"], parts["finds"], severity, parts.get("covers", ""), parts["mend"], text
    )
