"""Starting the engine at boot."""
