"""200 routes behind three levels of routers: 5 x 5 routers with 8 routes each."""

from collections.abc import Callable

from fastapi import APIRouter

from harness.client import Request

OUTER = 5
MIDDLE = 5
INNER = 8
LAST = Request(
    path=f"/outer{OUTER - 1}/middle{MIDDLE - 1}/inner{INNER - 1}", contains='{"message":"hello"}'
)


async def hello() -> dict[str, str]:
    """Answer as the yardstick does."""
    return {"message": "hello"}


def nest(top: Callable[[], APIRouter] = APIRouter) -> APIRouter:
    """Return a router, made by ``top``, with all the routes."""
    root = top()
    for outer_number in range(OUTER):
        outer = APIRouter()
        for middle_number in range(MIDDLE):
            middle = APIRouter()
            for number in range(INNER):
                middle.get(f"/inner{number}")(hello)
            outer.include_router(middle, prefix=f"/middle{middle_number}")
        root.include_router(outer, prefix=f"/outer{outer_number}")
    return root
