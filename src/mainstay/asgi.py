"""The stock application, for ``uvicorn mainstay.asgi:app``."""

from mainstay.app import create_app

app = create_app()
