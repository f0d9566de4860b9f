"""Cells of tables: separators, quotes, columns by name, words for missing values, kinds of files."""
