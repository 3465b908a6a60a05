"""What is checked before and after a change: this machine, the engine's options, and whether the registry answers."""
