"""RML mappings of tables as Python objects: computed columns, triples maps and their terms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Literal

from kg.terms import PREFIXES

LOOKUPS: Final = {
    "cow": "a COW code",
    "gw": "a Gleditsch–Ward code",
    "polity": "a Polity code",
    "iso2": "an ISO 3166 code of two letters",
    "iso3": "an ISO 3166 code of three letters",
    "numeric": "an ISO 3166 number",
    "fips": "a FIPS code",
    "cameo": "a CAMEO country code",
    "name": "a name of one country",
    "actor": "a name of one actor of the graph",
    "cameo-actor": "a CAMEO actor code",
    "cameo-event": "a CAMEO event code",
}
"""Systems of `map:lookup`, with the words for messages.

The last three give the IRI of a thing, the others the last part of a country's IRI.
"""
FIELD: Final = re.compile(r"(?<!\\)\{((?:[^{}\\]|\\.)+)\}")
"""A column in a template."""

Conditions = tuple[tuple[str, frozenset[str]], ...]
"""Columns with the values that a row may have in them; without values, the cell only may not be empty."""


def applies(only: Conditions, cells: dict[str, str]) -> bool:
    """Return whether a row meets conditions."""
    return all(cells[name] in values if values else cells[name] for name, values in only)


@dataclass(frozen=True)
class TermMap:
    """Rule for a term, an IRI or a literal, by a template, reference or constant.

    `parent` is the triples map whose subject it is, if it refers to one.
    """

    kind: Literal["template", "reference", "constant"]
    value: str
    iri: bool
    datatype: str = ""
    language: str = ""
    parent: str = ""

    @property
    def references(self) -> tuple[str, ...]:
        """Columns that the term needs."""
        if self.kind == "template":
            return tuple(FIELD.findall(self.value))
        return (self.value,) if self.kind == "reference" else ()


@dataclass(frozen=True)
class Column:
    """A column computed from others.

    It is a country (`lookup` of `reference` by `system`, valid on `date`), a text replaced by a table
    (`values`), a slug, a slug that no other text has (`mint`), a title in words, or the interval from
    `reference` to `end`. Dates are columns, or templates of columns with year, month and day. A text that an
    `optional` column does not find counts as an empty cell. The interval is a whole month in rows where
    `precision`, a column, has one of the values `coarse`.
    """

    name: str
    kind: Literal["lookup", "values", "slug", "mint", "title", "interval"]
    reference: str
    system: str = ""
    label: str = ""
    date: str = ""
    optional: bool = False
    end: str = ""
    open_end: str = ""
    precision: str = ""
    coarse: frozenset[str] = frozenset()
    values: tuple[tuple[str, str], ...] = ()
    only: Conditions = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Columns of the table from which it is computed."""
        given = (self.reference, self.end, self.label, self.date, self.precision)
        return tuple(name for text in given if text for name in FIELD.findall(text) or [text])


@dataclass(frozen=True)
class Rule:
    """One triples map: its condition, subject, classes, and pairs of predicate and object.

    A `main` map describes what a row is about: a row for which no main map makes anything gives nothing.
    """

    name: str
    only: Conditions
    subject: TermMap
    classes: tuple[str, ...]
    pairs: tuple[tuple[str, TermMap], ...]
    main: bool = False

    @property
    def terms(self) -> tuple[TermMap, ...]:
        """The subject and the objects."""
        return (self.subject, *(term for _, term in self.pairs))

    @cached_property
    def references(self) -> frozenset[str]:
        """Columns that the terms need."""
        return frozenset(name for term in self.terms for name in term.references)

    def applies(self, cells: dict[str, str]) -> bool:
        """Return whether a row meets the condition."""
        return applies(self.only, cells)


@dataclass(frozen=True)
class Mapping:
    """A mapping: its name, computed columns and rules."""

    name: str
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    needed: frozenset[str] = field(default=frozenset())
    """The columns that the table must have."""
    label: str = ""
    """Title of the table: `<> rdfs:label` of the mapping."""
    missing: frozenset[str] = frozenset()
    """Words of the table that stand for an empty cell."""
    header: tuple[str, ...] = ()
    """The columns of a table that has no header."""
    whole: frozenset[str] = frozenset()
    """The columns of whole numbers, which spreadsheets write as 771.0."""

    def columns_of(self, predicate: str, kind: str, cells: dict[str, str]) -> tuple[str, ...]:
        """Return the columns of the table that give the values of a property, or of rdf:type the subject.

        They are those of the triples maps that apply to a row and make things of a class, or of any without
        a `kind`.
        """
        rules = [rule for rule in self.rules if rule.applies(cells) and (not kind or kind in rule.classes)]
        terms = [term for rule in rules for name, term in rule.pairs if name == predicate]
        if predicate == PREFIXES["rdf"] + "type":
            terms = [rule.subject for rule in rules]
        return self.sources(name for one in terms for name in one.references)

    def sources(self, names: Iterable[str]) -> tuple[str, ...]:
        """Return the columns of the table that some columns are, or are computed from."""
        made = {column.name: column.sources for column in self.columns}
        made |= {f"{column.name}_label": (column.label,) for column in self.columns if column.label}
        return tuple(dict.fromkeys(source for name in names for source in made.get(name, (name,))))
