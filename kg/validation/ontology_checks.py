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
from typing import Final

import pyoxigraph
from pyoxigraph import Literal, NamedNode, Quad, QuerySolutions, Triple

from kg.bundled import CHECKS_FOLDER
from kg.catalogue import read_header
from kg.errors import DataSyntaxError
from kg.terms import compact

_IRI: Final = re.compile(r"<([^<>\s]+)>")


@dataclass(frozen=True)
class Check:
    """A kind of finding; `covers` names the equivalent rules of other checkers, or is empty."""

    name: str
    title: str
    finds: str
    severity: str
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
    # A term that one check finds in several ways is one finding.
    found: dict[tuple[str, str], CheckFinding] = {}
    for check in (read_checks() if checks is None else checks).values():
        try:
            solutions = store.query(check.text)
        except SyntaxError as error:
            raise DataSyntaxError(str(error), where=f"{check.name}.rq", mend="Correct the query.") from None
        variables = {v.value for v in solutions.variables} if isinstance(solutions, QuerySolutions) else set()
        if not isinstance(solutions, QuerySolutions) or "term" not in variables:
            mend = "Select ?term, the IRI at fault."
            raise DataSyntaxError("the query does not select ?term", where=f"{check.name}.rq", mend=mend)
        for row in solutions:
            term, detail = row["term"], row["detail"] if "detail" in variables else None
            iri = term.value if isinstance(term, NamedNode) else str(term)
            text = detail.value if isinstance(detail, Literal) else ""
            found.setdefault((check.name, iri), CheckFinding(check, iri, text))
    return sorted(found.values(), key=lambda f: (f.check.severity != "error", f.check.name, f.term))


def _read(path: Path) -> Check:
    parts = {"covers": "", **read_header(path, ("title", "finds", "severity", "mend"), ("covers",))}
    if parts["severity"] not in ("error", "warning"):
        problem = f"“{parts['severity']}” is not a severity"
        raise DataSyntaxError(problem, where=path.name, mend="Write error or warning.")
    return Check(name=path.stem, text=path.read_text(encoding="utf-8"), **parts)
