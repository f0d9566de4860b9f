"""The data folder: its store, token and backups."""
