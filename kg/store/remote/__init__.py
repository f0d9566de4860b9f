"""Stores of other SPARQL 1.1 engines, over HTTP."""
