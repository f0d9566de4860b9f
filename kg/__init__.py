"""The library of diplograph: ontology, store, questions, loading. It knows no HTTP."""

__version__ = "0.1.0"
