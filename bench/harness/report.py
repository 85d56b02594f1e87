"""The report: one Markdown page with the bars, what was seen, and the machine."""

from collections.abc import Sequence

from harness.measure import Run, visits_of
from harness.session import Row, Target

HEAD = """# Benchmarks

Written by `make bench`. Each figure is the median of the rounds' own ratios, with the smallest and
the largest. A round visits every target in turn, so that whatever else the machine does meets
all of them. The yardstick is a bare FastAPI hello on the same server with the same settings. A goal
is wanted; a floor must hold.
"""
SEEN = """## What was seen

Medians of this run on this machine, for orientation: they do not compare with another
machine's. The CPU time is the server's own for one request.
"""
DIGITS = {"ratio": 3, "x": 2, "ms": 0}
SEEN_DIGITS = {"1/s": 0, "ms": 2, "s": 4}
UNIT_TEXT = {"ratio": "", "x": " x", "ms": " ms"}


def page(
    run: Run,
    targets: Sequence[Target],
    *,
    seconds: int,
    connections: int,
    machine: Sequence[tuple[str, str]],
) -> str:
    """Return the page."""
    method = (
        f"{len(run.rounds)} rounds of {seconds} s a target, {connections} connections, one worker."
    )
    description = [f"- {label}: {text}" for label, text in machine]
    parts = [HEAD, method, "", *_bars(run, targets), "", *_left_out(run)]
    parts += [SEEN, *_seen(run, targets), "", "## Machine", "", *description, ""]
    return "\n".join(parts)


def failed(run: Run, targets: Sequence[Target]) -> bool:
    """Return whether a row with a bar misses its floor or has no figure."""
    return any(
        row.bar and _verdict(run, row) not in {"goal", "floor"}
        for target in targets
        for row in target.rows
    )


def _bars(run: Run, targets: Sequence[Target]) -> list[str]:
    lines = [
        "| what | median | min | max | goal | floor | holds |",
        "|---|---|---|---|---|---|---|",
    ]
    for target in targets:
        for row in target.rows:
            spread = run.spread(row)
            figures = [spread.middle, spread.low, spread.high] if spread is not None else [None] * 3
            bars = [row.bar.goal, row.bar.floor] if row.bar else [None] * 2
            cells = [_figure(value, row.unit) for value in (*figures, *bars)]
            lines.append(f"| {row.title} | {' | '.join(cells)} | {_verdict(run, row)} |")
    return lines


def _verdict(run: Run, row: Row) -> str:
    spread = run.spread(row)
    if spread is None:
        return "not measured"
    return row.bar.verdict(spread.middle) if row.bar else "for information"


def _left_out(run: Run) -> list[str]:
    if not run.failures:
        return []
    reasons = [f"- {key}: {reason}" for key, reason in run.failures.items()]
    return ["Not measured:", "", *reasons, ""]


def _seen(run: Run, targets: Sequence[Target]) -> list[str]:
    lines = ["| visit | value | CPU, µs | p99, ms |", "|---|---|---|---|"]
    for visit in visits_of(targets):
        sample = run.typical(visit.key)
        if sample is None:
            continue
        cpu = "" if sample.cpu_us is None else f"{sample.cpu_us:.0f}"
        p99 = "" if sample.p99_ms is None else f"{sample.p99_ms:.2f}"
        lines.append(f"| {visit.key} | {_seen_value(sample.value, visit.unit)} | {cpu} | {p99} |")
    return lines


def _seen_value(value: float, unit: str) -> str:
    digits = SEEN_DIGITS[unit]
    return f"{value:,.{digits}f} {unit}"


def _figure(value: float | None, unit: str) -> str:
    if value is None:
        return ""
    return f"{value:.{DIGITS[unit]}f}{UNIT_TEXT[unit]}"
