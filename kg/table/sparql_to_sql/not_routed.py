"""The reason why a query is not answered in SQL."""

from __future__ import annotations


class NotRoutedError(Exception):
    """A query that the tables cannot answer with certainty; its text is the reason."""
