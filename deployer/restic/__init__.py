"""Restic, which keeps the backups: where they go, and what is asked of it."""
