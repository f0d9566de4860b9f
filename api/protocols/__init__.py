"""The doors that programs use: SPARQL, Graph Store, OpenAPI, feeds, reconciliation, operation."""
