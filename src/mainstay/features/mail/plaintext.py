"""HTML as plain text, and the links in it. Pure."""

from __future__ import annotations

import html as entities
import re
from html.parser import HTMLParser
from typing import Final

HTML_ONLY: Final = "html-only"
"""The class of an element that the text part leaves out."""

_UNSEEN: Final = frozenset({"head", "script", "style", "template", "title"})
_VOID: Final = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link"})
_VOID_TOO: Final = frozenset({"meta", "source", "track", "wbr"})
_LINES: Final = frozenset({"dd", "div", "dt", "li", "td", "th", "tr"})
_PARAGRAPHS: Final = frozenset(
    {"article", "blockquote", "dl", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header"}
    | {"hr", "ol", "p", "pre", "section", "table", "ul"}
)
_SPACES: Final = re.compile(r"[ \t\r\f\v\n]+")
_WEB: Final = re.compile(r"https?://", re.IGNORECASE)
_WEB_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_TRAILING: Final = ".,;:!?)]}"


def html_to_text(html: str) -> str:
    """Give the words of a page, a paragraph apart, each link's address behind its words."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [line.strip() for line in "".join(reader.parts).split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def text_to_html(text: str) -> str:
    """Give text as HTML that shows it line by line; nothing in it is taken as HTML."""
    body = entities.escape(text).replace("\r\n", "\n").replace("\n", "<br>\n")
    return f"<!doctype html>\n<html><body><p>{body}</p></body></html>\n"


def links_in(html: str | None, text: str | None) -> list[str]:
    """Give the web addresses that a mail leads to, each once, in their order."""
    found: dict[str, None] = {}
    if html is not None:
        reader = _Reader()
        reader.feed(html)
        reader.close()
        found.update(dict.fromkeys(reader.links))
    for match in _WEB_IN_TEXT.finditer(text or ""):
        found.setdefault(match.group().rstrip(_TRAILING))
    return list(found)


def title_of(html: str) -> str:
    """Give the text of a page's ``<title>`` in one line; nothing where there is none."""
    match = re.search(r"<title[^>]*>(.*?)</title\s*>", html, re.IGNORECASE | re.DOTALL)
    return _SPACES.sub(" ", entities.unescape(match[1])).strip() if match else ""


class _Reader(HTMLParser):
    """Collects the text in ``parts`` and the web addresses in ``links``."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.links: list[str] = []
        self._unseen: list[str] = []
        self._href: str | None = None
        self._label = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        attributes = dict(attrs)
        if tag == "a" and _WEB.match(attributes.get("href") or ""):
            self.links.append(str(attributes["href"]).strip())
        if tag in _VOID or tag in _VOID_TOO:
            if not self._unseen:
                self._break(tag)
            return
        hidden = HTML_ONLY in (attributes.get("class") or "").split()
        if self._unseen or tag in _UNSEEN or hidden:
            self._unseen.append(tag)
            return
        self._break(tag)
        if tag == "li":
            self.parts.append("- ")
        if tag == "a":
            self._href, self._label = attributes.get("href"), ""

    def handle_endtag(self, tag: str) -> None:
        """Close an element; an unseen one closes what was left open inside of it."""
        if self._unseen:
            if tag in self._unseen:
                while self._unseen.pop() != tag:
                    pass
            return
        if tag == "a" and self._href is not None:
            label, href = self._label.strip(), self._href.strip()
            if _WEB.match(href) and label != href:
                self.parts.append(f": {href}" if label else href)
            self._href = None
        self._break(tag)

    def handle_data(self, data: str) -> None:
        """Take text."""
        if self._unseen:
            return
        words = _SPACES.sub(" ", data)
        self._label += words
        if words != " " or (self.parts and not self.parts[-1].endswith("\n")):
            self.parts.append(words)

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag == "br" or (tag in _LINES and self.parts and not self.parts[-1].endswith("\n")):
            self.parts.append("\n")
