"""SPARQL text before an engine reads it: tokens, refusals, prefixes and dataset clauses."""
