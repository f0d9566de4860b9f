"""RML mappings, applied to tables row by row."""
