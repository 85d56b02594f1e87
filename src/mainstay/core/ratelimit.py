"""Rate limits as a port: a policy, a key, and a decision that headers can be made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Policy:
    """``quota`` hits in any ``window`` (seconds). ``name`` goes into the headers."""

    name: str
    quota: int
    window: int


@dataclass(frozen=True, slots=True)
class Decision:
    """``remaining`` hits now; ``reset`` seconds until there are more (at least 1 when refused)."""

    allowed: bool
    remaining: int
    reset: int


class RateLimiter(Protocol):
    """Port: counts hits. It must not wait for anything outside the process."""

    def hit(self, policy: Policy, key: str) -> Decision:
        """Count one hit under the policy for the key."""
        ...
