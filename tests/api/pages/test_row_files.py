"""Rows as files: what a spreadsheet makes of them."""

from __future__ import annotations

import csv
import io

from flask import Flask

from api.pages.row_files import send_rows


def test_a_text_that_begins_like_a_formula_is_no_formula_in_csv(app: Flask) -> None:
    texts = ["=1+1", "+1 (555)", "-cmd", "@SUM(A1)", "\t=1", "-3.5", "+2", "-1.5e-3", "a=b", ""]
    with app.test_request_context():
        sent = send_rows(["text"], iter([{"text": text} for text in texts]), "csv", "rows").get_data(
            as_text=True
        )
    found = [row[0] for row in csv.reader(io.StringIO(sent))][1:]
    assert found == ["'=1+1", "'+1 (555)", "'-cmd", "'@SUM(A1)", "'\t=1", "-3.5", "+2", "-1.5e-3", "a=b", ""]
