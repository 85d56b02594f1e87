from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mainstay.core.settings.values import (
    format_size,
    host_of,
    parse_email,
    parse_host,
    parse_host_pattern,
    parse_network,
    parse_networks,
    parse_origin,
    parse_prefix,
    parse_proxies,
    parse_redis_url,
    parse_size,
    parse_web_url,
)

MEGABYTE = 1024**2


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("2048", 2048),
        ("100b", 100),
        ("1k", 1024),
        ("10mb", 10 * MEGABYTE),
        ("10 MB", 10 * MEGABYTE),
        (" 10MiB ", 10 * MEGABYTE),
        ("1.5gb", 1536 * MEGABYTE),
        (7, 7),
    ],
)
def test_a_size_is_read_in_steps_of_1024(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text",
    ["", "mb", "-1", "10 meters", "1e6", "10mbb", "٣mb", "1_000", True, -1, 1.5, None, "1.mb"],
)
def test_other_sizes_are_refused(text):
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@given(st.integers(min_value=0, max_value=10**15))
def test_a_size_as_text_is_read_back(size):
    assert parse_size(format_size(size)) == size


@given(
    st.integers(min_value=0, max_value=10**6),
    st.sampled_from(
        [("", 1), ("b", 1), ("k", 1024), ("KB", 1024), ("mib", MEGABYTE), ("g", 1024**3)]
    ),
)
def test_a_size_is_its_number_times_its_unit(number, unit):
    name, factor = unit
    assert parse_size(f"{number}{name}") == number * factor


@given(st.text(max_size=20))
def test_any_text_is_a_size_or_a_value_error(text):
    try:
        size = parse_size(text)
    except ValueError:
        size = 0
    assert size >= 0


def test_networks_are_read_from_text_json_and_lists():
    expected = (IPv4Network("10.0.0.0/8"), IPv6Network("::1/128"))
    assert parse_networks("10.0.0.0/8, ::1") == expected
    assert parse_networks('["10.0.0.0/8", "::1"]') == expected
    assert parse_networks(["10.0.0.0/8", "::1", "::1/128"]) == expected
    assert parse_networks("") == ()


def test_a_star_is_every_address():
    assert parse_networks("*") == (IPv4Network("0.0.0.0/0"), IPv6Network("::/0"))


@pytest.mark.parametrize(
    "text", ["10.0.0.1/8", "10.0.0", "example.com", "10.0.0.0/33", "[1]", 7, [7]]
)
def test_what_is_no_network_is_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011  (the words are ipaddress's own)
        parse_networks(text)


@given(st.ip_addresses(), st.integers(min_value=0, max_value=32))
def test_a_network_as_text_is_read_back(address, prefix):
    network = ip_network(f"{address}/{prefix}", strict=False)
    assert parse_network(str(network)) == parse_network(network) == network


@pytest.mark.parametrize(
    ("text", "proxies"),
    [
        ("2", 2),
        (1, 1),
        ("0", ()),
        (" 1 ", 1),
        ("10.1.0.0/16", (IPv4Network("10.1.0.0/16"),)),
        ("127.0.0.1,::1", (IPv4Network("127.0.0.1/32"), IPv6Network("::1/128"))),
    ],
)
def test_proxies_are_hops_or_networks(text, proxies):
    assert parse_proxies(text) == proxies


@pytest.mark.parametrize("text", ["33", "999", "-1", "1.5", True, "10.0.0.1/8", "proxy", 33, -1])
def test_other_proxies_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_proxies(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
        ("::", "::"),
        ("LocalHost", "localhost"),
        ("shop_db.internal", "shop_db.internal"),
    ],
)
def test_a_host_is_an_address_or_a_name(text, host):
    assert parse_host(text) == host


@pytest.mark.parametrize(
    "text", ["", "256.1.1.1", "http://x", "a b", "x:80", "-x", "x..y", "a" * 300, None, "*", "1.2"]
)
def test_other_hosts_are_refused(text):
    with pytest.raises(ValueError, match="not a host"):
        parse_host(text)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("*", "*"),
        ("*.Example.com", "*.example.com"),
        ("example.com:8000", "example.com:8000"),
        ("[::1]", "[::1]"),
        ("[::1]:8000", "[::1]:8000"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_a_host_pattern_has_a_star_in_front_or_none(text, pattern):
    assert parse_host_pattern(text) == pattern


@pytest.mark.parametrize(
    "text",
    ["", "https://example.com", "a.*.com", "x:0", "x:y", "x:99999", "[::1]x", "[x]", "[::1]:", 1],
)
def test_other_host_patterns_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_host_pattern(text)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.com/", "https://example.com"),
        ("HTTPS://Example.com:443/App/", "https://example.com/App"),
        ("http://localhost:5173", "http://localhost:5173"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_a_web_url_is_brought_to_one_form(text, url):
    assert parse_web_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "example.com",
        "ftp://example.com",
        "https://",
        "https://u:p@example.com",
        "https://example.com/?a=1",
        "https://example.com/#x",
        "https://exa mple.com",
        "https://example.com/a\nb",
        "https://example.com:0",
        "https://example.com:",
        "https://example.com\\@evil.test",
        "//example.com",
        None,
    ],
)
def test_other_web_urls_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_web_url(text)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("*", "*"),
        ("http://localhost:5173/", "http://localhost:5173"),
        ("https://App.Example.com:443", "https://app.example.com"),
        ("http://x:443", "http://x:443"),
        ("capacitor://localhost", "capacitor://localhost"),
    ],
)
def test_an_origin_is_as_browsers_send_it(text, origin):
    assert parse_origin(text) == origin


@pytest.mark.parametrize(
    "text",
    ["null", "example.com", "https://example.com/app", "https://*.example.com", "https://a@b", ""],
)
def test_other_origins_are_refused(text):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_origin(text)


@pytest.mark.parametrize(
    ("text", "prefix"),
    [("/api/v1", "/api/v1"), ("api/v1/", "/api/v1"), ("", ""), ("/", ""), ("//api", "/api")],
)
def test_a_prefix_begins_with_a_slash_and_ends_without(text, prefix):
    assert parse_prefix(text) == prefix


@pytest.mark.parametrize("text", ["/a//b", "/a b", "/{x}", "/../x", "/a?b", "/ä", None])
def test_other_prefixes_are_refused(text):
    with pytest.raises(ValueError, match="not a path"):
        parse_prefix(text)


@given(st.text(max_size=12))
def test_a_prefix_of_a_prefix_is_itself(text):
    try:
        prefix = parse_prefix(text)
    except ValueError:
        return
    assert parse_prefix(prefix) == prefix
    assert not prefix or (prefix.startswith("/") and not prefix.endswith("/"))


@pytest.mark.parametrize(
    "url",
    ["redis://localhost:6379/0", "rediss://u:p@h:6380/1", "unix:///run/redis.sock", "redis://"],
)
def test_redis_urls_stay_as_they_are(url):
    assert parse_redis_url(url) == url


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://x", "redis:/x", "redis://h:x", "redis://a b", "unix://", None]
)
def test_other_redis_urls_are_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011
        parse_redis_url(url)


def test_an_email_has_one_at_sign_between_two_sides():
    assert parse_email(" ada@example.com ") == "ada@example.com"
    for text in ("ada", "@x", "a@", "a@b@c", "a b@c", None):
        with pytest.raises(ValueError, match="not an e-mail address"):
            parse_email(text)


def test_the_host_of_a_url_is_as_in_a_host_header():
    assert host_of("https://shop.example:8443/app") == "shop.example"
    assert host_of("http://[::1]:8000") == "[::1]"
