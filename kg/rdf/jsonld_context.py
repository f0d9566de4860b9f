"""The JSON-LD context of the data model: recognised by its address, read from the package, never fetched."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final

from kg.bundled import ONTOLOGY_FOLDER
from kg.terms import BASE

CONTEXT_IRI: Final = BASE + "context.jsonld"
"""Address of the context; documents that refer to it are read with the packaged copy."""


def with_context(text: str) -> str:
    """Replace the context's address in a JSON-LD document by the context; line numbers stay the same."""
    if CONTEXT_IRI not in text:
        return text
    address = re.escape(json.dumps(CONTEXT_IRI))
    pattern = rf'("@context"\s*:\s*(?:\[\s*(?:"[^"]*"\s*,\s*)*)?){address}'
    return re.sub(pattern, lambda found: found[1] + _flat(), text)


@cache
def _flat() -> str:
    document = json.loads((ONTOLOGY_FOLDER / "context.jsonld").read_text(encoding="utf-8"))
    return json.dumps(document["@context"], ensure_ascii=False)
