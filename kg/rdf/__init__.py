"""RDF files and text: formats, strict reading, N-Triples as bytes, sorted lines, compression."""
