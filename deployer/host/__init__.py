"""This machine: its daemon, its ports, its disk."""
