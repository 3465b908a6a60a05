"""The commands about who may log in, and who may do what."""
