"""SQL functions that go by another name on each database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class comma_joined(FunctionElement[str]):  # noqa: N801 - reads as a function in a statement
    """An aggregate: the texts of all rows, with commas between them; NULL without rows.

    Unlike ``func.aggregate_strings`` it has no parameter, so that a statement can be prepared.
    """

    type = String()
    inherit_cache = True
    name = "comma_joined"


@compiles(comma_joined)
def _group_concat(element: comma_joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **options)})"


@compiles(comma_joined, "postgresql")
def _string_agg(element: comma_joined, compiler: SQLCompiler, **options: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **options)}, ',')"
