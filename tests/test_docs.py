"""Docs that can lie are executed: README and docs name things that exist, and their commands run."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from kg.settings import Settings, variable

ROOT = Path(__file__).parent.parent
DOCS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
LINK = re.compile(r"!?\[[^\]]*\]\(([^)#\s]+)[^)]*\)")


def snippets(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", path.read_text(encoding="utf-8"), re.M | re.S)


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_links_lead_to_files(path: Path) -> None:
    for target in LINK.findall(path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("path", DOCS, ids=lambda p: p.name)
def test_named_modules_exist(path: Path) -> None:
    """A module may be named by the last parts of its path, as in `isolated/pool.py`."""
    modules = [f"/{file.relative_to(ROOT)}" for room in ("kg", "api", "tools", "bench", "tests") for file in
               (ROOT / room).rglob("*.py")]  # fmt: skip
    for name in re.findall(r"`([\w/]+\.py)`", path.read_text(encoding="utf-8")):
        assert any(module.endswith(f"/{name}") for module in modules), f"{path.name} names {name}"


def test_readme_shows_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"^\s*make (\w+)", text, re.M):
        assert re.search(rf"^{target}:", makefile, re.M), f"make {target}"
    assert {"serve", "test"} <= set(re.findall(r"make (\w+)", text))


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = project["dependencies"] + [n for g in project["optional-dependencies"].values() for n in g]
    text = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    for requirement in wanted:
        name = re.match(r"[\w.-]+", requirement)
        assert name
        assert f"| {name.group()} |" in text.lower(), (
            f"docs/dependencies.md gives no reason for {requirement}"
        )


def test_every_setting_is_in_the_docs() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for setting in fields(Settings):
        assert f"`{variable(setting.name)}`" in text, setting.name


def readme_commands(program: str) -> list[list[str]]:
    """The README's shell lines that run this program, as words."""
    lines = [line for block in snippets(ROOT / "README.md", "sh") for line in block.splitlines()]
    return [shlex.split(line)[1:] for line in lines if line.startswith(program + " ")]


def test_readme_commands_run_one_after_the_other(tmp_path: Path) -> None:
    commands = readme_commands(".venv/bin/diplograph")
    assert len(commands) >= 5
    (tmp_path / "data").mkdir()
    for words in commands:
        run = subprocess.run(
            [sys.executable, "-m", "api.cli", *words],
            cwd=ROOT,
            env={**os.environ, "DIPLOGRAPH_DATA": str(tmp_path / "data"), "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert run.returncode == 0, f"{words}: {run.stderr}"
        # A preview goes to standard error, so that standard output holds results alone.
        assert run.stdout.strip() or run.stderr.strip(), words


@pytest.mark.server
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("words", readme_commands("curl"), ids=lambda words: words[-1].rpartition("/")[2])
def test_readme_curl_runs(words: list[str], live_server: str) -> None:
    there = [word.replace("http://127.0.0.1:8000", live_server) for word in words]
    run = subprocess.run(
        ["curl", "--fail", "--silent", "--show-error", "--max-time", "30", *there],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert len(run.stdout.splitlines()) > 5
