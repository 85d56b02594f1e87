"""What may happen once: a conditional UPDATE whose row count must be one.

The database decides between parallel tries, so that it holds over all processes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from sqlalchemy import CursorResult

if TYPE_CHECKING:
    from sqlalchemy import Delete, Update
    from sqlalchemy.ext.asyncio import AsyncSession


async def affected(session: AsyncSession, statement: Update | Delete) -> int:
    """Run an UPDATE or DELETE and give how many rows it met."""
    result = await session.execute(statement.execution_options(synchronize_session=False))
    return cast("CursorResult[object]", result).rowcount


async def spend(session: AsyncSession, statement: Update | Delete) -> bool:
    """Run a conditional statement; true for the one caller whose try it is.

    The condition must not hold any more once the statement has run.
    """
    return await affected(session, statement) == 1
