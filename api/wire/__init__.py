"""The front's HTTP/1.1: what comes on a socket becomes a WSGI request, and the answer goes back."""
