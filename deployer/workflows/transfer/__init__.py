"""Push and pull: the plan, what is said beforehand, the transfer, and why one failed."""
