"""This machine's Docker daemon: its daemon.json and its process."""
