"""The parameters of a request as the SPARQL 1.1 Protocol has them: repeated, in UTF-8, read strictly."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from kg.errors import ParameterError
from kg.store import QueryDataset


def read_fields(encoded: bytes) -> dict[str, list[str]]:
    """Read application/x-www-form-urlencoded text. Raises ParameterError for what is not UTF-8."""
    fields: dict[str, list[str]] = {}
    try:
        for name, value in parse_qsl(encoded.decode(), keep_blank_values=True, errors="strict"):
            fields.setdefault(name, []).append(value)
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None
    return fields


def decode(data: bytes) -> str:
    """Read UTF-8; raises ParameterError that names the byte."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise _not_utf8(error) from None


def _not_utf8(error: UnicodeDecodeError) -> ParameterError:
    return ParameterError(
        "the text is not UTF-8", where=f"byte {error.start}", mend="Encode it as UTF-8 and send it again."
    )


def only(fields: Mapping[str, list[str]], name: str) -> str:
    """Return the only value of a parameter. Raises ParameterError if there is none or more than one."""
    values = fields.get(name, [])
    if len(values) != 1:
        raise ParameterError(
            f"{'no' if not values else len(values)} '{name}' parameter{'s' if len(values) > 1 else ''} given",
            mend=f"Give exactly one '{name}' parameter.",
        )
    return values[0]


def dataset(fields: Mapping[str, list[str]], default: str, named: str) -> QueryDataset:
    """Return the dataset that the parameters of these names describe."""
    return QueryDataset(tuple(fields.get(default, ())), tuple(fields.get(named, ())))


def inference(fields: Mapping[str, list[str]]) -> bool:
    """Read the parameter `inference`, true by default: whether entailments count.

    Raises ParameterError for any other value, and when there is more than one.
    """
    values = fields.get("inference", ["true"])
    if len(values) != 1 or values[0] not in ("true", "false"):
        raise ParameterError(
            f"inference={' and '.join(values)[:80]!r} is not true or false",
            mend="Write inference=true for answers with entailments, inference=false for answers without.",
        )
    return values[0] == "true"
