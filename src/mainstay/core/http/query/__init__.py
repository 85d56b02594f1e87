"""The query language of lists: filters, order, search, pages and cursors, alike on each database.

A resource declares a ``ListSpec``; ``routes`` makes a route's dependencies of it, which give a
``ListQuery``; ``fetch_page`` reads the page. Only ``routes`` knows FastAPI.
"""

from mainstay.core.http.query.fetch import count_rows, fetch_page
from mainstay.core.http.query.fields import ListField
from mainstay.core.http.query.links import link_header
from mainstay.core.http.query.model import (
    EXACT,
    NULL,
    RANGE,
    TEXT,
    AllOf,
    AnyOf,
    Condition,
    ListQuery,
    Not,
    Operator,
    SortKey,
    Where,
)
from mainstay.core.http.query.page import Page, PageInfo, page_model
from mainstay.core.http.query.parse import parse_query
from mainstay.core.http.query.search import parse_search
from mainstay.core.http.query.spec import ListSpec
from mainstay.core.http.query.sql import conditions, ordering

__all__ = [
    "EXACT",
    "NULL",
    "RANGE",
    "TEXT",
    "AllOf",
    "AnyOf",
    "Condition",
    "ListField",
    "ListQuery",
    "ListSpec",
    "Not",
    "Operator",
    "Page",
    "PageInfo",
    "SortKey",
    "Where",
    "conditions",
    "count_rows",
    "fetch_page",
    "link_header",
    "ordering",
    "page_model",
    "parse_query",
    "parse_search",
]
