"""What Django's own forms change in accounts and rights, for the security log."""

from collections.abc import Collection, Iterable
from typing import Any

from django.contrib.auth.models import Group

from lavka.accounts.models import User
from lavka.kernel import security_log
from lavka.kernel.security_log import Object, SecurityEvent

FLAGS = ("is_staff", "is_superuser")


def log_account(user: User, changed: Collection[str], *, is_new: bool) -> None:
    """A new account, another address, and whether the account is active."""
    on = Object("user", user.pk)
    if is_new:
        security_log.record(SecurityEvent.ACCOUNT_CREATED, on)
    if "email" in changed:
        is_verified = user.is_email_verified
        security_log.record(SecurityEvent.EMAIL_CHANGED, on, is_verified=is_verified)
    if "is_active" in changed:
        active, inactive = SecurityEvent.ACCOUNT_ACTIVATED, SecurityEvent.ACCOUNT_DEACTIVATED
        security_log.record(active if user.is_active else inactive, on)


def rights_of(user: User) -> set[str]:
    """A user's groups and permissions of their own."""
    groups = {f"group {name}" for name in user.groups.values_list("name", flat=True)}
    return groups | _named(user.user_permissions)


def log_rights(user: User, before: set[str], changed: Collection[str]) -> None:
    """Flags, groups and permissions that a form changed, in one record."""
    flags = {name: getattr(user, name) for name in FLAGS if name in changed}
    after = rights_of(user)
    if flags or after != before:
        security_log.record(
            SecurityEvent.RIGHTS_CHANGED,
            Object("user", user.pk),
            **flags,
            added=after - before,
            removed=before - after,
        )


def permissions_of(group: Group) -> set[str]:
    """What the members of a group may."""
    return _named(group.permissions)


def log_group(group: Group, before: set[str], changed: Collection[str], *, is_new: bool) -> None:
    """A group that a form made or changed."""
    after = permissions_of(group)
    if is_new or changed or after != before:
        security_log.record(
            SecurityEvent.GROUP_CREATED if is_new else SecurityEvent.GROUP_CHANGED,
            Object("group", group.pk, group.name),
            added=after - before,
            removed=before - after,
        )


def log_deletion(event: SecurityEvent, kind: str, rows: Iterable[Any]) -> None:
    """Rows that are about to be deleted."""
    for row in rows:
        name = row.name if isinstance(row, Group) else ""
        security_log.record(event, Object(kind, row.pk, name))


def _named(permissions: Any) -> set[str]:
    rows = permissions.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in rows}
