"""The package's history: up and down, step by step, on every database, and never adrift."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from mainstay.app import create_app
from mainstay.core.alembic import MigrationRunner
from mainstay.core.assembly import Assembly, assembly_of
from mainstay.core.migrating import migrate
from mainstay.testing.backend import environment
from mainstay.testing.databases import KINDS, fresh_database, is_required, why_unavailable

T = TypeVar("T")


@pytest.fixture(params=KINDS)
def empty_url(request: pytest.FixtureRequest) -> Iterator[str]:
    reason = why_unavailable(request.param)
    if reason is not None:
        (pytest.fail if is_required(request.param) else pytest.skip)(reason)
    with fresh_database(request.param) as url:
        yield url


@pytest.fixture
def assembly(empty_url: str, tmp_path: Path) -> Assembly:
    environ = environment(DATABASE_URL=empty_url, DATA_DIR=tmp_path)
    return assembly_of(create_app(environ=environ, env_file=tmp_path / ".env"))


def run(assembly: Assembly, work: Callable[[MigrationRunner], Awaitable[T]]) -> T:
    async def within() -> T:
        try:
            return await work(assembly.ports[MigrationRunner])
        finally:
            await assembly.database.dispose()

    return asyncio.run(within())


def test_each_step_goes_up_down_and_up_again(assembly: Assembly) -> None:
    async def work(runner: MigrationRunner) -> list[str]:
        steps = await runner.pending()
        before = "base"
        for step in steps:
            assert await runner.upgrade(step) == [step]
            assert await runner.downgrade(before) == [step]
            assert await runner.upgrade(step) == [step]
            before = step
        assert await runner.pending() == []
        return steps

    assert run(assembly, work) == [f"{number:04}" for number in range(1, 16)]


def test_all_the_way_down_leaves_nothing(assembly: Assembly) -> None:
    async def work(runner: MigrationRunner) -> None:
        applied = await runner.upgrade()
        assert await runner.downgrade("base") == applied[::-1]
        assert await runner.pending() == applied

    run(assembly, work)


def test_models_and_migrations_do_not_differ(assembly: Assembly) -> None:
    async def work(runner: MigrationRunner) -> None:
        await runner.upgrade()
        assert await runner.check() == []

    run(assembly, work)


def test_migrating_twice_changes_nothing_the_second_time(assembly: Assembly) -> None:
    async def work(_: MigrationRunner) -> None:
        assert len(await migrate(assembly)) == 15
        assert await migrate(assembly) == []

    run(assembly, work)
