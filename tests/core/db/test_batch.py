from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.db.batch import BatchedReader


class Table:
    """Rows that are read slowly, and what was asked of them."""

    def __init__(self, rows: dict[str, int]) -> None:
        self.rows = rows
        self.asked: list[list[str]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.error: BaseException | None = None

    async def load(self, keys: Sequence[str]) -> dict[str, int]:
        self.asked.append(list(keys))
        found = {key: self.rows[key] for key in keys if key in self.rows}
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return found


def run(work):
    return asyncio.run(work)


def test_reads_of_one_turn_share_a_statement():
    async def work():
        table = Table({"a": 1, "b": 2})
        reader = BatchedReader(table.load)
        found = await asyncio.gather(*(reader.get(key) for key in ("a", "b", "a", "c")))
        assert found == [1, 2, 1, None]
        assert table.asked == [["a", "b", "c"]]

    run(work())


def test_reads_of_later_turns_have_their_own():
    async def work():
        table = Table({"a": 1})
        reader = BatchedReader(table.load)
        assert [await reader.get("a"), await reader.get("a")] == [1, 1]
        assert table.asked == [["a"], ["a"]]

    run(work())


def test_a_read_sees_what_was_written_before_it_was_asked_for():
    """Also while an older statement is still under way."""

    async def work():
        table = Table({"a": 1})
        reader = BatchedReader(table.load)
        table.go_on.clear()
        old = asyncio.create_task(reader.get("a"))
        await asyncio.sleep(0.01)
        table.rows["a"] = 2
        new = asyncio.create_task(reader.get("a"))
        await asyncio.sleep(0.01)
        table.go_on.set()
        assert (await old, await new) == (1, 2)

    run(work())


def test_a_batch_is_bounded():
    async def work():
        keys = [str(n) for n in range(25)]
        table = Table({key: int(key) for key in keys})
        reader = BatchedReader(table.load, largest=10)
        assert await asyncio.gather(*(reader.get(key) for key in keys)) == list(range(25))
        assert [len(asked) for asked in table.asked] == [10, 10, 5]

    run(work())


def test_who_is_cancelled_leaves_the_others_their_answer():
    async def work():
        table = Table({"a": 1})
        reader = BatchedReader(table.load)
        table.go_on.clear()
        tasks = [asyncio.create_task(reader.get("a")) for _ in range(3)]
        await asyncio.sleep(0.01)
        tasks[0].cancel()
        table.go_on.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert isinstance(found[0], asyncio.CancelledError)
        assert found[1:] == [1, 1]
        assert await reader.get("a") == 1

    run(work())


def test_an_error_goes_to_all_and_not_to_the_next():
    async def work():
        table = Table({"a": 1})
        reader = BatchedReader(table.load)
        table.error = LookupError("away")
        found = await asyncio.gather(reader.get("a"), reader.get("b"), return_exceptions=True)
        assert [type(each) for each in found] == [LookupError, LookupError]
        table.error = None
        assert await reader.get("a") == 1

    run(work())


def test_a_statement_that_is_cancelled_leaves_nobody_waiting():
    async def work():
        table = Table({"a": 1})
        reader = BatchedReader(table.load)
        table.error = asyncio.CancelledError()
        async with asyncio.timeout(5):
            with pytest.raises(asyncio.CancelledError):
                await reader.get("a")

    run(work())


def test_switched_off_each_read_is_its_own():
    async def work():
        table = Table({"a": 1, "b": 2})
        reader = BatchedReader(table.load, enabled=False)
        assert await asyncio.gather(reader.get("a"), reader.get("b"), reader.get("c")) == [
            1,
            2,
            None,
        ]
        assert sorted(table.asked) == [["a"], ["b"], ["c"]]

    run(work())


def test_one_reader_serves_one_loop_after_another():
    reader = BatchedReader(Table({"a": 1}).load)

    async def leave_early():
        task = asyncio.create_task(reader.get("a"))
        await asyncio.sleep(0)
        task.cancel()

    run(leave_early())
    assert run(reader.get("a")) == 1


@given(
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=8),
    st.lists(st.lists(st.text(max_size=3), max_size=8), max_size=4),
    st.integers(1, 5),
)
def test_joined_and_single_reads_agree(rows, turns, largest):
    async def read(*, enabled):
        reader = BatchedReader(Table(rows).load, largest=largest, enabled=enabled)
        return [await asyncio.gather(*(reader.get(key) for key in turn)) for turn in turns]

    assert run(read(enabled=True)) == run(read(enabled=False))
