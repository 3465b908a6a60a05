"""The Registry HTTP API. Knows no engine."""
