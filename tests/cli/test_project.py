"""Where a project begins, and what its entrypoint leads to."""

import sys

import pytest
import structlog

from mainstay.cli.console import CommandError
from mainstay.cli.project import Project, find_project, load_app

PYPROJECT = """
[tool.mainstay]
[tool.fastapi]
entrypoint = "some_shop.main:app"
"""


def test_it_is_found_from_below(tmp_path):
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "pyproject.toml").write_text("[tool.other]")
    assert find_project(below) == Project(tmp_path, "some_shop.main:app")


def test_there_is_none_without_the_table(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    assert find_project(tmp_path) is None


def test_files_on_the_way_up_may_be_broken(tmp_path):
    (tmp_path / "pyproject.toml").write_text("nonsense [")
    assert find_project(tmp_path) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [("[tool.mainstay]\nnonsense [", "not valid TOML"), ("[tool.mainstay]", "entrypoint")],
)
def test_its_own_file_may_not(tmp_path, text, said):
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(CommandError, match=said):
        find_project(tmp_path)


@pytest.fixture(autouse=True)
def logs_as_they_were():
    before = structlog.get_config() if structlog.is_configured() else None
    yield
    structlog.reset_defaults()
    if before is not None:
        structlog.configure(**before)


@pytest.fixture
def module(tmp_path, monkeypatch, request):
    """Write a module of the test's own name, and give that name."""
    name = f"shop_of_{request.node.name.partition('[')[0]}"
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def write(text):
        (tmp_path / f"{name}.py").write_text(text)
        return name

    yield write
    sys.modules.pop(name, None)


def test_a_module_that_is_not_there_is_named(tmp_path):
    with pytest.raises(CommandError, match="There is no module"):
        load_app(Project(tmp_path, "nowhere_at_all.main:app"))


def test_something_else_is_no_application(module, tmp_path):
    name = module("app = 5")
    with pytest.raises(CommandError, match="is no application made by create_app"):
        load_app(Project(tmp_path, f"{name}:app"))


def test_a_fault_in_the_project_is_shown_without_our_frames(module, tmp_path):
    name = module("def broken():\n    return 1 / 0\n\nbroken()\n")
    with pytest.raises(CommandError) as caught:
        load_app(Project(tmp_path, f"{name}:app"))
    text = str(caught.value)
    assert text.startswith(f"{name} cannot be imported:")
    assert "ZeroDivisionError" in text
    assert "return 1 / 0" in text
    assert "cli/project.py" not in text


def test_weak_settings_are_taken_for_looking_only(module, tmp_path, monkeypatch):
    import mainstay
    from mainstay import app
    from mainstay.core.settings import SettingsError

    monkeypatch.setenv("ENVIRONMENT", "production")
    name = module("from mainstay import create_app\napp = create_app()\n")
    original = app.create_app
    assert load_app(Project(tmp_path, f"{name}:app")) is sys.modules[name].app
    assert app.create_app is mainstay.create_app is original
    del sys.modules[name]
    with pytest.raises(SettingsError):
        load_app(Project(tmp_path, f"{name}:app"), inspecting=False)
