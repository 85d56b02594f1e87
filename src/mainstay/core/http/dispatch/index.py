"""The index: fixed paths by dictionary, patterns by a tree of path segments.

A path and the same with one trailing slash are one key. Patterns whose parameters stay within a
segment are matched by that key. Others (``{x:path}``, mounts, hosts) see the path as it came
first, and with the slash added or taken only when nothing else matches.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from starlette.convertors import FloatConvertor, IntegerConvertor, StringConvertor, UUIDConvertor
from starlette.routing import PARAM_REGEX, Match, compile_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.types import Scope

    from mainstay.core.http._fastapi import Leaf

_WITHIN_A_SEGMENT: Final = (StringConvertor, IntegerConvertor, FloatConvertor, UUIDConvertor)
_BY_ORDER: Final = attrgetter("order")


def key_of(path: str) -> str:
    """Give the path without its one trailing slash; the root's key is empty."""
    return path[:-1] if path[-1:] == "/" and path[-2:] != "//" else path


def other_form(path: str) -> str:
    """Give the path with its trailing slash taken off or put on."""
    return path[:-1] if path[-1:] == "/" else path + "/"


class Entry:
    """One route of the index. ``methods`` is None where any may do; TRACE is never one."""

    __slots__ = (
        "convertors",
        "fixed",
        "key",
        "leaf",
        "methods",
        "order",
        "pattern",
        "segments",
        "simple",
    )

    def __init__(self, order: int, leaf: Leaf) -> None:
        self.order = order
        self.leaf = leaf
        self.methods = None if leaf.methods is None else leaf.methods - {"TRACE"}
        path = "/{any:path}" if leaf.path is None else leaf.path
        self.key = key_of(path)
        self.segments = [] if leaf.path is None else self.key.split("/")
        convertors = compile_path(path)[2]
        self.simple = all(type(each) in _WITHIN_A_SEGMENT for each in convertors.values())
        # A simple pattern is compared with keys, any other with paths as they came.
        self.pattern, _, self.convertors = compile_path((self.key or "/") if self.simple else path)
        self.fixed = leaf.target is not None and not convertors

    def takes(self, method: str) -> bool:
        """Whether the route answers the method, as far as it can be told."""
        return self.methods is None or method in self.methods

    def may_match(self, key: str) -> bool:
        """Whether a path with this key may be the route's; certain where it is False."""
        if self.simple:
            return self.pattern.fullmatch(key or "/") is not None
        return any(self.pattern.fullmatch(form) for form in (key, key + "/"))

    def match(
        self, scope: Scope, *, key: str, path: str, least: Match = Match.FULL
    ) -> Found | None:
        """Match a path below ``root_path`` in this form, and by key if the pattern is simple.

        ``least`` is what FastAPI's own routes have to say; those with a target match whatever
        the method.
        """
        whole: str = scope["path"]
        if self.leaf.target is not None:
            params = self._params(key if self.simple else path)
            return None if params is None else Found(self, params, whole)
        for form in (path, other_form(path)) if self.simple else (path,):
            own = whole if form.endswith("/") == whole.endswith("/") else other_form(whole)
            match, _ = self.leaf.matches(scope if own == whole else {**scope, "path": own})
            if match.value >= least.value:
                return Found(self, {}, own)
        return None

    def _params(self, path: str) -> dict[str, Any] | None:
        if self.fixed:
            return {}
        match = self.pattern.fullmatch(path)
        if match is None:
            return None
        try:
            return {
                name: self.convertors[name].convert(value)
                for name, value in match.groupdict().items()
            }
        except ValueError:  # more digits than int() takes
            return None


class Found(NamedTuple):
    """A match. ``path`` is the form of the whole path (``scope["path"]``) that matched."""

    entry: Entry
    params: dict[str, Any]
    path: str


class Known(NamedTuple):
    """What can be said of a path that no route takes with this method.

    ``methods`` are those of all routes that match the path, ``first`` is the first of them with a
    target; ``unclear`` where a route matches and does not tell its methods.
    """

    methods: frozenset[str]
    first: Found | None
    unclear: bool


