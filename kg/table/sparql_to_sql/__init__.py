"""SPARQL queries over coding records as SQL, as one tree of sqlglot."""
