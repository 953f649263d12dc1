"""Who may call what: one row per operation of the API's description, as a page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_INTRODUCTION = """\
# Authorization

Who may call each operation. Generated from the security requirements of the API's description
(`docs/openapi.yaml`) by `lavka manage authorization`; `tests/contract/test_authorization.py` calls
every operation as each role and compares.

- **Anonymous**: without a token. **Customer**: with an access token.
- **Staff**: a member of the staff with the permission named here, of their own or of a group. What
  customers may do, staff may too.
- **Superuser**: a member of the staff who holds every permission.
- **API key**: a program with a key of the scope named here, while whoever made the key holds the
  permission of that row. No scope allows a write. Where no scope is named, a request with a key is
  refused; `ignored` means that the operation looks at no token and at no key.

Who lacks a token or sends a wrong one is answered with 401, who lacks the permission or the scope
with 403. Whose object it is, the table does not say: another customer's cart, order, address or
wishlist is 404 (`tests/contract/test_strangers.py`). `revoke_api_key` also is 403 for a key that
somebody else made, except to superusers.

| operation | method and path | anonymous | customer | staff | superuser | API key |
| --- | --- | --- | --- | --- | --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Access:
    """The security requirements of one operation."""

    operation: str
    method: str
    path: str
    # Without any token; with the token of a session, from staff with `permission` if one is named;
    # with an API key of `scope` if one is named.
    is_public: bool
    takes_token: bool
    permission: str
    scope: str

    @property
    def allows_customers(self) -> bool:
        """Whether a customer may call it."""
        return not self.permission

    def allows_staff(self, permissions: frozenset[str]) -> bool:
        """Whether a member of the staff with `permissions` may call it, who is no superuser."""
        return not self.permission or self.permission in permissions

    def allows_key(self, scopes: frozenset[str]) -> bool:
        """Whether a request with a key of `scopes` is let through."""
        return self.scope in scopes or not self.takes_token


def access_of(schema: Mapping[str, Any]) -> Iterator[Access]:
    """The security requirements of every operation, in the order of the description."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            required: dict[str, list[str]] = {}
            for alternative in operation["security"]:
                required |= alternative
            yield Access(
                operation=operation["operationId"],
                method=method.upper(),
                path=path,
                is_public={} in operation["security"],
                takes_token="bearer" in required,
                permission="".join(required.get("bearer", ())),
                scope="".join(required.get("api_key", ())),
            )


def page(schema: Mapping[str, Any]) -> str:
    """The table in Markdown."""
    return _INTRODUCTION + "".join(_row(access) for access in access_of(schema))


def _row(access: Access) -> str:
    cells = (
        f"`{access.operation}`",
        f"{access.method} `{access.path}`",
        "yes" if access.is_public else "no",
        "yes" if access.allows_customers else "no",
        f"`{access.permission}`" if access.permission else "yes",
        "yes",
        _key(access),
    )
    return f"| {' | '.join(cells)} |\n"


def _key(access: Access) -> str:
    if not access.takes_token:
        return "ignored"
    return f"`{access.scope}`" if access.scope else "no"
