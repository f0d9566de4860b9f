"""The embedded store in processes of its own: one writer, readers that can be killed."""
