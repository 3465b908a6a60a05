"""`python -m deployer`, and the `deployer` command."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line and run it; an interruption while loading ends as any other does."""
    try:
        from deployer.cli.main import run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
