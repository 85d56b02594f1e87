"""The one envelope of every list: ``{"items": [...], "page": {...}}``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, create_model

T = TypeVar("T")
U = TypeVar("U")


class PageInfo(BaseModel):
    """Where a page stands in its list."""

    model_config = ConfigDict(frozen=True, title="PageInfo")

    limit: int = Field(description="Most rows of this page.")
    offset: int | None = Field(description="Rows before this page; null when moved by cursor.")
    total: int | None = Field(description="Rows in the whole list; null when not counted.")
    has_more: bool = Field(description="Whether rows follow this page.")
    next_cursor: str | None = Field(description="Send as `cursor` for the next page.")
    prev_cursor: str | None = Field(description="Send as `cursor` for the page before.")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page of rows, or of what they were turned into."""

    items: list[T]
    page: PageInfo

    def map(self, convert: Callable[[T], U]) -> Page[U]:
        """Give the same page of converted items."""
        return Page([convert(item) for item in self.items], self.page)


def page_model(name: str, item: type) -> type[BaseModel]:
    """Make the response model of a list, with ``name`` as its title (``UserPage``)."""
    fields: dict[str, Any] = {"items": (list[item], ...), "page": (PageInfo, ...)}  # type: ignore[valid-type]
    return create_model(name, __config__=ConfigDict(title=name, from_attributes=True), **fields)
