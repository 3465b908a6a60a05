"""Starting the engine with the machine."""
