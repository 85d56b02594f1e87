"""`serve`: from the wishes of the command line to a serving process."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mainstay.cli.console import CommandError, say
from mainstay.cli.failing import explained
from mainstay.cli.project import Project, enter_project, load_app
from mainstay.cli.serving.logs import forward_standard_logging
from mainstay.cli.serving.sockets import open_sockets
from mainstay.cli.serving.starting import announce, prepare, startable_app
from mainstay.core.assembly import assembly_of
from mainstay.core.settings import ApplicationSettings, SettingsError, load
from mainstay.core.settings.server import ServerSettings
from mainstay.core.settings.values import parse_host

if TYPE_CHECKING:
    import socket

    from mainstay.core.settings import Settings

RELOAD_GRACE: Final = 3
"""Seconds that a request may go on before a reload cuts it short."""

_WINS: Final = "MAINSTAY_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the command line asks for; None where it says nothing."""

    host: str | None = None
    port: int | None = None
    reload: bool | None = None
    workers: int | None = None


def run(wishes: Wishes) -> None:
    """Serve until a signal, then return.

    Raises:
        CommandError: it cannot be, with everything that stands in the way.
        SettingsError: settings are wrong.
    """
    project = enter_project()
    _put_into_environment(wishes)
    settings = _first_look(project)
    application = settings[ApplicationSettings]
    reload = _reloads(wishes, project, settings=settings)
    fixed = not application.is_development or _is_set(settings, "PORT")
    sockets, port = open_sockets(application.HOST, application.PORT, fixed=fixed)
    if port != application.PORT:
        # Links in mails and the child of a reload have to know.
        os.environ[f"{_WINS}PORT"] = str(port)
    address = (application.HOST, port)
    if not reload or project is None:
        serve(project, sockets, address=address)
        return
    from mainstay.cli.serving.reload import Reloader

    reloader = Reloader(
        partial(_serve_in_child, project, address=address),
        root=project.root,
        data=application.data_dir,
        sockets=sockets,
    )
    reloader.run()
    if reloader.status:
        sys.exit(reloader.status)


def serve(
    project: Project | None,
    sockets: list[socket.socket],
    *,
    address: tuple[str, int],
    reloading: bool = False,
    again: bool = False,
) -> None:
    """Serve in this process until a signal. ``again``: a reload, of which little is said.

    ``address`` is that of the sockets; an application whose own settings name another one, by a
    default or an override of the project, is served there.

    Raises:
        CommandError: it cannot be, with everything that stands in the way.
    """
    from mainstay.cli.serving.server import Config, Server

    app = startable_app(project)
    assembly = assembly_of(app)
    application = assembly.settings[ApplicationSettings]
    server_settings = assembly.settings[ServerSettings]
    if address != (application.HOST, application.PORT):
        _close(sockets)
        sockets, _ = open_sockets(application.HOST, application.PORT, fixed=True)
    forward_standard_logging()
    grace = server_settings.SHUTDOWN_GRACE_SECONDS
    server = Server(
        Config(app, server_settings, grace=min(grace, RELOAD_GRACE) if reloading else grace),
        assembly.lifecycle,
        delay=server_settings.shutdown_delay(development=application.is_development),
        prepare=partial(prepare, assembly),
        announce=partial(announce, app, assembly, reload=reloading, again=again),
    )
    try:
        server.run(sockets)
    finally:
        _close(sockets)


def _serve_in_child(
    project: Project, sockets: list[socket.socket], *, address: tuple[str, int], again: bool
) -> None:
    """Serve as the child of a reload; failures are said here, and make its status."""
    from mainstay.cli.serving.reload import in_child

    in_child()
    os.chdir(project.root)
    sys.path.insert(0, str(project.root))
    try:
        serve(project, sockets, address=address, reloading=True, again=again)
    except Exception as error:
        known = explained(error)
        if known is None:
            raise
        say(known.text, error=True)
        sys.exit(known.status)


def _close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()


def _put_into_environment(wishes: Wishes) -> None:
    """Let what the command line says win over all other sources, wherever it is read."""
    if wishes.host is not None:
        try:
            os.environ[f"{_WINS}HOST"] = parse_host(wishes.host)
        except ValueError:
            msg = f"--host takes an IP address or a host name, not {wishes.host!r}."
            raise CommandError(msg, exit_code=2) from None
    if wishes.port is not None:
        os.environ[f"{_WINS}PORT"] = str(wishes.port)
    if wishes.workers is not None:
        os.environ[f"{_WINS}WEB_CONCURRENCY"] = str(wishes.workers)


def _first_look(project: Project | None) -> Settings:
    """Read where to listen, before anything is built.

    Raises:
        SettingsError: settings are wrong; the faults of all sections are named.
    """
    try:
        return load([ApplicationSettings, ServerSettings], env_file=Path(".env"))
    except SettingsError:
        load_app(project)
        raise


def _reloads(wishes: Wishes, project: Project | None, *, settings: Settings) -> bool:
    """Say whether to reload: in a project, in development, unless told otherwise.

    Raises:
        CommandError: it was asked for where there is no project to watch.
    """
    if wishes.reload and project is None:
        msg = "There is no project here to watch; --reload needs one."
        raise CommandError(msg, exit_code=2)
    application = settings[ApplicationSettings]
    if wishes.reload is None:
        return project is not None and application.is_development
    return wishes.reload and not application.is_production  # there, a check refuses it


def _is_set(settings: Settings, name: str) -> bool:
    return any(e.name == name and e.source != "default" for e in settings.entries())
