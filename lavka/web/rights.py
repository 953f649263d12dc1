"""What a member of the staff may do, asked of the database at each request."""

from collections.abc import Collection
from functools import cache
from uuid import UUID

from django.contrib.auth import get_user_model

from lavka.kernel.database import fetch_all, fetch_one


async def is_allowed(user_id: UUID, right: str) -> bool:
    """Whether the user is active staff and holds `right`, `app.codename`, or is asked for none.

    As Django's ModelBackend would say it, in one statement on the event loop.
    Raises: Unavailable.
    """
    app, _, codename = right.partition(".")
    row = await fetch_one(
        _statement(), {"user": user_id, "right": right, "app": app, "codename": codename}
    )
    return row is not None and bool(row[0])


@cache
def _statement() -> str:
    return f"""
        SELECT %(right)s::text = '' OR {held_right()}
        FROM {get_user_model()._meta.db_table} person
        WHERE person.id = %(user)s AND person.is_active AND person.is_staff
    """  # noqa: S608 - the tables' names are the models'


async def held(user_id: UUID, asked: Collection[str]) -> frozenset[str]:
    """Which of the rights the user holds, none unless they are active staff: one statement.

    Raises: Unavailable.
    """
    rows = await fetch_all(_held_statement(), {"user": user_id, "asked": list(asked)})
    return frozenset(row[0] for row in rows)


@cache
def _held_statement() -> str:
    is_held = held_right("split_part(asked.name, '.', 1)", "split_part(asked.name, '.', 2)")
    return f"""
        SELECT asked.name
        FROM {get_user_model()._meta.db_table} person, unnest(%(asked)s::text[]) AS asked(name)
        WHERE person.id = %(user)s AND person.is_active AND person.is_staff AND {is_held}
    """  # noqa: S608 - the tables' names are the models'


@cache
def held_right(app: str = "%(app)s", codename: str = "%(codename)s") -> str:
    """SQL for whether `person` holds the right that these two expressions name."""
    user = get_user_model()
    own, groups = user.user_permissions.through._meta.db_table, user.groups.through._meta.db_table
    return f"""(
        person.is_superuser OR EXISTS (
            SELECT FROM auth_permission permission
            JOIN django_content_type kind ON kind.id = permission.content_type_id
            WHERE kind.app_label = {app} AND permission.codename = {codename} AND (
                EXISTS (
                    SELECT FROM {own} own
                    WHERE own.user_id = person.id AND own.permission_id = permission.id
                ) OR EXISTS (
                    SELECT FROM auth_group_permissions shared
                    JOIN {groups} member ON member.group_id = shared.group_id
                    WHERE member.user_id = person.id AND shared.permission_id = permission.id
                )
            )
        )
    )"""  # noqa: S608 - the tables' names are the models'
