"""The ASGI application: queries in the event loop, Flask in threads, slow clients, cache, log, metrics."""
