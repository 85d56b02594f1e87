"""Assets: encodings, entity tags, and that the vendored ones are what they are said to be."""

from __future__ import annotations

import gzip
import hashlib
import re
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from mainstay.core.http.assets import FOREVER, Asset, accepts_gzip

STATIC = Path(str(resources.files("mainstay.core.http") / "static"))
THIRD_PARTY = Path(__file__).parents[3] / "THIRD_PARTY.md"
ROW = re.compile(
    r"^\|.*\| (?P<version>[\d.]+) \|.*\| `(?P<file>[\w.-]+)` \| `(?P<digest>\w{64})` \|$"
)


def test_the_vendored_files_are_those_that_are_listed():
    rows = [ROW.match(line) for line in THIRD_PARTY.read_text(encoding="utf-8").splitlines()]
    listed = {row["file"]: row["digest"] for row in rows if row is not None}
    packed = {path.name.removesuffix(".gz"): path for path in STATIC.glob("*.gz")}
    assert set(listed) == set(packed)
    for name, path in packed.items():
        plain = gzip.decompress(path.read_bytes())
        assert hashlib.sha256(plain).hexdigest() == listed[name]


def test_the_files_are_small_enough_for_the_wheel():
    assert sum(path.stat().st_size for path in STATIC.iterdir()) < 1_000_000


def test_a_packaged_asset_is_named_by_its_digest_and_served_in_both_encodings():
    asset = Asset.packaged("swagger-ui.css")
    assert re.fullmatch(r"swagger-ui-[0-9a-f]{16}\.css", asset.versioned_name)
    packed = asset.respond(Headers({"accept-encoding": "br, gzip"}), cache_control=FOREVER)
    plain = asset.respond(Headers(), cache_control=FOREVER)
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed.body) == plain.body
    assert packed.body == (STATIC / "swagger-ui.css.gz").read_bytes()
    for answer in (packed, plain):
        assert answer.headers["content-type"] == "text/css; charset=utf-8"
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["content-length"] == str(len(answer.body))
    assert packed.headers["etag"] != plain.headers["etag"]


def test_a_known_entity_tag_is_answered_without_a_body():
    asset = Asset.of("x.json", b"{}")
    etag = asset.respond(Headers(), cache_control=FOREVER).headers["etag"]
    assert not etag.startswith("W/")
    for sent in (etag, "*", f'"other", W/{etag}'):
        answer = asset.respond(Headers({"if-none-match": sent}), cache_control=FOREVER)
        assert (answer.status_code, answer.body) == (304, b"")
        assert answer.headers["etag"] == etag
        assert answer.headers["cache-control"] == FOREVER
    for sent in ("", '"other"'):
        answer = asset.respond(Headers({"if-none-match": sent}), cache_control=FOREVER)
        assert answer.status_code == 200


def test_equal_content_has_an_equal_digest():
    assert Asset.of("a.js", b"1").digest == Asset.of("a.js", b"1").digest
    assert Asset.of("a.js", b"1").digest != Asset.of("a.js", b"2").digest


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("", False),
        ("gzip", True),
        ("GZIP;q=0.5", True),
        ("br, gzip ; q=1", True),
        ("gzip;q=0", False),
        ("*", True),
        ("*;q=0", False),
        ("identity, *;q=0.1", True),
        ("gzip;q=0, *", False),
        ("br", False),
        ("gzip;q=nonsense", False),
    ],
)
def test_gzip_is_used_where_it_is_accepted(header, accepted):
    assert accepts_gzip(header) is accepted


@given(st.text(alphabet="gzip*;q=0.15, br", max_size=40))
def test_any_accept_encoding_is_read(header):
    assert accepts_gzip(header) in {True, False}


def test_our_own_scripts_and_styles_load_nothing_from_elsewhere():
    for path in STATIC.iterdir():
        if path.suffix in {".js", ".css"}:
            text = path.read_text(encoding="utf-8")
            assert "://" not in text
            assert "innerHTML" not in text
            assert "eval(" not in text
