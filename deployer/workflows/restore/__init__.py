"""Restoring from a backup: a whole deployment, or images into one that runs."""
