"""Which port a server gets."""

import socket
from contextlib import suppress

import pytest

from mainstay.cli.console import CommandError
from mainstay.cli.serving.sockets import open_sockets


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def close(sockets):
    for opened in sockets:
        opened.close()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_a_free_port_is_used_without_a_word(capsys):
    wanted = free_port()
    sockets, port = open_sockets("127.0.0.1", wanted, fixed=True)
    close(sockets)
    assert port == wanted
    assert capsys.readouterr().out == ""


def test_the_next_port_is_used_and_named(taken, capsys):
    sockets, port = open_sockets("127.0.0.1", taken, fixed=False)
    close(sockets)
    assert taken < port <= taken + 9
    assert capsys.readouterr().out == f"Port {taken} is in use, using {port}\n"


def test_a_port_found_is_ours_at_once(taken):
    first, port = open_sockets("127.0.0.1", taken, fixed=False)
    second, other = open_sockets("127.0.0.1", taken, fixed=False)
    close([*first, *second])
    assert port != other


def test_a_fixed_port_that_is_taken_is_refused(taken):
    with pytest.raises(CommandError, match=f"Port {taken} is in use"):
        open_sockets("127.0.0.1", taken, fixed=True)


def test_a_host_of_another_machine_is_refused():
    with pytest.raises(CommandError, match=r"The address 192\.0\.2\.1 cannot be used"):
        open_sockets("192.0.2.1", free_port(), fixed=False)


def test_no_port_beyond_the_last_is_tried():
    listeners = []
    with suppress(OSError):  # somebody else's serves as well
        listeners.append(socket.create_server(("127.0.0.1", 65535)))
    with pytest.raises(CommandError, match="Ports 65535 to 65535 are in use"):
        open_sockets("127.0.0.1", 65535, fixed=False)
    close(listeners)
