"""Whose accounts a member of the staff may change in the admin."""

from typing import Any, cast

from django.http import HttpRequest

from lavka.accounts import selectors
from lavka.accounts.models import User


def acting_user(request: HttpRequest) -> User:
    """Who is signed in to the admin."""
    return cast("User", request.user)


class WithinReach:
    """For pages of what belongs to a user: changed and deleted only by whoever may change them."""

    def owner_of(self, obj: Any) -> User | None:
        """Whose it is; nobody's may be changed by everybody who has the right."""
        user: User | None = obj.user
        return user

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With Django's right, for users in reach."""
        admin: Any = super()
        return self._is_in_reach(request, obj) and admin.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """With Django's right, for users in reach."""
        admin: Any = super()
        return self._is_in_reach(request, obj) and admin.has_delete_permission(request, obj)

    def _is_in_reach(self, request: HttpRequest, obj: Any) -> bool:
        owner = None if obj is None else self.owner_of(obj)
        if owner is None:
            return True
        return selectors.users_in_reach(acting_user(request)).filter(pk=owner.pk).exists()
