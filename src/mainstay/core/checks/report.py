"""What a run of the checks gave, as text for people and as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mainstay.core.checks.records import Check, Level

State = Literal["passed", "failed", "unknown", "silenced", "skipped"]
FailLevel = Literal["error", "warning", "info"]

FAILED: Final = 3
"""The exit status of a command whose checks failed."""

_ORDER: Final[tuple[Level, ...]] = ("error", "warning", "info")
_SHOWN: Final = {"error": "error", "warning": "warn", "info": "info"}
_NOUNS: Final = {"error": "error", "warning": "warning", "info": "note"}
_INDENT: Final = " " * 14
_SUMMARY_WIDTH: Final = 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one check.

    ``failed`` has ``message`` and ``fix``; ``unknown`` could not be run, and ``message`` says why;
    ``silenced`` has the ``reason`` that stands in pyproject.toml besides what was found;
    ``skipped`` was left out by ``MAINSTAY_SKIP_CHECKS``.
    """

    check: Check
    state: State
    message: str = ""
    fix: str = ""
    reason: str = ""

    @property
    def counts(self) -> bool:
        """Whether this stands against the application."""
        return self.state in {"failed", "unknown"}

    def as_member(self) -> dict[str, Any]:
        """Give the entry of the report's JSON."""
        member: dict[str, Any] = {
            "id": self.check.id,
            "level": self.check.level,
            "title": self.check.title,
            "state": self.state,
            "deploy": self.check.deploy,
            "boot": self.check.boot,
        }
        further = {"message": self.message, "fix": self.fix, "reason": self.reason}
        return member | {name: text for name, text in further.items() if text}


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All results, in the order of the checks. ``about`` says what was looked at."""

    results: tuple[Result, ...]
    seconds: float
    about: tuple[str, ...] = ()

    def count(self, level: Level) -> int:
        """Give how many results of the level stand against the application."""
        return sum(result.counts and result.check.level == level for result in self.results)

    def exit_status(self, fail_level: FailLevel = "error") -> int:
        """Give 3 where something of that level, or of a worse one, was found; else 0."""
        levels = _ORDER[: _ORDER.index(fail_level) + 1]
        return FAILED if any(self.count(level) for level in levels) else 0

    def as_json(self) -> dict[str, Any]:
        """Give the report as a JSON object."""
        return {
            "about": list(self.about),
            "seconds": round(self.seconds, 3),
            "counts": self._counts(),
            "results": [result.as_member() for result in self.results],
        }

    def as_text(self, fail_level: FailLevel = "error") -> str:
        """Give the report for people, the worst first."""
        ran = sum(result.state != "skipped" for result in self.results)
        things = "thing" if ran == 1 else "things"
        head = f"Checked {ran} {things} in {self.seconds:.1f} s"
        lines = [" · ".join([head, *self.about]), ""]
        for level in _ORDER:
            for result in self.results:
                if result.counts and result.check.level == level:
                    lines += _shown(result)
        if len(lines) > 2:  # noqa: PLR2004
            lines.append("")
        return "\n".join([*lines, self._summary(fail_level)])

    def _counts(self) -> dict[str, int]:
        counts: dict[str, int] = {level: self.count(level) for level in _ORDER}
        for state in ("passed", "silenced", "skipped"):
            counts[state] = sum(result.state == state for result in self.results)
        return counts

    def _summary(self, fail_level: FailLevel) -> str:
        counts = self._counts()
        parts = [_plural(counts[level], noun) for level, noun in _NOUNS.items() if counts[level]]
        parts.append(f"{counts['passed']} passed")
        parts += [f"{counts[s]} {s}" for s in ("silenced", "skipped") if counts[s]]
        summary = ", ".join(parts) + "."
        first = next((r for level in _ORDER for r in self.results if _is(r, level)), None)
        if first is None:
            return summary
        status = self.exit_status(fail_level)
        return f"{summary:<{_SUMMARY_WIDTH}}details: docs/checks#{first.check.id}   (exit {status})"


def refusal_text(results: Iterable[Result]) -> str:
    """Say why the server does not start: a heading, and a line a reason with the fix beside."""
    rows = [(result.message, result.fix) for result in results]
    width = max((len(message) for message, _ in rows), default=0)
    lines = [f"  {message:<{width}}    {fix[:1].upper()}{fix[1:]}" for message, fix in rows]
    return "\n".join(["Mainstay will not start in production:", *lines])


def _is(result: Result, level: Level) -> bool:
    return result.counts and result.check.level == level


def _shown(result: Result) -> Sequence[str]:
    first = f" {_SHOWN[result.check.level]:<5}  {result.check.id:<5} {result.message}"
    return [first, f"{_INDENT}Fix: {result.fix}"] if result.fix else [first]


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
