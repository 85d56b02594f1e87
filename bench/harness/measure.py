"""Rounds: each visits every stop in turn; a stop that fails is left out, with its reason."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from harness.client import BenchError
from harness.figures import Sample, Spread
from harness.session import Bench, Row, Target, Visit

Progress = Callable[[str], None]


@dataclass
class Run:
    """What was measured: samples by round and visit, and why a visit is missing."""

    rounds: list[dict[str, Sample]] = field(default_factory=list)
    failures: dict[str, str] = field(default_factory=dict)

    def spread(self, row: Row) -> Spread | None:
        """Return the row's figure over the rounds, or None where a visit of it failed."""
        if any(key in self.failures for key in row.visits):
            return None
        values = [
            row.figure({key: samples[key].value for key in row.visits}) for samples in self.rounds
        ]
        return Spread.of(values) if values else None

    def reason(self, row: Row) -> str:
        """Return why the row has no figure."""
        reasons = [self.failures[key] for key in row.visits if key in self.failures]
        return reasons[0] if reasons else "no round was finished"

    def typical(self, key: str) -> Sample | None:
        """Return the median sample of a visit, or None where it failed."""
        samples = [samples[key] for samples in self.rounds if key in samples]
        if not samples or key in self.failures:
            return None
        return Sample(
            median(sample.value for sample in samples),
            cpu_us=_median([sample.cpu_us for sample in samples]),
            p99_ms=_median([sample.p99_ms for sample in samples]),
        )


def visits_of(targets: Sequence[Target]) -> list[Visit]:
    """Return the visits of the targets, in order."""
    return [visit for target in targets for visit in target.visits]


def measure(
    bench: Bench, targets: Sequence[Target], *, rounds: int, deadline: float, say: Progress
) -> Run:
    """Warm every target up, then visit them round by round.

    No round starts after ``deadline`` (``time.monotonic``). Each round begins one stop later, so
    that no target always follows the same burst.
    """
    run = Run()
    visits = visits_of(targets)
    say("warming up")
    _round(bench, visits, run, say)
    for number in range(rounds):
        if time.monotonic() > deadline:
            say(f"out of time after {number} rounds")
            break
        start = number % len(visits)
        samples = _round(bench, visits[start:] + visits[:start], run, say)
        run.rounds.append(samples)
        say(f"round {number + 1} of {rounds}")
    return run


def _round(bench: Bench, visits: Sequence[Visit], run: Run, say: Progress) -> dict[str, Sample]:
    samples = {}
    for visit in visits:
        if visit.key in run.failures:
            continue
        try:
            samples[visit.key] = visit.measure(bench)
        except BenchError as error:
            run.failures[visit.key] = str(error)
            say(f"left out: {visit.key}: {error}")
    return samples


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
