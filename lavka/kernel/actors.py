"""Who makes a change: known where a request, a task or a command begins, written down with it.

A service that writes history takes its `actor` as an argument and is decorated with `in_name_of`;
every event that is published meanwhile names the same one. Where nobody passes one on, as in the
signals of changed rows, an event names whoever the edge has said with `acting`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db.models import JSONField, OuterRef, Subquery, TextChoices
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.expressions import Expression


class ActorKind(TextChoices):
    """Who changes things; a guest is a customer without an account."""

    STAFF = "staff", _("staff")
    API_KEY = "api_key", _("API key")
    CUSTOMER = "customer", _("customer")
    GUEST = "guest", _("guest")
    PROVIDER = "provider", _("payment provider")
    IMPORT = "import", pgettext_lazy("who made a change", "import")
    SYSTEM = "system", _("the shop itself")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change.

    `id` is that of the user or the API key. `name` says which key, provider, import or job; it is
    never that of a person, whose name is looked up for those who may see it.
    """

    kind: ActorKind
    id: UUID | None = None
    name: str = ""

    @classmethod
    def staff(cls, user_id: UUID | None) -> Actor:
        """Somebody of the shop."""
        return cls(ActorKind.STAFF, user_id)

    @classmethod
    def api_key(cls, key_id: UUID, name: str = "") -> Actor:
        """A program with a key."""
        return cls(ActorKind.API_KEY, key_id, name)

    @classmethod
    def customer(cls, user_id: UUID | None = None) -> Actor:
        """A customer; without an account a guest."""
        return cls(ActorKind.GUEST if user_id is None else ActorKind.CUSTOMER, user_id)

    @classmethod
    def provider(cls, method: str) -> Actor:
        """The provider of a payment method, which told something on its own."""
        return cls(ActorKind.PROVIDER, name=method)

    @classmethod
    def importer(cls, source: str) -> Actor:
        """An import of this file."""
        return cls(ActorKind.IMPORT, name=source)

    @classmethod
    def system(cls, job: str) -> Actor:
        """A task or command of the shop."""
        return cls(ActorKind.SYSTEM, name=job)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Actor:
        """What `as_json` made."""
        key = said.get("id")
        return cls(ActorKind(said["kind"]), UUID(key) if key else None, said.get("name", ""))

    def __str__(self) -> str:
        """As `shown`, where nobody has looked the person up."""
        return self.shown(None)

    def shown(self, email: str | None) -> str:
        """For the staff's pages; `email` is that of the person, if it is one."""
        which = email or self.name or self.id
        return f"{self.kind.label}: {which}" if which else str(self.kind.label)

    @property
    def user_id(self) -> UUID | None:
        """The person, if it is one with an account."""
        return self.id if self.kind in {ActorKind.STAFF, ActorKind.CUSTOMER} else None

    def as_json(self) -> dict[str, str | None]:
        """The wire shape: `{"kind": "staff", "id": "…", "name": ""}`."""
        return {
            "kind": str(self.kind),
            "id": str(self.id) if self.id else None,
            "name": self.name,
        }


# Who stands in rows that were written before there was a column for it.
UNKNOWN = {"kind": "system", "id": None, "name": ""}


class ActorField(JSONField):
    """An `Actor` in a column, as its wire shape."""

    def from_db_value(
        self, value: Any, expression: Expression, connection: BaseDatabaseWrapper
    ) -> Actor | None:
        """Read it."""
        said = super().from_db_value(value, expression, connection)
        return None if said is None else Actor.from_json(said)

    def get_db_prep_value(
        self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False
    ) -> Any:
        """Write it."""
        said = value.as_json() if isinstance(value, Actor) else value
        return super().get_db_prep_value(said, connection, prepared)

    def value_to_string(self, obj: Any) -> Any:
        """For a dump."""
        actor = self.value_from_object(obj)
        return actor.as_json() if isinstance(actor, Actor) else actor


def email_of(user_id: Any) -> Subquery:
    """The address of the user whose id a column or expression has: to show staff who it was."""
    users = get_user_model()._default_manager.filter(pk=OuterRef(user_id))
    return Subquery(users.values("email")[:1])


_current: ContextVar[Actor | None] = ContextVar("actor", default=None)


def current() -> Actor:
    """Whoever acts here; the process itself where nobody has said so."""
    return _current.get() or Actor.system(_process())


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Say who acts in this block."""
    token = _current.set(actor)
    try:
        yield
    finally:
        _current.reset(token)


def in_name_of[**P, T](service: Callable[P, T]) -> Callable[P, T]:
    """Have the events of a service name the `actor` that it is called with."""

    @wraps(service)
    def named(*args: P.args, **kwargs: P.kwargs) -> T:
        actor: Any = kwargs["actor"]
        with acting(actor):
            return service(*args, **kwargs)

    return named


def _process() -> str:
    """What the process was started as: the name of a command of Django, or of a program."""
    program, *arguments = sys.argv or [""]
    name = Path(program).name
    if name in {"manage.py", "lavka"} and arguments:
        given = [each for each in arguments if each != "manage"]
        return given[0] if given else name
    return name or "python"
