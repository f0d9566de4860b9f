"""Rows of Parquet files, read by DuckDB."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Generator
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from kg.errors import DataSyntaxError
from kg.lazy import LazyModule
from kg.readers.archives import Part

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LazyModule("duckdb")

_ROWS: Final = 2_000


def parquet_rows(part: Part) -> Generator[tuple[int, list[Any]], None, None]:
    """Yield the names of the columns as row 0, then the values of the rows.

    Raises DataSyntaxError for a damaged file.
    """
    with part.open() as stream, tempfile.NamedTemporaryFile(prefix="diplograph-", suffix=".parquet") as copy:
        shutil.copyfileobj(stream, copy)
        copy.flush()
        try:
            with duckdb.connect(config={"threads": 1, "autoinstall_known_extensions": False}) as engine:
                found = engine.execute("SELECT * FROM read_parquet($1)", [copy.name])
                yield 0, [column[0] for column in found.description or ()]
                batches = iter(lambda: found.fetchmany(_ROWS), [])
                for number, row in enumerate(chain.from_iterable(batches), 2):
                    yield number, list(row)
        except duckdb.Error as error:
            raise DataSyntaxError(
                f"the Parquet file cannot be read ({str(error).splitlines()[0]})",
                where=part.name,
                mend="Write the file again, or save the table as CSV.",
            ) from None
