"""What a registry holds: manifests, configurations, platforms, times. Asks nothing over the network."""
