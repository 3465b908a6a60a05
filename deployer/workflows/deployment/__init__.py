"""The deployment on this machine: up, down, and the files of its folder."""
