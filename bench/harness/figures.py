"""Figures of a run: a median with its spread, and whether a bar holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True)
class Bar:
    """What a figure is held against: the goal is wanted, the floor never missed."""

    goal: float
    floor: float
    lower_is_better: bool = False

    def verdict(self, figure: float) -> str:
        """Return ``goal``, ``floor`` or ``missed``."""
        if self._holds(figure, self.goal):
            return "goal"
        return "floor" if self._holds(figure, self.floor) else "missed"

    def _holds(self, figure: float, bar: float) -> bool:
        return figure <= bar if self.lower_is_better else figure >= bar


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest of the rounds, and how many rounds there were."""

    middle: float
    low: float
    high: float
    rounds: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise at least one value."""
        return cls(median(values), min(values), max(values), len(values))


@dataclass(frozen=True)
class Sample:
    """One visit: the figure that rows use, and what is shown beside it.

    ``value`` is requests a second unless the visit says otherwise. ``cpu_us`` is the server's CPU
    time for one request in microseconds, ``p99_ms`` a latency in milliseconds; None where
    they mean nothing.
    """

    value: float
    cpu_us: float | None = None
    p99_ms: float | None = None
