"""Checking that every image can be pulled, and repairing damage from a source that has the content."""
