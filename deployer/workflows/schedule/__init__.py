"""Scheduled commands: when they run, what starts them, the result of each run, and what is wrong."""
