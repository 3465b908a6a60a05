"""How backups, restores and their progress are printed."""
