"""`serve`: the server."""

from __future__ import annotations

import signal
import sys
from typing import Annotated

import typer


def serve(
    *,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="The port to listen on.")
    ] = None,
    reload: Annotated[
        bool | None,
        typer.Option("--reload/--no-reload", help="Start anew when the project changes."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, max=1024, help="How many processes.")
    ] = None,
) -> None:
    """Run the app; reload in development, quiet in production."""
    signal.signal(signal.SIGTERM, _stop)  # until there is a server to end in good order
    try:
        from mainstay.cli.serving.run import Wishes, run

        run(Wishes(host=host, port=port, reload=reload, workers=workers))
    except KeyboardInterrupt:
        _stop()


def _stop(*_: object) -> None:
    sys.exit(0)
