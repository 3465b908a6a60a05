"""What the distribution protocol says of addresses and answers."""
