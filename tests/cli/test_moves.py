"""From `migrate REV` to what is run, over two histories."""

import asyncio
from types import SimpleNamespace

import pytest

from mainstay.cli.console import CommandError
from mainstay.cli.moves import find_move, make_move
from mainstay.core.alembic import MigrationRunner, Revision


class Runner:
    """Knows revisions, and notes what it was asked to do."""

    def __init__(self, *known):
        self.known = [
            Revision(history=history, id=id_, message="it", applied=applied)
            for history, id_, applied in known
        ]
        self.histories = [SimpleNamespace(name="package"), SimpleNamespace(name="project")]
        self.asked = []

    async def revisions(self):
        return self.known

    async def upgrade(self, revision, *, history=None):
        self.asked.append(("upgrade", revision, history))
        return [revision]

    async def downgrade(self, revision, *, history=None):
        self.asked.append(("downgrade", revision, history))
        return []


@pytest.fixture
def runner():
    return Runner(
        ("package", "0001", True),
        ("package", "0002", False),
        ("project", "0001_shop", True),
        ("project", "0002_books", True),
        ("project", "0003_pages", False),
        ("project", "0003_prices", False),
    )


def move(runner, wanted):
    assembly = SimpleNamespace(ports={MigrationRunner: runner})

    async def run():
        found = await find_move(assembly, wanted)
        if found.history is not None:
            await make_move(assembly, found)
        return found

    return asyncio.run(run())


def ids(found):
    return [each.id for each in found.revisions]


def test_head_is_everything_that_is_pending(runner):
    found = move(runner, "head")
    assert ids(found) == ["0002", "0003_pages", "0003_prices"]
    assert not found.backward


def test_a_pending_one_brings_earlier_histories_too(runner):
    found = move(runner, "0003_pages")
    assert ids(found) == ["0002", "0003_pages"]
    assert runner.asked == [("upgrade", "0003_pages", "project")]


def test_one_of_the_package_leaves_the_project_alone(runner):
    assert ids(move(runner, "0002")) == ["0002"]
    assert runner.asked == [("upgrade", "0002", "package")]


def test_an_applied_one_goes_back_to_it(runner):
    found = move(runner, "0001_")
    assert found.backward
    assert ids(found) == ["0002_books"]
    assert runner.asked == [("downgrade", "0001_shop", "project")]


@pytest.mark.parametrize(
    ("wanted", "undone", "goal"),
    [
        ("-1", ["0002_books"], "0001_shop"),
        ("-2", ["0002_books", "0001_shop"], "base"),
        ("-9", ["0002_books", "0001_shop"], "base"),
        ("base", ["0002_books", "0001_shop"], "base"),
    ],
)
def test_back_is_of_the_last_history(runner, wanted, undone, goal):
    assert ids(move(runner, wanted)) == undone
    assert runner.asked == [("downgrade", goal, "project")]


def test_where_it_is_already_only_earlier_histories_move(runner):
    found = move(runner, "0002_books")
    assert ids(found) == ["0002"]
    assert not found.backward


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("0009", "There is no revision"), ("0003", "Several revisions begin with")],
)
def test_what_is_not_one_revision_is_refused(runner, wanted, said):
    with pytest.raises(CommandError, match=said):
        move(runner, wanted)
