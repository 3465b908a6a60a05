"""Checking that every image can be pulled, and repairing what is damaged from where it is still whole."""
