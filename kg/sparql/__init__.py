"""SPARQL text before an engine sees it: what must be refused, what is undeclared."""
