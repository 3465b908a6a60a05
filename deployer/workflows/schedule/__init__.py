"""Commands that run by themselves: when, by what, what became of each run, and what is wrong with it."""
