"""Taking a deployment down: what is to be removed, and removing it."""
