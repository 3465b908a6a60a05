"""What helps in working on deployer, and is no part of it."""
