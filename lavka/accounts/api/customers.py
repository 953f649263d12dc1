"""Staff, and programs with a key for it, look customers up."""

from uuid import UUID

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.accounts import selectors
from lavka.accounts.api.serializers import MAX_EMAIL, ProfileOutput
from lavka.accounts.models import User
from lavka.accounts.rules import normal_email
from lavka.web.pages import PageRequest, page_of
from lavka.web.parameters import refuse, text_parameter
from lavka.web.schema import PAGE_PARAMETERS, operation
from lavka.web.serializers import page_output
from lavka.web.views import StaffView, in_thread

QUERY = text_parameter("q", "Words of the name, or a part of the address.", max_length=MAX_EMAIL)
EMAIL = text_parameter("email", "The whole address.", max_length=MAX_EMAIL)


class CustomerOutput(ProfileOutput):
    """Somebody with an account; of a closed one nothing personal is left."""

    is_active = serializers.BooleanField()
    closed_at = serializers.DateTimeField(allow_null=True)


class CustomersView(StaffView):
    """Everybody with an account, newest first; the staff buy too."""

    rights = {"GET": "accounts.view_user"}

    @operation(
        "list_customers",
        "List customers",
        parameters=[*PAGE_PARAMETERS, QUERY, EMAIL],
        responses=page_output(CustomerOutput, "CustomerPage"),
    )
    async def get(self, request: Request) -> Response:
        wanted = PageRequest.of(request.query_params)
        customers = selectors.customers(query=request.query_params.get("q", ""))
        if email := request.query_params.get("email"):
            customers = customers.filter(email=_read_email(email))
        return Response(
            await in_thread(page_of, customers, order=("-id",), wanted=wanted, render=_json)
        )


class CustomerView(StaffView):
    """Somebody with an account."""

    rights = {"GET": "accounts.view_user"}

    @operation("get_customer", "Get a customer", responses=CustomerOutput)
    async def get(self, request: Request, customer_id: UUID) -> Response:
        return Response(_json(await in_thread(selectors.customers().get, pk=customer_id)))


def _read_email(text: str) -> str:
    """Raises Invalid."""
    try:
        return normal_email(text)
    except ValueError as fault:
        raise refuse("email", "invalid", _("An e-mail address is expected.")) from fault


def _json(customer: User) -> dict[str, object]:
    return dict(CustomerOutput(customer).data)
