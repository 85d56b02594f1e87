"""The command line. Nothing heavy is imported before a command needs it."""

import sys


def main() -> None:
    """Run `mainstay` with the arguments of the process, and end it."""
    try:
        from mainstay.cli.program import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
