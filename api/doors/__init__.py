"""The doors that people open: pages and forms, each also as data."""
