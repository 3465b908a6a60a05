"""Images and tags: list, inspect, delete."""