class _Node:
    __slots__ = ("ends", "literal", "tails", "wild")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.wild: _Node | None = None
        self.ends: list[Entry] = []
        self.tails: list[Entry] = []

    def add(self, entry: Entry) -> None:
        node = self
        for segment in entry.segments:
            names = [name for name, _ in PARAM_REGEX.findall(segment)]
            if not names:
                node = node.literal.setdefault(segment, _Node())
            elif all(type(entry.convertors[name]) in _WITHIN_A_SEGMENT for name in names):
                node.wild = node.wild or _Node()
                node = node.wild
            else:
                node.tails.append(entry)
                return
        (node.ends if entry.segments else node.tails).append(entry)

    def collect(self, segments: list[str], at: int, found: list[Entry]) -> None:
        """Add the entries that the segments from ``at`` on may lead to."""
        node = self
        while True:
            found += node.tails
            if at == len(segments):
                found += node.ends
                return
            child, wild = node.literal.get(segments[at]), node.wild
            at += 1
            if child is None:
                if wild is None:
                    return
                child = wild
            elif wild is not None:
                wild.collect(segments, at, found)
            node = child


class Index:
    """All routes of a router, as they were when it was built."""

    def __init__(self, leaves: Iterable[Leaf], *, last_resort: bool) -> None:
        self.last_resort = last_resort
        entries = [Entry(order, leaf) for order, leaf in enumerate(leaves)]
        _serve_head(entries)
        self._root = _Node()
        for entry in entries:
            self._root.add(entry)
        self._fixed: dict[str, dict[str, Entry]] = {}
        for entry in entries:
            if entry.fixed:
                self._shorten(entry)

    def _shorten(self, entry: Entry) -> None:
        """Note the methods for which the entry is the certain answer to its path."""
        by_method = self._fixed.setdefault(entry.key, {})
        earlier = [
            other
            for other in self._candidates(entry.key)
            if other.order < entry.order and (other.fixed or other.may_match(entry.key))
        ]
        for method in entry.methods or ():
            if not any(other.takes(method) for other in earlier):
                by_method[method] = entry

    def fixed(self, path: str, method: str) -> Entry | None:
        """Give the entry of a fixed path, where no other can come before it."""
        # key_of(), written out: this line runs for every request.
        key = path[:-1] if path[-1:] == "/" and path[-2:] != "//" else path
        by_method = self._fixed.get(key)
        return None if by_method is None else by_method.get(method)

    def find(self, scope: Scope, path: str) -> Found | None:
        """Give the first declared route that takes the path (below ``root_path``) and method."""
        key, method = key_of(path), scope["method"]
        candidates = [entry for entry in self._candidates(key) if entry.takes(method)]
        for entry in candidates:
            found = entry.match(scope, key=key, path=path)
            if found is not None:
                return found
        for entry in candidates:
            if not entry.simple:
                found = entry.match(scope, key=key, path=other_form(path))
                if found is not None:
                    return found
        return None

    def known(self, scope: Scope, path: str) -> Known:
        """Tell what routes match the path, whatever their methods."""
        methods: set[str] = set()
        first, unclear, key = None, False, key_of(path)
        for entry in self._candidates(key):
            for form in (path, other_form(path)):
                found = entry.match(scope, key=key, path=form, least=Match.PARTIAL)
                if found is not None:
                    break
            else:
                continue
            methods.update(entry.methods or ())
            unclear = unclear or entry.methods is None
            if first is None and entry.leaf.target is not None:
                first = found
        if methods:
            methods.add("OPTIONS")
        return Known(frozenset(methods), first, unclear)

    def _candidates(self, key: str) -> Sequence[Entry]:
        found: list[Entry] = []
        self._root.collect(key.split("/"), 0, found)
        found.sort(key=_BY_ORDER)
        return found


def _serve_head(entries: list[Entry]) -> None:
    """Let GET routes serve HEAD too, but where the same path has a HEAD route of its own."""
    own = {
        entry.key
        for entry in entries
        if entry.leaf.target is not None and entry.methods is not None and "HEAD" in entry.methods
    }
    for entry in entries:
        if entry.leaf.target is None or entry.methods is None or entry.key in own:
            continue
        if "GET" in entry.methods:
            entry.methods |= {"HEAD"}
