"""How this machine comes to trust a registry."""
