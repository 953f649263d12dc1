"""Who may call what: every operation as each role, compared with the table in the reference."""

import re
import uuid
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import resolve
from django.utils import timezone

from lavka.accounts.models import ApiKey
from lavka.accounts.scopes import Scope
from lavka.accounts.services import keys
from lavka.web.authorization import Access, access_of, page
from tests.accounts.factories import make_customer, make_staff, token_of
from tests.client import Api
from tests.contract.test_promises import ROOT

pytestmark = pytest.mark.django_db

# What does not take a UUID, which names nothing.
PARAMETERS = {"number": "1"}
# A position that no log has reached: the stream ends before it begins.
QUERIES = {"stream_events": "?after=9000000000000000"}


@pytest.fixture(autouse=True)
def _limits_off(settings: Any) -> None:
    settings.LAVKA = settings.LAVKA | {"THROTTLES": False}


class Clerk:
    """A member of the staff, and a key of a superuser, who may now this and now that."""

    def __init__(self) -> None:
        self.user = make_staff("kernel.view_recordedevent")
        self.permissions = {
            f"{app}.{codename}": pk
            for pk, app, codename in Permission.objects.values_list(
                "pk", "content_type__app_label", "codename"
            )
        }
        self.made, self.key = keys.create_key(
            name="erp",
            scopes=list(Scope),
            created_by=make_staff().pk,
            expires_at=None,
            at=timezone.now(),
        )

    def with_permissions(self, names: Iterable[str]) -> str:
        """The token of the clerk, who holds these and no other."""
        self.user.user_permissions.set([self.permissions[name] for name in names])
        return token_of(self.user)

    def with_scopes(self, scopes: Iterable[str]) -> str:
        """The key, which has these and no other."""
        ApiKey.objects.filter(pk=self.made.pk).update(scopes=sorted(scopes))
        return self.key


@pytest.fixture
def is_let_through(api: Api) -> Callable[[Access, str], bool]:
    """Whether a request without a body, and with ids of nothing, is answered neither 401 nor 403.

    It changes nothing: what it names is not there, or what it says is missing.
    """

    def ask(access: Access, token: str = "") -> bool:
        path = re.sub(
            r"{(\w+)}", lambda name: PARAMETERS.get(name[1], str(uuid.uuid4())), access.path
        )
        assert resolve(path)
        query = QUERIES.get(access.operation, "")
        status = api.request(access.method, path + query, token=token).status_code
        assert status < 500 or status == 503, access
        return status not in {401, 403}

    return ask


def test_the_committed_table_is_the_present_one(schema: dict[str, Any]):
    """Refresh it with `lavka manage authorization`, after `docs/openapi.yaml`."""
    assert (ROOT / "docs/reference/authorization.md").read_text() == page(schema)


def test_guests_customers_and_superusers_may_what_the_table_says(
    schema: dict[str, Any], is_let_through: Callable[..., bool]
):
    customer, superuser = make_customer(), make_staff()
    table = {
        access: (access.is_public, access.allows_customers, True) for access in access_of(schema)
    }

    # A new token for each, as some end the session of their caller.
    seen = {
        access: (
            is_let_through(access),
            is_let_through(access, token_of(customer)),
            is_let_through(access, token_of(superuser)),
        )
        for access in table
    }

    assert {access for access in table if seen[access] != table[access]} == set()
    assert len(table) > 150
    assert len({*table.values()}) == 3, "public, for customers, for staff"


def test_staff_may_with_the_permission_of_the_table_and_not_with_all_others(
    schema: dict[str, Any], is_let_through: Callable[..., bool]
):
    clerk = Clerk()
    managed = [access for access in access_of(schema) if access.permission]
    used = {access.permission for access in managed}

    seen = {
        access: (
            is_let_through(access, clerk.with_permissions({access.permission})),
            is_let_through(access, clerk.with_permissions(used - {access.permission})),
        )
        for access in managed
    }

    assert {access for access in managed if seen[access] != (True, False)} == set()
    assert len(managed) > 100


def test_staff_without_any_permission_may_what_customers_may(
    schema: dict[str, Any], is_let_through: Callable[..., bool]
):
    token = Clerk().with_permissions(())
    table = list(access_of(schema))

    assert [
        access
        for access in table
        if is_let_through(access, token) != access.allows_staff(frozenset())
    ] == []


def test_a_key_may_with_the_scope_of_the_table_and_not_with_all_others(
    schema: dict[str, Any], is_let_through: Callable[..., bool]
):
    clerk, every = Clerk(), frozenset(Scope.values)
    table = list(access_of(schema))
    # A key has a scope at least: where the table names none, every one is tried.
    own = {access: frozenset({access.scope} - {""}) or every for access in table}
    tried = [(access, scopes) for access in table for scopes in (own[access], every - own[access])]

    differing = [
        (access.operation, scopes)
        for access, scopes in tried
        if scopes and is_let_through(access, clerk.with_scopes(scopes)) != access.allows_key(scopes)
    ]

    assert differing == []
    assert {access.method for access in table if access.scope} == {"GET"}
