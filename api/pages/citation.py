"""Citations of pages, and their description in schema.org terms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final

from api.web.urls import at
from kg.describe.page_model import Description, Fact
from kg.terms import ID, ONTOLOGY

_SCHEMA: Final = {
    "country": "Country",
    "organization": "Organization",
    "government": "GovernmentOrganization",
    "administration": "GovernmentOrganization",
    "agency": "GovernmentOrganization",
    "person": "Person",
    "place": "Place",
    "event": "Event",
    "claim": "Claim",
    "source": "CreativeWork",
    "event-type": "DefinedTerm",
}
_TEX: Final = {
    "\\": r"\textbackslash{}",
    **{sign: "\\" + sign for sign in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


@dataclass(frozen=True)
class Citation:
    """A citation as text and as BibTeX; `version` is the path of the dataset's version."""

    text: str
    bibtex: str
    version: str


def cite(found: Description, today: date, host: str) -> Citation:
    """Build the citation of a page; `host` is the address of this server, without a slash at its end."""
    label = " ".join(found.name.label.split())[:200]
    release = found.release
    path = f"/loads/{release.number}" if release else "/loads"
    version = f"load {release.number} of {release.ended[:10]}" if release else "base dataset"
    text = (
        f"“{label}”. diplograph, a knowledge graph of diplomatic interactions, {version} ({host}{path}). "
        f"{found.name.iri}. Accessed {today.isoformat()}."
    )
    key = re.sub(r"[^A-Za-z0-9]+", "-", found.name.iri.removeprefix(ID))[-60:].strip("-") or "thing"
    lines = [
        f"@misc{{diplograph-{key},",
        f"  title = {{{{{_tex(label)}}}}},",
        "  howpublished = {diplograph, a knowledge graph of diplomatic interactions},",
        f"  note = {{Dataset version: {_tex(version)}, {_tex(host + path)}}},",
        f"  url = {{{_tex_url(found.name.iri)}}},",
        f"  urldate = {{{today.isoformat()}}}",
        "}",
    ]
    return Citation(text, "\n".join(lines), at(path))


def schema_of(found: Description) -> dict[str, object]:
    """Describe a thing in schema.org terms as JSON-LD."""
    kind = _SCHEMA.get("claim" if found.statement else found.kind, "Thing")
    same = [fact.value.name.iri for f in found.identifiers for fact in f.facts if fact.value.name]
    data: dict[str, object] = {
        "@context": "https://schema.org",
        "@type": kind,
        "@id": found.name.iri,
        "name": found.name.label,
        "alternateName": list(found.aliases[:20]),
        "description": found.comments[0] if found.comments else None,
        "sameAs": same[:20],
    }
    if kind == "Event":
        for prop, local in (("startDate", "begin"), ("endDate", "end")):
            data[prop] = next(
                (day for fact in _values(found, "time") if (day := _bound(found, fact, local))), None
            )
        data["location"] = _named(found, "place", "destination", "Place")
        data["performer"] = _named(found, "actor", "orderedBy", "Thing")
    if found.statement:
        data["appearance"] = [
            {"@type": "CreativeWork", "@id": name.iri} for name in found.statement.stated_in
        ]
        data["author"] = [
            {"@type": "Thing", "@id": step.who.iri, "name": step.who.label}
            for step in found.statement.chain[-1:]
        ]
    return {key: value for key, value in data.items() if value}


def _values(found: Description, local: str) -> list[Fact]:
    return [fact for facts in found.facts if facts.property.iri == ONTOLOGY + local for fact in facts.facts]


def _bound(found: Description, fact: Fact, local: str) -> str | None:
    when = found.times.get(fact.value.name.iri) if fact.value.name else None
    day = getattr(when, local) if when else None
    return day if day and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", day) else None


def _named(found: Description, first: str, second: str, kind: str) -> list[dict[str, str]]:
    names = [
        fact.value.name for local in (first, second) for fact in _values(found, local) if fact.value.name
    ]
    return [{"@type": kind, "@id": name.iri, "name": name.label} for name in names]


def _tex(text: str) -> str:
    return "".join(_TEX.get(char, char) for char in text if char.isprintable())


def _tex_url(text: str) -> str:
    return text.replace("{", "%7B").replace("}", "%7D").replace("\\", "%5C").replace("%", r"\%")
