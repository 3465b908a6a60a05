"""One file for each group of commands: parse, call one workflow, show its report."""
