"""Plug points: a Protocol, a default beside it, and a dotted path in `LAVKA` that names another."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string


@dataclass(frozen=True)
class Plug[P]:
    """What `LAVKA[setting]` names: a class without arguments that keeps to `protocol`.

    A room makes one beside its Protocol, calls it for the implementation, and registers
    `problems` as a system check in its `checks.py`.
    """

    setting: str
    protocol: type[P]
    default: str
    check_id: str

    def __call__(self) -> P:
        """The implementation, made once a process."""
        implementation: P = _made(self._path)
        return implementation

    def problems(self) -> list[CheckMessage]:
        """The system check: the path leads to a class that has every method of the Protocol."""
        try:
            made = _made(self._path)
        except (ImportError, TypeError, AttributeError, ValueError) as fault:
            return [self._error(f"names {self._path!r}, which cannot be used: {fault}")]
        missing = [
            name
            for name in vars(self.protocol)
            if not name.startswith("_") and not callable(getattr(made, name, None))
        ]
        return [self._error(f"names {self._path!r}, which has no {name}()") for name in missing]

    @property
    def _path(self) -> str:
        return str(settings.LAVKA.get(self.setting, self.default))

    def _error(self, text: str) -> CheckMessage:
        return Error(f"LAVKA['{self.setting}'] {text}.", id=self.check_id)


@cache
def _made(path: str) -> Any:
    return import_string(path)()
