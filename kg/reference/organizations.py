"""International organizations with their members, and contested names of countries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pyoxigraph import Literal, NamedNode, Triple

from kg.reference.fact_tables import Row, parts
from kg.reference.triples import TYPE, english, interval, named, names_in_languages, place_of, town
from kg.terms import ID, mint, read_turtle, term


def organizations(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Describe international organizations as `id/organization/<slug>`, with the places of their seats."""
    for row in rows:
        body = mint("organization", row["slug"])
        yield Triple(body, TYPE, term("dg:InternationalOrganization"))
        names = names_in_languages(row["cldr"]) if row["cldr"] else {}
        yield from named(body, row["name"], names, (row["short"], *parts(row["aliases"], ";")))
        if row["cameo"]:
            yield Triple(body, term("dg:cameo"), Literal(row["cameo"]))
        if row["seat"]:
            yield Triple(body, term("dg:seat"), place_of(row["seat"], row["country"]))
            yield from town(row["seat"], row["country"])


def members(rows: tuple[Row, ...]) -> Iterator[Triple]:
    """Describe the memberships of countries in organizations."""
    for row in rows:
        body, country = mint("organization", row["organization"]), mint("country", row["country"])
        yield Triple(body, term("org:hasMember"), country)


def name_uses(rows: tuple[Row, ...], english_names: Mapping[Any, str]) -> Iterator[Triple]:
    """Describe who uses a contested name for a country, with the dates if they are known.

    The name is also an alternative label of the country, so that search finds it. `english_names` has the
    names of countries and of users.
    """
    for row in rows:
        country, user = mint("country", row["country"]), NamedNode(ID + row["user"])
        slug = f"{row['country']} {row['name']} {row['user'].partition('/')[2]}"
        use, name = mint("name-use", slug), Literal(row["name"], language=row["language"])
        label = f"“{row['name']}” for {english_names[country]}, as used by {english_names[user]}"
        yield from read_turtle(f"""
            {use} a dg:NameUse ; rdfs:label {english(label)} ; dg:nameOf {country} ; dg:usedName {name} ;
                dg:usedBy {user} .
            {country} skos:altLabel {name} .""")
        if row["from"] or row["to"]:
            yield from interval(use, mint("time", f"{slug} used"), row["from"], row["to"])
