"""Figures of backups, checks and upgrades: time against plain tools, memory, and what clients notice."""
