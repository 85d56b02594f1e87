"""Finding the route of a request: an index built once, instead of a walk through all routers.

``RouteIndex(app)`` stands in the place of FastAPI's router. It answers as the router does (the
first declared match wins), and besides: a trailing slash makes no difference and never redirects,
HEAD is served wherever GET is, OPTIONS tells the methods of a path, 404 and 405 are problems.
"""

from mainstay.core.http._fastapi import route_template
from mainstay.core.http.dispatch.asgi import RouteIndex

__all__ = ["RouteIndex", "route_template"]
