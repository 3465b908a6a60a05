"""Running the commands of a schedule."""
