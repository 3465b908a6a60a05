"""Every table, sentence and JSON shape that the commands print."""
