"""Staging: a file is read, checked and compared with the graph, before anything is stored."""
