"""The command line. Nothing heavy is imported before a command needs it."""


def main() -> None:
    """Run `mainstay` with the arguments of the process, and end it."""
    from mainstay.cli.program import run

    run()
