"""What the graph knows before anything is loaded: countries, regions, international organizations."""

from kg.reference.countries import common_name
from kg.reference.graph import reference_triples

__all__ = ["common_name", "reference_triples"]
