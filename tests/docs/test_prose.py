"""What the text beside the blocks says is there: links, commands, settings, files; and its size."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import httpx2
import pytest
from tests.docs.generating import sections
from tests.docs.reading import ROOT, blocks_of, pages, prose_of
from typer.main import get_command

from mainstay.app import create_app
from mainstay.cli.program import app as program
from mainstay.core.settings.shape import shapes
from mainstay.testing.backend import environment

PAGES = [*pages(), ROOT / "CHANGELOG.md", ROOT / "SECURITY.md"]
MOST_LINES = 150
MOST_WORDS = 700
MEASURED = re.compile(r"<!-- bench:begin -->.*<!-- bench:end -->", re.DOTALL)
"""The table that `make bench` prints; its figures are no words."""
LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
CODE = re.compile(r"`([^`\n]+)`")


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def anchors_of(page: Path) -> set[str]:
    text = page.read_text("utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)">', text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_that_links_lead_somewhere(page: Path) -> None:
    dead = []
    for found in LINK.finditer(prose_of(page)):
        target = found[1] or found[2]
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors_of(file)):
            dead.append(target)
    assert dead == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_that_named_commands_are_there(page: Path) -> None:
    commands = set(get_command(program).commands)
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    known = {"mainstay": commands, "make": targets}
    text = prose_of(page)
    wrong = [
        code
        for code in CODE.findall(text)
        for program_name, word in re.findall(r"^(mainstay|make) ([\w-]+)", code)
        if word not in known[program_name]
    ]
    assert wrong == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_that_named_settings_are_there(page: Path) -> None:
    settings = {
        name for kind in sections() for shape in shapes(kind).values() for name in shape.names
    }
    files = {f"{name}_FILE" for name in settings}
    read = "\n".join(file.read_text("utf-8") for file in (ROOT / "src").rglob("*.py"))
    named = {
        name.removeprefix("MAINSTAY_")
        for code in CODE.findall(prose_of(page))
        for name in re.findall(r"^[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+(?==|$)", code)
    }
    unknown = {name for name in named - settings - files if f'_{name}"' not in read}
    assert unknown == set()


def test_that_named_extras_are_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = {
        extra for page in PAGES for extra in re.findall(r"mainstay\[(\w+)\]", page.read_text())
    }
    assert named <= set(project["optional-dependencies"])
    assert named


def test_that_the_readme_is_short() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= MOST_LINES
    assert len(MEASURED.sub("", text).split()) <= MOST_WORDS


def test_that_the_readme_has_a_place_for_the_benchmarks() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    assert re.search(r"^<!-- bench:begin -->\n(?:.*\n)*?<!-- bench:end -->$", text, re.MULTILINE)


@pytest.mark.anyio
async def test_that_the_sample_of_an_error_is_real(tmp_path: Path) -> None:
    [sample] = [block for block in blocks_of(ROOT / "docs/errors.md") if block.kind == "json"]
    expected = json.loads(sample.text)
    app = create_app(environ=environment(DATA_DIR=tmp_path), env_file=tmp_path / ".env")
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        body = {"email": "bob", "username": "bob", "password": "nine lazy otters"}
        answer = await client.post(expected["instance"], json=body)
    assert answer.status_code == expected["status"]
    assert answer.json() == expected | {"request_id": answer.json()["request_id"]}
