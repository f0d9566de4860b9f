"""Validation of RDF: the shapes (SHACL), the terms of the ontology, and literals."""

from kg.validation.findings import SEVERITIES, Finding, in_order
from kg.validation.graph_check import validate

__all__ = ["SEVERITIES", "Finding", "in_order", "validate"]
