"""How the schedule and its runs are printed."""
