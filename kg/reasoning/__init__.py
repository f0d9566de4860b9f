"""Reasoning: entailments in step with the graph; consistency and classification by HermiT."""

from kg.reasoning.asserted_store import AssertedStore, asserted_only
from kg.reasoning.entailments import Entailments
from kg.reasoning.explain import explain
from kg.reasoning.hermit import ConsistencyReport, InferredType, check_consistency
from kg.reasoning.stale import StaleEntailments

__all__ = [
    "AssertedStore",
    "ConsistencyReport",
    "Entailments",
    "InferredType",
    "StaleEntailments",
    "asserted_only",
    "check_consistency",
    "explain",
]
