"""The soak: commands and services killed at random moments, while images are pushed, with nothing lost. `make soak`."""
