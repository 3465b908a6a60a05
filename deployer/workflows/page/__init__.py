"""What the web page is told of the machine."""
