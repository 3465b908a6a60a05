"""deployer.yaml, the environment and the flags, as one checked value."""
