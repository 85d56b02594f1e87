"""Checks: what `mainstay check` looks at, and what stops a production start."""

from mainstay.core.checks.records import Check, Finding, Level, check

__all__ = ["Check", "Finding", "Level", "check"]
