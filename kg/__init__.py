"""The library of diplograph: ontology, store, questions, loading. It knows no HTTP."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("diplograph")
except PackageNotFoundError:  # run from a tree that was never installed
    __version__ = "0+unknown"
