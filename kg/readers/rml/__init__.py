"""RML mappings and their application to tables, row by row."""
