"""Spreadsheets hold every text, as ECMA-376 has it."""

from __future__ import annotations

import io
import re
import zipfile
from xml.etree.ElementTree import fromstring

from api.pages.spreadsheets import spreadsheet

TEXTS = ["a\x01b\x08c", "cr\rlf\n tab\t nel\x85 ls\u2028 nonchar\ufffe", "_x0041_ and _x_", "=1+1", "x" * 10]
SPACE = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_characters_that_xml_cannot_carry_are_escaped_and_the_escape_itself_is() -> None:
    """Part 1, section 22.9.2.19 (ST_Xstring): `_x` and four hexadecimal digits and `_`."""
    data = b"".join(spreadsheet("Rows", ["text"], [[text] for text in TEXTS]))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        names = [name for name in book.namelist() if re.search(r"sheet1\.xml$|sharedStrings", name)]
        texts = [node.text or "" for name in names for node in fromstring(book.read(name)).iter(f"{SPACE}t")]
    read = [re.sub("_x([0-9A-Fa-f]{4})_", lambda found: chr(int(found[1], 16)), text) for text in texts]
    assert read == ["text", *TEXTS]
