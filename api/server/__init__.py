"""The server: ASGI application, data folder, loads in the background, cache, metrics."""
