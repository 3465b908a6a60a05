"""Certificates: read, checked, probed, and kept where this machine's programs look for them."""
