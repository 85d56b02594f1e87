"""The program as a whole: its help, its speed, its statuses."""

import json
import subprocess
import sys

import pytest

from mainstay.cli.program import app

HEAVY = ("fastapi", "starlette", "sqlalchemy", "pydantic", "alembic", "uvicorn", "structlog")


def test_help_needs_no_framework():
    script = (
        "import json, sys\n"
        "from mainstay.cli.program import run\n"
        "try:\n    run(['--help'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(json.dumps([name for name in sys.modules if '.' not in name]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True
    )
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert not loaded & set(HEAVY)


COMMANDS = [
    "serve", "migrate", "makemigrations", "migrations", "createsuperuser", "createsuperadmin",
    "secret", "secret-key", "config", "routes", "inspect", "check", "token", "health", "version",
    "env-example",
]  # fmt: skip


def run(capsys, *arguments):
    from mainstay.cli import program

    with pytest.raises(SystemExit) as ended:
        program.run(arguments)
    return ended.value.code or 0, capsys.readouterr()


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help(capsys, name):
    for flag in ("-h", "--help"):
        status, said = run(capsys, name, flag)
        assert status == 0
        assert said.out.startswith(f"Usage: mainstay {name} ")


def test_help_fits_eighty_columns(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in (["-h"], *([name, "-h"] for name in COMMANDS)):
        _, said = run(capsys, *arguments)
        assert max(map(len, said.out.splitlines())) <= 80
        assert said.out.isascii()


def test_commands_stand_under_their_kinds(capsys):
    _, said = run(capsys, "-h")
    kinds = [line.rstrip(":") for line in said.out.splitlines() if line.endswith(":")]
    assert kinds == ["Options", "Start", "Code", "Database", "People", "Operate"]
    assert "env-example" not in said.out
    assert "createsuperadmin" not in said.out


def test_every_command_says_what_it_does():
    for info in app.registered_commands:
        assert info.callback.__doc__.strip().endswith(".") or "(" in info.callback.__doc__


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["serve", "--nonsense"], ["serve", "--port", "0"], ["inspect"], []],
)
def test_a_wrong_use_is_status_two(capsys, arguments):
    status, said = run(capsys, *arguments)
    assert status == 2
    assert said.out == ""
    assert "Usage: mainstay" in said.err


def test_version(capsys):
    from mainstay import __version__

    for arguments in (["version"], ["--version"]):
        status, said = run(capsys, *arguments)
        assert status == 0
        assert said.out.startswith(f"Mainstay {__version__} ")
    _, said = run(capsys, "version", "--json")
    assert json.loads(said.out)["mainstay"] == __version__
