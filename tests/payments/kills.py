"""A process that dies at a named point: nothing after it happens, and no handler sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch


class Killed(BaseException):
    """Not an Exception, as no `except` of the product may catch a SIGKILL."""


@contextmanager
def killed(place: Any, name: str) -> Iterator[None]:
    """Die where `place.name` would be called; fails when it never is."""

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    has_died = False
    with patch.object(place, name, die):
        try:
            yield
        except Killed:
            has_died = True
    assert has_died, f"{name} was never reached"
