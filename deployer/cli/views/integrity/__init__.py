"""How what a check found, and what was repaired, is printed."""
