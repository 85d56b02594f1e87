"""Raw sockets against a server with short times, on both parsers."""

import asyncio
import json
from contextlib import suppress

import pytest

from mainstay.cli.serving.compiled import CompiledHttpProtocol
from mainstay.cli.serving.heads import MAX_HEAD_BYTES
from mainstay.cli.serving.plain import PlainHttpProtocol

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LONGEST = 10
"""Seconds after which a test gives up."""


@pytest.fixture(params=[CompiledHttpProtocol, PlainHttpProtocol], ids=["compiled", "plain"])
def protocol(request):
    return request.param


@pytest.fixture
def play(serving):
    """Run ``scene(reader, writer)`` on a connection of its own and give what it gives."""

    def run(protocol, scene, **settings):
        async def on_connection():
            given = {"HEADER_TIMEOUT_SECONDS": 0.3, "KEEP_ALIVE_SECONDS": 1} | settings
            async with serving(http=protocol, **given) as server, asyncio.timeout(LONGEST):
                reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
                try:
                    return await scene(reader, writer)
                finally:
                    writer.close()
                    with suppress(OSError):
                        await writer.wait_closed()

        return asyncio.run(on_connection())

    return run


async def trickle(reader, writer, data, pause):
    """Send byte after byte until the other side closes; says whether it did before the end."""
    end = asyncio.create_task(reader.read())
    for byte in data:
        with suppress(OSError):
            writer.write(bytes([byte]))
            await writer.drain()
        await asyncio.wait([end], timeout=pause)
        if end.done():
            return True
    end.cancel()
    return False


async def answer(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    return head, await reader.readexactly(length)


def test_a_silent_connection_is_closed(play, protocol):
    async def scene(reader, writer):
        return await reader.read()

    assert play(protocol, scene) == b""


def test_headers_that_trickle_in_are_not_waited_for(play, protocol):
    async def scene(reader, writer):
        return await trickle(reader, writer, b"GET / HTTP/1.1\r\nX: " + b"a" * 200, 0.05)

    assert play(protocol, scene)


def test_headers_that_trickle_in_on_a_used_connection_are_not_waited_for(play, protocol):
    async def scene(reader, writer):
        writer.write(GET)
        await answer(reader)
        return await trickle(reader, writer, b"GET / HTTP/1.1\r\nX: " + b"a" * 200, 0.05)

    assert play(protocol, scene)


def test_blank_lines_do_not_keep_a_connection_open(play, protocol):
    async def scene(reader, writer):
        writer.write(GET)
        await answer(reader)
        return await trickle(reader, writer, b"\r\n" * 25, 0.1)

    assert play(protocol, scene)


def test_a_request_in_pieces_is_served(play, protocol):
    async def scene(reader, writer):
        for piece in (GET[:5], GET[5:20], GET[20:]):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.02)
        return await answer(reader)

    head, body = play(protocol, scene)
    assert head.startswith(b"HTTP/1.1 200")
    assert b"server:" not in head.lower()
    assert b"date:" in head.lower()
    assert body == b"ok"


def test_an_answer_may_take_longer_than_headers(play, protocol):
    async def scene(reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET ")  # the next one begins meanwhile
        first = await answer(reader)
        writer.write(b"/ HTTP/1.1\r\nHost: x\r\n\r\n")
        return first, await answer(reader)

    first, second = play(protocol, scene)
    assert first[1] == second[1] == b"ok"


def test_several_requests_use_one_connection(play, protocol):
    async def scene(reader, writer):
        bodies = []
        for _ in range(3):
            writer.write(GET)
            bodies.append((await answer(reader))[1])
        return bodies

    assert play(protocol, scene) == [b"ok"] * 3


@pytest.mark.parametrize(
    "data",
    [
        b"NONSENSE\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_cannot_be_parsed_is_answered_with_a_problem(play, protocol, data):
    async def scene(reader, writer):
        writer.write(data)
        return await reader.read()

    head, _, body = play(protocol, scene).partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    problem = json.loads(body)
    assert lines[0] == b"HTTP/1.1 400 Bad Request"
    assert b"content-type: application/problem+json" in lines
    assert b"connection: close" in lines
    assert problem["status"] == 400
    assert problem["code"] == "bad_request"
    assert f"x-request-id: {problem['request_id']}".encode() in lines


def test_nonsense_does_not_cut_into_an_answer_under_way(play, protocol):
    async def scene(reader, writer):
        writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nNONSENSE\r\n\r\n")
        return await reader.read()

    sent = play(protocol, scene)
    assert not sent or sent.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("start", "status"), [(b"GET /", 414), (b"GET / HTTP/1.1\r\nA: b\r\nX: ", 431)]
)
def test_a_head_without_an_end_is_refused(play, start, status):
    async def scene(reader, writer):
        writer.write(start)
        for _ in range(3):
            writer.write(b"a" * (MAX_HEAD_BYTES // 2))
            await writer.drain()
            await asyncio.sleep(0.02)
        return await reader.readline()

    given = {"HEADER_TIMEOUT_SECONDS": 5}
    assert play(CompiledHttpProtocol, scene, **given).split(b" ")[1] == str(status).encode()
    assert play(PlainHttpProtocol, scene, **given).split(b" ")[1] == b"400"
