"""Templates and settings in, files out. Writes nothing."""
