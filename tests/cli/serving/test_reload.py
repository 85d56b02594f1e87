"""Which changes of files count."""

import pytest
from watchfiles import Change

from mainstay.cli.serving.reload import Sources


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("shop/main.py", True),
        ("templates/mail/reset.html", True),
        (".env", True),
        ("pyproject.toml", True),
        ("variants/colours.py", True),
        ("var/mainstay.db-wal", False),
        ("var/script.py", False),
        (".venv/lib/thing.py", False),
        ("shop/__pycache__/main.py", False),
        ("node_modules/tool/setup.py", False),
        ("README.md", False),
    ],
)
def test_code_and_settings_count_and_data_does_not(tmp_path, path, counts):
    sources = Sources(tmp_path / "var")
    assert sources(Change.modified, str(tmp_path / path)) is counts
