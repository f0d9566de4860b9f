"""Folders of the packaged data: beside the package in a checkout, inside it in a wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE = Path(__file__).parent
_ROOT = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent

ONTOLOGY_FOLDER: Final = _ROOT / "ontology"
QUERIES_FOLDER: Final = _ROOT / "queries"
CHECKS_FOLDER: Final = ONTOLOGY_FOLDER / "checks"
