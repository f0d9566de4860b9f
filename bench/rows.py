"""Writes tables in the shape of GDELT 2.0 events: python -m bench.rows FILE [ROWS], 100 thousand by default.

The seed is fixed, so a number of rows is always the same file. What real files show is kept: four actors in a
third of the rows, a third of the sides empty, several rows for one article, and a fifth of the rows repeating
day, actors, code and address of the row before.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

SEED = 20180101
SIZES = (100_000, 1_000_000, 3_000_000)
_FREQUENT = (
    ("USA", "UNITED STATES", "US"),
    ("RUS", "RUSSIA", "RS"),
    ("CHN", "CHINA", "CH"),
    ("IRN", "IRAN", "IR"),
)
_OTHERS = (
    *_FREQUENT,
    *(
        ("GBR", "UNITED KINGDOM", "UK"),
        ("FRA", "FRANCE", "FR"),
        ("DEU", "GERMANY", "GM"),
        ("ISR", "ISRAEL", "IS"),
    ),
    *(("JPN", "JAPAN", "JA"), ("IND", "INDIA", "IN"), ("QAT", "QATAR", "QA"), ("TUR", "TURKEY", "TU")),
    *(("EGY", "EGYPT", "EG"), ("NGA", "NIGERIA", "NI"), ("BRA", "BRAZIL", "BR"), ("ROM", "ROMANIA", "RO")),
)
_TYPES = ("GOV", "MIL", "COP", "OPP", "BUS", "MED", "LEG", "CVL", "EDU", "JUD")
# Code, quad class and the Goldstein value that GDELT gives it.
_CODES = (
    *(("010", 1, "0.0"), ("020", 1, "3.0"), ("036", 1, "4.0"), ("040", 1, "1.0"), ("042", 1, "1.9")),
    *(("043", 1, "2.8"), ("046", 1, "7.0"), ("051", 1, "3.4"), ("057", 1, "8.0"), ("071", 2, "7.4")),
    *(("111", 3, "-2.0"), ("112", 3, "-2.0"), ("120", 3, "-4.0"), ("130", 3, "-4.4"), ("141", 3, "-6.5")),
    *(("173", 4, "-5.0"), ("174", 4, "-5.0"), ("180", 4, "-9.0"), ("190", 4, "-10.0"), ("193", 4, "-10.0")),
)
_START = date(2015, 1, 1)
_TOWNS = 250


def rows(count: int, seed: int = SEED) -> Iterator[str]:
    """Yield so many rows of 61 columns, tab-separated, each with its line end."""
    pick = random.Random(seed)
    chance, below = pick.random, pick.randrange
    body, article, left = "", "", 0
    for number in range(count):
        identifier = 400_000_000 + number
        if body and chance() < 0.19:
            mentions = 1 + below(10)
            yield f"{identifier}\t{body.format(mentions=mentions)}"
            continue
        if left == 0:
            left = 1 + below(6)
            article = f"https://news{below(900)}.example/{2015 + below(4)}/world/talks-of-ministers-{number}"
        left -= 1
        # Ids and days rise together, as they do where a file holds what was added on one day after another.
        day = _START + timedelta(days=number * 900 // count)
        code, quad, goldstein = _CODES[min(below(20), below(20))]
        one, other = _side(pick), _side(pick)
        mentions, tone = 1 + below(10), (chance() - 0.6) * 12
        stamp = f"{day:%Y%m%d}"
        body = "\t".join(
            (
                f"{stamp}\t{stamp[:6]}\t{stamp[:4]}\t{day.year + day.timetuple().tm_yday / 366:.4f}",
                _actor(pick, one),
                _actor(pick, other),
                f"{below(2)}\t{code}\t{code[:3]}\t{code[:2]}\t{quad}\t{goldstein}",
                f"{{mentions}}\t1\t{{mentions}}\t{tone:.14f}",
                _place(pick, one),
                _place(pick, other),
                _place(pick, other or one),
                f"{stamp}{below(24):02d}{below(4) * 15:02d}00\t{article}\n",
            )
        )
        yield f"{identifier}\t{body.format(mentions=mentions)}"


def write_rows(path: Path, count: int, seed: int = SEED) -> None:
    """Write a table of so many rows."""
    with path.open("w", encoding="utf-8", newline="") as out:
        out.writelines(rows(count, seed))


def _side(pick: random.Random) -> tuple[str, str, str] | None:
    drawn = pick.random()
    if drawn < 0.2:
        return None
    return pick.choice(_FREQUENT if drawn < 0.47 else _OTHERS)


def _actor(pick: random.Random, side: tuple[str, str, str] | None) -> str:
    if side is None:
        return "\t" * 9
    code, name, _ = side
    if pick.random() < 0.7:
        return f"{code}\t{name}\t{code}" + "\t" * 7
    kind = pick.choice(_TYPES)
    return f"{code}{kind}\t{name}\t{code}" + "\t" * 5 + f"{kind}\t\t"


def _place(pick: random.Random, side: tuple[str, str, str] | None) -> str:
    if side is None:
        return "0" + "\t" * 7
    fips, drawn = side[2], pick.random()
    if drawn < 0.3:
        return f"1\t{side[1].title()}\t{fips}\t{fips}\t\t{len(side[1]) * 3}\t{len(side[1]) * 7}\t{fips}"
    town = int(drawn * drawn * _TOWNS)
    latitude, longitude = (town % 140) - 60 + town % 7 / 10, (town * 37 % 350) - 170 + town % 9 / 10
    name = f"Town {town}, Province {town % 50}, {side[1].title()}"
    codes = f"{fips}\t{fips}{town % 50:02d}\t{town}"
    return f"4\t{name}\t{codes}\t{latitude:.4f}\t{longitude:.4f}\t{town * 11 + len(name)}"


if __name__ == "__main__":
    write_rows(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else SIZES[0])
