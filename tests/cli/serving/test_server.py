"""How a server begins, and how it ends."""

import asyncio
import signal
import socket

import pytest

LONGEST = 10
GET = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def get(port, path=b"/"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET % path)
    answer = await asyncio.wait_for(reader.read(), LONGEST)
    writer.close()
    return answer


async def has_begun(running):
    while not running.server.server_state.tasks:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


def test_a_signal_turns_readiness_red_before_connections_are_refused(serving):
    async def run():
        async with serving(delay=0.5) as running:
            running.server.handle_exit(signal.SIGTERM, None)
            red = running.lifecycle.draining
            during = await get(running.port)
            await asyncio.wait_for(running.task, LONGEST)
            with pytest.raises(ConnectionRefusedError):
                await get(running.port)
            return red, during

    red, during = asyncio.run(run())
    assert red
    assert during.startswith(b"HTTP/1.1 200")


def test_a_running_request_finishes(serving):
    async def run():
        async with serving() as running:
            request = asyncio.create_task(get(running.port, b"/slow"))
            await has_begun(running)
            running.server.handle_exit(signal.SIGTERM, None)
            await asyncio.wait_for(running.task, LONGEST)
            return await request

    assert asyncio.run(run()).endswith(b"ok")


def test_a_request_that_outlasts_the_grace_is_cut_short(serving):
    async def run():
        async with serving(SHUTDOWN_GRACE_SECONDS=0) as running:
            request = asyncio.create_task(get(running.port, b"/slow"))
            await has_begun(running)
            running.server.handle_exit(signal.SIGTERM, None)
            await asyncio.wait_for(running.task, LONGEST)
            return await request

    assert not asyncio.run(run()).endswith(b"ok")


def test_a_second_interrupt_waits_for_nobody(serving):
    async def run():
        async with serving(SHUTDOWN_GRACE_SECONDS=600) as running:
            _, writer = await asyncio.open_connection("127.0.0.1", running.port)
            writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            request = asyncio.create_task(get(running.port, b"/slow"))
            await has_begun(running)
            running.server.handle_exit(signal.SIGINT, None)
            running.server.handle_exit(signal.SIGINT, None)
            await asyncio.wait_for(running.task, LONGEST)
            writer.close()
            request.cancel()
            await asyncio.wait([request])

    asyncio.run(run())


def test_what_stops_the_lifespan_is_raised(make_server):
    async def broken(scope, receive, send):
        message = "the schema is not there"
        raise RuntimeError(message)

    server, _ = make_server(broken)
    with pytest.raises(RuntimeError, match="schema"):
        asyncio.run(server.serve())


def test_what_stops_the_preparation_is_raised_before_anything_listens(make_server):
    async def refuse():
        message = "not today"
        raise RuntimeError(message)

    async def run():
        server, _ = make_server(prepare=refuse)
        with socket.socket() as bound:
            bound.bind(("127.0.0.1", 0))
            with pytest.raises(RuntimeError, match="today"):
                await server.serve([bound])
            with pytest.raises(ConnectionRefusedError):
                await get(bound.getsockname()[1])

    asyncio.run(run())


def test_it_announces_itself_once_it_answers(serving):
    said = []

    async def announce():
        said.append("here")

    async def run():
        async with serving(announce=announce) as running:
            return await get(running.port)

    assert asyncio.run(run()).startswith(b"HTTP/1.1 200")
    assert said == ["here"]
