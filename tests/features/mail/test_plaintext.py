"""HTML as text, and the links in it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mainstay.features.mail.plaintext import html_to_text, links_in, text_to_html, title_of

PAGE = """<!doctype html>
<html><head><title>Nobody reads this</title><style>p { color: red }</style></head><body>
<h1>Hello   &amp; welcome</h1>
<p>One<br>two <b>three</b> <i>four</i></p>
<script>alert(1)</script>
<ul><li>first</li><li>second</li></ul>
<p><a href="https://shop.test/a?b=1&amp;c=2">Click</a></p>
<p class="small html-only">Or open <a href="https://shop.test/a?b=1&amp;c=2">this</a></p>
<p><a href="https://shop.test/">https://shop.test/</a> <a href="javascript:alert(1)">no</a></p>
</body></html>"""


def test_text_has_the_words_and_the_addresses() -> None:
    assert html_to_text(PAGE) == (
        "Hello & welcome\n\n"
        "One\ntwo three four\n\n"
        "- first\n- second\n\n"
        "Click: https://shop.test/a?b=1&c=2\n\n"
        "https://shop.test/ no\n"
    )


def test_unclosed_elements_do_not_swallow_the_rest() -> None:
    assert html_to_text("<p>a<p>b<br>c") == "a\n\nb\nc\n"
    assert html_to_text('<div class="html-only"><p>hidden</div><p>seen') == "seen\n"


def test_links_are_web_addresses_each_once_in_order() -> None:
    text = "See https://shop.test/text. And https://shop.test/"
    assert links_in(PAGE, text) == [
        "https://shop.test/a?b=1&c=2",
        "https://shop.test/",
        "https://shop.test/text",
    ]
    assert links_in(None, None) == []


def test_the_title_is_one_line_of_text() -> None:
    assert title_of("<title>\n Tom &amp;\n <!-- --> Jerry </title>") == "Tom & <!-- --> Jerry"
    assert title_of("<p>none</p>") == ""


def test_text_as_html_shows_what_was_written() -> None:
    html = text_to_html("<b>1 & 2</b>\nnext")
    assert "&lt;b&gt;1 &amp; 2&lt;/b&gt;<br>\nnext" in html
    assert html_to_text(html) == "<b>1 & 2</b>\nnext\n"


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert html_to_text(text).endswith("\n")
    assert all(link.lower().startswith(("http://", "https://")) for link in links_in(text, text))


@given(st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_M3_text_never_becomes_markup(text: str) -> None:
    assert html_to_text(text_to_html(text)) == text + "\n"
