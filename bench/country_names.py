"""Names and codes of countries in the lists of libraries: how many lead to the country, and which do not.

Run it where the extra `reference` is installed: `python -m bench.country_names`. It prints each miss by name
and exits with 1 if less than 99.5 % are found or one leads to another country.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter, defaultdict
from typing import Any, Final

import pycountry

from kg.load import install
from kg.resolver import Resolver
from kg.store import EmbeddedStore
from kg.terms import mint
from tools.collect_reference import codelist, file_of

AIM: Final = 0.995
# Columns of countrycode: names, and codes with our word for their system.
NAMES: Final = (
    *("country.name.en", "cow.name", "p4.name", "vdem.name", "un.name.en", "iso.name.en"),
    *("cldr.name.en", "cldr.short.en", "cldr.variant.en"),
)
CODES: Final = {
    "iso2c": "iso2", "iso3c": "iso3", "cown": "cow", "cowc": "cow", "gwn": "gw", "gwc": "gw", "fips": "fips",
    "p4n": "polity", "p4c": "polity", "p5n": "polity", "p5c": "polity",
}  # fmt: skip
# Where the lists join states that we keep apart, or keep apart what we join.
OURS: Final = {
    # COW's Papal States ended in 1870; the list has them as the Holy See.
    ("VAT", "Papal States"): "cow-327", ("VAT", "327"): "cow-327", ("VAT", "PAP"): "cow-327",
    # South Vietnam, which the list has as today's Vietnam.
    ("VNM", "817"): "cow-817", ("VNM", "RVN"): "cow-817",
    # Gleditsch and Ward's Yemen goes on after 1990, COW's Yugoslavia as Serbia.
    ("cow-678", "YEM"): "yem", ("cow-678", "678"): "yem|cow-678",
    ("cow-345", "345"): "srb|cow-345", ("cow-345", "YUG"): "srb|cow-345",
    ("cow-345", "347"): "srb", ("cow-345", "YGS"): "srb",
    # States that the list has without a key.
    ("EAT", "Tanganjika"): "tza", ("EAT", "Republic of Tanganyika"): "tza", ("EAZ", "Zanzibar"): "cow-511",
    ("SUN", "Soviet Union (former)"): "rus",
    ("SUN", "Union of Soviet Socialist Republics (former)"): "rus",
    ("ANT", "Netherlands Antilles"): "former-netherlands-antilles",
    ("", "NT"): "former-netherlands-antilles",
    ("", "564"): "former-orange-free-state", ("", "OFS"): "former-orange-free-state",
    ("", "324"): "former-sardinia", ("", "SAR"): "former-sardinia",
    ("", "89"): "former-united-provinces-of-central-america",
    ("", "UPC"): "former-united-provinces-of-central-america",
}  # fmt: skip


def main() -> None:
    """Look up every name and code, print misses and wrong ones, and the score."""
    store = EmbeddedStore()
    install(store)
    resolver = Resolver.of(store)
    score: Counter[str] = Counter()
    for (system, text), (key, where) in sorted(lists().items()):
        found = resolver.country_named(text) if system == "name" else resolver.country(system, text)
        expected = [mint("country", slug).value for slug in OURS.get((key, text), key).split("|")]
        kind = "found" if found in expected else "missed" if found is None else "wrong"
        score[kind] += 1
        if kind != "found":
            print(f"{kind}\t{system}\t{text}\t{key or '?'}\t{(found or '').rpartition('/')[2]}\t{where}")
    whole = score.total()
    print(f"{score['found']:,} of {whole:,} names and codes found ({score['found'] / whole:.2%})", end=", ")
    print(f"{score['missed']} missed, {score['wrong']} wrong")
    sys.exit(score["found"] < AIM * whole or score["wrong"] > 0)


def lists() -> dict[tuple[Any, str], tuple[str, str]]:
    """Return the key of the country and the lists that have it, for each system and text of the libraries."""
    found: dict[tuple[Any, str], tuple[str, set[str]]] = {}
    many: dict[tuple[Any, str], set[str]] = defaultdict(set)

    def add(system: str, text: object, key: str, where: str) -> None:
        if text:
            found.setdefault((system, str(text)), (key, set()))[1].add(where)
            many[system, str(text)].add(key)

    for row in codelist():
        kosovo = row["country.name.en"] == "Kosovo"
        former = f"cow-{row['cown']}" if row["cown"] else ""
        key = row["iso3c"] or ("XKX" if kosovo else former)
        if key:
            for column in NAMES:
                add("name", row.get(column), key, "countrycode")
        for column, system in CODES.items():
            add(system, row.get(column), key, "countrycode")
    text = file_of("country-converter", "country_data.tsv").decode("utf-8")
    for row in csv.DictReader(io.StringIO(text), delimiter="\t"):
        key = "XKX" if row["name_short"] == "Kosovo" else row["ISO3"]
        for column in ("name_short", "name_official"):
            add("name", row[column], key, "country-converter")
    for record in pycountry.countries:
        for name in ("name", "common_name", "official_name"):
            add("name", getattr(record, name, None), record.alpha_3, "pycountry")
    return {
        key: (country, ", ".join(sorted(where)))
        for key, (country, where) in found.items()
        if len(many[key]) == 1
    }


if __name__ == "__main__":
    main()
