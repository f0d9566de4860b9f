"""The collecting of tables from libraries: what is missing is named with what to install."""

from __future__ import annotations

import pytest

from tools.collect_reference import file_of


@pytest.mark.parametrize(
    ("package", "path"), [("no-such-package", "a.csv"), ("pycountry", "no-such-file.csv")]
)
def test_what_is_missing_is_named_with_what_to_install(package: str, path: str) -> None:
    with pytest.raises(SystemExit) as caught:
        file_of(package, path)
    assert package in str(caught.value)
    assert "pip install -e '.[reference]'" in str(caught.value)
