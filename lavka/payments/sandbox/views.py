"""The page where a customer would prove who they are: here they choose how it ends."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from lavka.kernel.actors import Actor, acting
from lavka.kernel.money import Money
from lavka.kernel.threads import in_thread
from lavka.payments.sandbox import provider
from lavka.payments.sandbox.models import Charge


@require_http_methods(["GET", "POST"])
async def challenge(request: HttpRequest, page_key: UUID) -> HttpResponse:
    """Show the charge and its two ends; whoever knows its key may choose."""
    try:
        charge = await in_thread(Charge.objects.get, page_key=page_key)
    except Charge.DoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        is_confirmed = request.POST.get("answer") == "confirm"
        with acting(Actor.provider("sandbox")):
            await in_thread(provider.confirm_charge, charge_id=charge.pk, is_confirmed=is_confirmed)
        return redirect(charge.return_url or request.path)
    page: dict[str, Any] = {
        "amount": Money(charge.amount, charge.currency),
        "status": charge.get_status_display(),
        "is_open": charge.status == Charge.Status.WAITS_FOR_CUSTOMER,
        "return_url": charge.return_url,
    }
    return render(request, "sandbox/challenge.html", page)
