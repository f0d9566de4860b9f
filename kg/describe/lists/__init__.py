"""Lists of events and records, two actors side by side, and results as tables."""
