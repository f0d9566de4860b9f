"""What the graph knows before anything is loaded: countries, regions, international organizations."""

from kg.reference.codes import countries_by, organizations_by_cameo
from kg.reference.countries import common_name
from kg.reference.reference_graph import reference_triples

__all__ = ["common_name", "countries_by", "organizations_by_cameo", "reference_triples"]
