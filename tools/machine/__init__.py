"""Make this machine able to run deployer and its tests: virtual environment, Docker engine, browser, Node.js.

Runs with nothing but the system's python3, before any virtual environment exists. Every command may be
repeated: what is there already is left alone. Everything that gets installed is announced first, and
packages are only installed on Debian or Ubuntu, as root; everywhere else one sentence says what to do.
"""
