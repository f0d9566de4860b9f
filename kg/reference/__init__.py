"""Reference data: countries, regions and international organizations."""

from kg.reference.countries import common_name
from kg.reference.reference_graph import reference_triples

__all__ = ["common_name", "reference_triples"]
