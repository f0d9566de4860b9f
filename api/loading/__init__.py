"""Loads that a server carries out: as jobs, in threads, in processes of their own."""
