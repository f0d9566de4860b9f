"""From a code in somebody's list to our IRI, without asking a store."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from pyoxigraph import NamedNode

from kg.lazy import Late
from kg.reference.fact_tables import parts, read_table
from kg.terms import mint

if TYPE_CHECKING:
    import pycountry
else:
    pycountry = Late("pycountry")

CodeList = Literal["iso2", "iso3", "numeric", "m49", "fips", "cameo", "cow", "cow_abbreviation"]
_ISO: Final = {"iso2": "alpha_2", "iso3": "alpha_3", "numeric": "numeric"}


@cache
def countries_by(code_list: CodeList) -> Mapping[str, NamedNode]:
    """Map every code of a list to its country; codes are as `graph:countries` has them (COW without zeros).

    Where a former state and one that exists share a code (COW's 345, YUG), it is the one that exists.
    """
    found: dict[str, NamedNode] = {}
    if code_list in _ISO:
        for record in pycountry.countries:
            found[str(getattr(record, _ISO[code_list]))] = mint("country", record.alpha_3)
    else:
        for row in read_table("countries.tsv").rows:
            for code in parts(row[code_list]):
                found.setdefault(code, mint("country", row["key"]))
    return MappingProxyType(found)


@cache
def organizations_by_cameo() -> Mapping[str, NamedNode]:
    """Map CAMEO's codes of international organizations to ours."""
    rows = read_table("organizations.tsv").rows
    return MappingProxyType({row["cameo"]: mint("organization", row["slug"]) for row in rows if row["cameo"]})
