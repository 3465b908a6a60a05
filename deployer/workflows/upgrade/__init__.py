"""Newer images for the services, checked, and back to the previous ones if they do not serve."""
