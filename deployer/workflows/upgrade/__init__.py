"""Newer images for the services, with health checks, and back to the previous ones if they fail."""
