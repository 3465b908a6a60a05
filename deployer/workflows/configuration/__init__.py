"""deployer.yaml written, the rendered files shown, and the deployments of this machine by name."""
