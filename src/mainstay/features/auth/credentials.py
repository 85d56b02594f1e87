"""Passwords of accounts: their rules, their hashes, and what a new one ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from mainstay.core.db.single_use import affected
from mainstay.core.errors import OverloadedError
from mainstay.core.settings import ApplicationSettings
from mainstay.features.auth.passwords import check_policy
from mainstay.features.auth.settings import AuthSettings
from mainstay.features.users import User, find_by_id, find_by_identifier

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession

    from mainstay.core.db.unit import Units
    from mainstay.core.settings import Settings
    from mainstay.features.auth.hashing import PasswordHasher, Verification
    from mainstay.features.auth.throttle import Attempt, Throttle


class Credentials:
    """Makes hashes of passwords that are good enough, and stores them."""

    def __init__(self, settings: Settings, units: Units, hasher: PasswordHasher) -> None:
        self._units = units
        self._product = settings[ApplicationSettings].PROJECT_NAME
        self._minimum = settings[AuthSettings].PASSWORD_MIN_LENGTH
        self.hasher = hasher

    async def make(
        self, password: str, *, email: str, username: str | None, pointer: str = "#/password"
    ) -> str:
        """Give the hash of a password that meets the policy.

        Raises:
            ValidationFailedError: it does not; every reason is named.
            OverloadedError: too many are hashing already.
        """
        check_policy(
            password,
            minimum=self._minimum,
            email=email,
            username=username,
            product=self._product,
            pointer=pointer,
        )
        return await self.hasher.hash(password)

    async def compare(
        self, password: str, stored: str | None, *, attempt: Attempt, throttle: Throttle
    ) -> Verification:
        """Verify a password for a counted attempt; one that finds no place was none.

        Raises:
            OverloadedError: too many are hashing already.
        """
        try:
            return await self.hasher.verify(password, stored)
        except OverloadedError:
            await throttle.withdraw(attempt)
            raise

    async def find(self, user_id: str) -> User | None:
        """Read an account, outside of the request's own transaction."""
        unit = self._units.unit(write=False)
        try:
            return await find_by_id(unit.session, user_id)
        finally:
            await unit.close()

    async def find_by_name(self, identifier: str) -> User | None:
        """Read the account of a username or an address, outside of the request's transaction."""
        unit = self._units.unit(write=False)
        try:
            return await find_by_identifier(unit.session, identifier)
        finally:
            await unit.close()

    async def store(self, session: AsyncSession, user_id: str, password_hash: str) -> None:
        """Put a hash into its row; the version that callers see does not change."""
        await affected(
            session, update(User).where(User.id == user_id).values(password_hash=password_hash)
        )
