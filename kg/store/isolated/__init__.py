"""The embedded store in separate processes: one writer, and workers that can be killed."""
