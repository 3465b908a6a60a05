"""Push and pull: what is said beforehand, and why one failed."""
