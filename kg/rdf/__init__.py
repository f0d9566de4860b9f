"""RDF files: formats, strict reading, N-Triples as bytes, sorted lines, compression."""
