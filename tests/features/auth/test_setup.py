"""The page on which the first administrator is made."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.anyio


async def test_that_all_that_the_page_names_is_there(backend):
    page = await backend.client.get("/admin/setup")
    named = re.findall(r'(?:href|src)="([^"]+)"', page.text)
    assert {"/admin/assets/page.css", "/admin/assets/setup.js", "/docs"} <= set(named)
    for path in named:
        assert (await backend.client.get(path)).status_code == 200, path


async def test_that_the_page_may_load_what_it_names_and_nothing_else(backend):
    page = await backend.client.get("/admin/setup")
    policy = page.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for kind in ("style-src", "script-src", "img-src", "connect-src", "form-action"):
        assert f"{kind} 'self'" in policy
    assert "unsafe" not in policy


async def test_that_a_password_never_gets_into_the_address_even_without_a_script(backend):
    page = await backend.client.get("/admin/setup")
    assert re.findall(r"<form[^>]*>", page.text) == ['<form id="setup" method="post" novalidate>']


@pytest.mark.parametrize("settings", [{"API_DOCS": "off"}])
async def test_that_the_page_leads_to_no_documentation_where_there_is_none(backend):
    page = await backend.client.get("/admin/setup")
    assert 'href="/docs"' not in page.text
