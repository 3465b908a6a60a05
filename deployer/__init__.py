"""A private Docker registry with a browser frontend, on one command."""

__version__ = "0.2.0"
