"""Lavka without the answers that it keeps for an instant: what a page costs that is not hot."""

from config.asgi import application
from lavka.web.views import View

View.hot_seconds = 0

__all__ = ["application"]
