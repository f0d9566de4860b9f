"""The doors: Flask over `kg`. It knows HTTP and no storage engine."""
