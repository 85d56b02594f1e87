"""The Link header leads to the neighbouring pages of the same request."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.http.query import ListQuery, PageInfo, SortKey, link_header


def links(url, *, offset=None, limit=25, **page):
    told = {"has_more": False, "next_cursor": None, "prev_cursor": None} | page
    query = ListQuery(sort=(SortKey("id"),), limit=limit, offset=offset)
    info = PageInfo(limit=limit, offset=offset, total=None, **told)
    header = link_header(url, query=query, page=info)
    return {rel: target for target, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', header)}


def test_a_first_request_goes_on_by_cursor():
    assert links("/users?limit=25", has_more=True, next_cursor="abc") == {
        "next": "/users?limit=25&cursor=abc",
        "first": "/users?limit=25",
    }


def test_an_only_page_is_the_first():
    assert links("/users") == {"first": "/users"}


def test_a_cursor_is_replaced():
    found = links(
        "https://api.example.com/users?cursor=old&q=a+b",
        has_more=True,
        next_cursor="n",
        prev_cursor="p",
    )
    assert found == {
        "next": "https://api.example.com/users?q=a+b&cursor=n",
        "prev": "https://api.example.com/users?q=a+b&cursor=p",
        "first": "https://api.example.com/users?q=a+b",
    }


@pytest.mark.parametrize(
    ("offset", "following", "before"),
    [
        (0, "?offset=10", None),
        (4, "?offset=14", "?offset=0"),
        (20, "?offset=30", "?offset=10"),
        (9990, "?offset=10000", "?offset=9980"),
        (9995, "?cursor=n", "?offset=9985"),
    ],
)
def test_offsets_go_on_by_offset_as_far_as_they_go(offset, following, before):
    found = links(
        f"/users?offset={offset}",
        offset=offset,
        limit=10,
        has_more=True,
        next_cursor="n",
        prev_cursor="p" if offset else None,
    )
    assert found["next"] == "/users" + following
    assert found.get("prev") == (before and "/users" + before)


def test_an_escaped_name_is_replaced_too():
    assert links("/users?%63ursor=old&off%73et=1")["first"] == "/users"


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_url_breaks_out_of_its_header(path, raw):
    target = links(f"/{path}?{raw}")["first"] if "?" not in path else "/"
    assert re.fullmatch(r"[!-~]+", target)
    assert not set('<>"\\') & set(target)
