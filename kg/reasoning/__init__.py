"""Reasoning: entailments in step with the graph, and HermiT's word on consistency and classification."""

from kg.reasoning.asserted_store import AssertedStore, asserted_only
from kg.reasoning.entailments import Entailments
from kg.reasoning.explain import explain
from kg.reasoning.hermit import ConsistencyReport, InferredType, check_consistency
from kg.reasoning.stale import Pending

__all__ = [
    "AssertedStore",
    "ConsistencyReport",
    "Entailments",
    "InferredType",
    "Pending",
    "asserted_only",
    "check_consistency",
    "explain",
]
