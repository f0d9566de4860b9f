"""Any SPARQL 1.1 engine over HTTP."""
