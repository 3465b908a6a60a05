"""Drills: a copy of a deployment is started from a backup, asked for what should be in it, and removed."""
