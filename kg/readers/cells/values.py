"""Values of typed cells as texts."""

from __future__ import annotations

import datetime
import json
from typing import Any


def cell_text(value: Any) -> str:
    """Return the value of a cell of a workbook, Parquet file or JSON object as text; empty for none.

    Whole numbers have no decimal point, dates are YYYY-MM-DD, with the time of day if there is one.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        if value != value:  # not a number
            return ""
        return str(int(value)) if value.is_integer() else repr(value)
    if isinstance(value, datetime.datetime):
        return f"{value:%Y-%m-%d}" if value.time() == datetime.time() else value.isoformat(" ")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, datetime.date) else str(value)
