"""Imports go down only: data <- kg <- api, and inside kg from floor to lower floor."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    {"errors", "bundled", "lazy", "languages"},
    {"settings", "terms", "processes"},
    {"rdf", "sparql", "changes", "catalogue"},
    {"reference"},
    {"store", "owl"},
    {"actors"},
    {"ontology", "reasoning", "validation", "provenance", "search", "readers", "extract"},
    {"load", "describe", "graph_store", "dataset"},
)
WEB = {"flask", "werkzeug", "jinja2", "httptools", "http", "socketserver"}
ENGINES = {"pyoxigraph", "reasonable", "rocksdict", "owlready2", "rdflib", "pyrudof", "pyshacl"}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, as a dotted name; `from a import b` gives a and a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room(path: Path) -> str:
    """The room of a file of kg: its folder inside the package, or its own name."""
    parts = path.relative_to(ROOT / "kg").with_suffix("").parts
    return parts[0]


def floor(name: str) -> int | None:
    return next((number for number, rooms in enumerate(FLOORS) if name in rooms), None)


@pytest.mark.parametrize("path", modules("kg"), ids=lambda p: str(p.relative_to(ROOT)))
def test_kg_imports_only_lower_floors(path: Path) -> None:
    if path.name == "__init__.py" and path.parent.name == "kg":
        return
    mine = room(path)
    here = floor(mine)
    assert here is not None, f"{mine} has no floor: name one in tests/test_layers.py and docs/architecture.md"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != "kg" or len(parts) < 2 or parts[1] == mine:
            continue
        there = floor(parts[1])
        if there is None:
            assert parts[1] == "__version__", f"{path}: {name} has no floor"
            continue
        assert there < here, f"{path} (floor {here}) imports {name} (floor {there})"


@pytest.mark.parametrize("path", modules("kg"), ids=lambda p: str(p.relative_to(ROOT)))
def test_kg_knows_no_http_server(path: Path) -> None:
    roots = {name.split(".")[0] for name in imports(path)}
    assert "api" not in roots
    assert not roots & WEB
    if "httpx" in roots:
        assert path.relative_to(ROOT).parts[:2] == ("kg", "store"), "only a store may speak to a peer"


@pytest.mark.parametrize("path", modules("api"), ids=lambda p: str(p.relative_to(ROOT)))
def test_api_knows_no_engine(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & ENGINES


def test_every_floor_is_told_in_the_docs() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    present = {room(path) for path in modules("kg") if room(path) != "__init__"}
    missing = sorted(name for name in present if f"`{name}" not in text and f"{name}.py" not in text)
    assert not missing, f"docs/architecture.md does not name {missing}"


@pytest.mark.parametrize("path", modules("kg") + modules("api"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, "split it by purpose"
