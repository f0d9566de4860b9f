"""Draw the deportation and what is claimed of it, from the graph: `python docs/draw.py` writes the picture.

The picture is docs/images/deportation.svg; a test draws it again, so that it cannot lie.
"""

from __future__ import annotations

import sys
import textwrap
from dataclasses import dataclass
from html import escape
from pathlib import Path

from kg.load import install
from kg.store import EmbeddedStore
from kg.terms import ID, PREFIXES, compact

TARGET = Path(__file__).parent / "images" / "deportation.svg"
EVENT = f"<{ID}event/us-iran-deportation>"
SHOWN = ("actor", "affected", "destination", "eventType", "partOfPolicy", "resultOf")
PROLOGUE = "".join(f"PREFIX {p}: <{PREFIXES[p]}> " for p in ("dg", "rdfs"))
LABEL = 'FILTER(LANG(?{0}) IN ("en", ""))'
WIDTH, LEFT, MIDDLE, RIGHT = 1120, 380, 240, 250
INK, LINE, PALE, BLUE, GREEN = "#1d2730", "#55636f", "#f3f6f8", "#e6eff5", "#e3f3ea"


@dataclass
class Box:
    """A box of text: its corner, width, lines (the first is bold) and colour."""

    x: int
    y: int
    width: int
    lines: list[str]
    fill: str

    @property
    def height(self) -> int:
        """Return its height."""
        return 16 + 17 * len(self.lines)

    @property
    def middle(self) -> int:
        """Return where lines begin and end."""
        return self.y + self.height // 2

    def svg(self) -> str:
        """Draw it."""
        text = "".join(
            f'<text x="{self.x + 10}" y="{self.y + 21 + 17 * i}" fill="{INK}"'
            f' font-weight="{400 if i else 700}">{escape(line)}</text>'
            for i, line in enumerate(self.lines)
        )
        return (
            f'<rect x="{self.x}" y="{self.y}" width="{self.width}" height="{self.height}" rx="5"'
            f' fill="{self.fill}" stroke="{LINE}"/>{text}'
        )


def draw() -> str:
    """Return the picture as SVG."""
    store = EmbeddedStore()
    install(store)
    claims = _claims(store)
    facts = _facts(store)
    left, y = [], 50
    for label, modality, chain in claims:
        lines = [*textwrap.wrap(label, 44), f"modality: {modality}", *textwrap.wrap(" ← ".join(chain), 52)]
        left.append(Box(10, y, LEFT, lines, BLUE))
        y += left[-1].height + 12
    right, z = [], 50
    for _, label in facts:
        right.append(Box(WIDTH - RIGHT - 10, z, RIGHT, textwrap.wrap(label, 28), PALE))
        z += right[-1].height + 12
    height = max(y, z) + 10
    (title,) = _rows(store, f"SELECT ?l {{ {EVENT} rdfs:label ?l {LABEL.format('l')} }}")
    centre = Box((WIDTH - MIDDLE) // 2 - 5 + 65, 0, MIDDLE, textwrap.wrap(title[0], 30), GREEN)
    centre.y = (height - centre.height) // 2
    parts = [_head(10, "Claims: what sources say"), _head(centre.x, "The event")]
    parts += [_head(WIDTH - RIGHT - 10, "Its facts")]
    parts += [
        _line(box.x + box.width, box.middle, centre.x, centre.middle, "dg:about")
        for i, box in enumerate(left)
    ]
    for (name, _), box in zip(facts, right, strict=True):
        parts.append(_line(centre.x + centre.width, centre.middle, box.x, box.middle, name))
    parts += [box.svg() for box in (*left, centre, *right)]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}"'
        f' height="{height}" font-family="sans-serif" font-size="13" role="img">'
        f"<title>The deportation with its claims</title>"
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _head(x: int, text: str) -> str:
    return f'<text x="{x}" y="30" fill="{INK}" font-size="16" font-weight="700">{escape(text)}</text>'


def _line(x: int, y: int, to_x: int, to_y: int, label: str) -> str:
    bend = (x + to_x) // 2
    path = f'<path d="M{x} {y}C{bend} {y} {bend} {to_y} {to_x} {to_y}" fill="none" stroke="{LINE}"/>'
    if not label:
        return path
    near = to_x - 6 if to_x > WIDTH // 2 + 200 else x + 6
    end, at = ("end", to_y - 6) if near == to_x - 6 else ("start", y - 6)
    return (
        f'{path}<text x="{near}" y="{at}" text-anchor="{end}" fill="{LINE}" font-size="12"'
        f' stroke="#ffffff" stroke-width="4" paint-order="stroke">{label}</text>'
    )


def _rows(store: EmbeddedStore, query: str) -> list[list[str]]:
    answer = store.query(PROLOGUE + query)
    return [[getattr(row.get(name), "value", "") for name in answer.variables] for row in answer.rows()]


def _claims(store: EmbeddedStore) -> list[tuple[str, str, list[str]]]:
    rows = _rows(
        store,
        f"""SELECT DISTINCT ?claim ?label ?modality ?step ?who {{
          {{ ?claim dg:about {EVENT} }} UNION {{ ?claim dg:about/dg:subEventOf+ {EVENT} }}
          UNION {{ ?claim dg:about/dg:interactionOf {EVENT} }}
          UNION {{ ?claim dg:about ?i . {EVENT} dg:hasInteraction ?i }}
          ?claim rdfs:label ?label ; dg:modality ?m . ?m rdfs:label ?modality .
          {{ ?claim dg:statedIn/rdfs:label ?who BIND(1 AS ?step) }} UNION
          {{ ?claim dg:attributionStep ?s . ?s dg:stepNumber ?step ; dg:attributedTo/rdfs:label ?who }}
          {LABEL.format("label")} {LABEL.format("modality")} {LABEL.format("who")}
        }} ORDER BY ?claim ?step""",
    )
    found: dict[str, tuple[str, str, list[str]]] = {}
    for claim, label, modality, _, who in rows:
        found.setdefault(claim, (label, modality, []))[2].append(who)
    return list(found.values())


def _facts(store: EmbeddedStore) -> list[tuple[str, str]]:
    names = " ".join(f"dg:{name}" for name in SHOWN)
    rows = _rows(
        store,
        f"""SELECT DISTINCT ?p ?label {{
          {{ VALUES ?p {{ {names} }} {EVENT} ?p ?x }} UNION
          {{ ?cause dg:ledTo {EVENT} BIND(dg:resultOf AS ?p) BIND(?cause AS ?x) }} UNION
          {{ ?x dg:quantityOf {EVENT} BIND(dg:quantityOf AS ?p) }} UNION
          {{ {EVENT} dg:hasInteraction|^dg:interactionOf ?x BIND(dg:hasInteraction AS ?p) }}
          ?x rdfs:label ?label {LABEL.format("label")}
        }} ORDER BY ?p ?label""",
    )
    return [
        (compact(name).replace("dg:quantityOf", "dg:quantityOf, reversed"), label) for name, label in rows
    ]


if __name__ == "__main__":
    TARGET.write_text(draw(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
