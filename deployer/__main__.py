"""`python -m deployer`."""

from deployer.cli.main import run

run()
