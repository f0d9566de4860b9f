"""Imports go down only: data <- kg <- api, and inside kg from floor to lower floor."""

from __future__ import annotations

import ast
from collections import Counter
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
    {"table"},
    {"resolver"},
    {"ontology", "reasoning", "validation", "provenance", "search", "readers"},
    {"load", "describe", "graph_store", "dataset"},
)
API_FLOORS = (
    {"folder"},
    {"loading"},
    {"web"},
    {"pages", "server"},
    {"doors"},
    {"protocols"},
    {"app"},
    {"processes"},
    {"commands"},
    {"cli"},
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
    """The room of a file: its folder inside the package, or its own name."""
    return path.relative_to(ROOT).with_suffix("").parts[1]


def floor(name: str, floors: tuple[set[str], ...]) -> int | None:
    return next((number for number, rooms in enumerate(floors) if name in rooms), None)


@pytest.mark.parametrize("path", modules("kg") + modules("api"), ids=lambda p: str(p.relative_to(ROOT)))
def test_rooms_import_only_lower_floors(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    floors = FLOORS if package == "kg" else API_FLOORS
    mine = room(path)
    if mine == "__init__":
        return
    here = floor(mine, floors)
    assert here is not None, f"{mine} has no floor: name one in tests/test_layers.py and docs/architecture.md"
    for name in imports(path):
        parts = name.split(".")
        if parts[0] != package or len(parts) < 2 or parts[1] == mine:
            continue
        there = floor(parts[1], floors)
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


@pytest.mark.parametrize(("package", "floors"), [("kg", FLOORS), ("api", API_FLOORS)])
def test_every_room_has_a_floor_and_a_line_in_the_docs(package: str, floors: tuple[set[str], ...]) -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    present = {room(path) for path in modules(package)} - {"__init__"}
    assert present == set().union(*floors), "tests/test_layers.py lists other rooms than there are"
    missing = sorted(name for name in present if f"`{name}" not in text)
    assert not missing, f"docs/architecture.md does not name {missing}"


def test_file_names_are_unique() -> None:
    names = Counter(path.name for package in ("kg", "api") for path in modules(package))
    assert [name for name, number in names.items() if number > 1 and name != "__init__.py"] == []


def test_names_of_public_classes_are_unique() -> None:
    names = Counter(
        node.name
        for package in ("kg", "api")
        for path in modules(package)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert [name for name, number in names.items() if number > 1] == []


def test_a_folder_has_few_files() -> None:
    folders = Counter(path.parent.relative_to(ROOT) for package in ("kg", "api") for path in modules(package))
    assert {str(folder): number for folder, number in folders.items() if number > 17} == {}


@pytest.mark.parametrize("path", modules("kg") + modules("api"), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_is_one_room(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450, "split it by purpose"
