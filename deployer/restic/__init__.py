"""restic, which stores the backups: its targets, commands and errors."""
