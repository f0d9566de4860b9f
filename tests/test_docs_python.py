"""The Python in the docs runs, and the drawn example is what the graph says."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
SNIPPETS = [
    (path.name, number, code)
    for path in (DOCS / "python.md", DOCS / "reasoning.md")
    for number, code in enumerate(
        re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)
    )
]


@pytest.mark.parametrize(("name", "number", "code"), SNIPPETS, ids=[f"{n}-{i}" for n, i, _ in SNIPPETS])
def test_snippet_runs(name: str, number: int, code: str) -> None:
    exec(compile(code, f"{name}, snippet {number}", "exec"), {})


def test_there_are_snippets() -> None:
    assert len(SNIPPETS) >= 4


def test_the_drawn_example_is_what_the_graph_says() -> None:
    spec = importlib.util.spec_from_file_location("draw", DOCS / "draw.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["draw"] = module
    spec.loader.exec_module(module)
    assert (DOCS / "images" / "deportation.svg").read_text(encoding="utf-8") == module.draw(), (
        "run python docs/draw.py"
    )
