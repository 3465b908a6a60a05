"""Backups: making one, listing them, and what is in them."""
