"""Proves at start that every payment gateway of the settings is one."""

import inspect
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.utils.module_loading import import_string

from lavka.kernel.conf import options
from lavka.payments.gateways.protocol import Gateway
from lavka.payments.gateways.stripe_amounts import step_of

METHODS = [name for name, _ in inspect.getmembers(Gateway, inspect.isfunction) if name[0] != "_"]
STRIPE = "lavka.payments.gateways.stripe.Stripe"
ATTRIBUTES = ["keeps_books", "pays_later", "captures_once"]


@register()
def check_gateways(**_: Any) -> Sequence[CheckMessage]:
    """Import each gateway and ask for every part of the Protocol."""
    found: list[CheckMessage] = []
    for method, path in options.payment_gateways.items():
        setting = f"LAVKA['PAYMENT_GATEWAYS'][{method!r}]"
        try:
            gateway = import_string(path)
        except ImportError as fault:
            found.append(Error(f"{setting} cannot be imported: {fault}", id="lavka.E041"))
            continue
        missing = [name for name in METHODS + ATTRIBUTES if not hasattr(gateway, name)]
        if missing:
            names = ", ".join(missing)
            found.append(Error(f"{setting}: {path} has no {names}", id="lavka.E042"))
    return found


@register()
def check_stripe_amounts(**_: Any) -> Sequence[CheckMessage]:
    """Stripe charges some currencies in steps of more than their smallest unit."""
    step = step_of(options.currency)
    if STRIPE not in options.payment_gateways.values() or step.amount == 1:
        return []
    return [
        Warning(
            f"Stripe charges {step.currency} in steps of {str(step).split()[0]} only.",
            hint="Let prices, shipping and taxes come to such totals: a card is declined for "
            "others (`unsupported_amount`), and so is a refund.",
            id="lavka.W042",
        )
    ]


@register(Tags.security, deploy=True)
def check_sandbox(**_: Any) -> Sequence[CheckMessage]:
    """The sandbox takes no money, so an open shop must not sell for it."""
    if "sandbox" not in options.payment_gateways:
        return []
    return [
        Warning(
            "The payment method `sandbox` sells for nothing.",
            hint="Leave it out of LAVKA_PAYMENT_METHODS.",
            id="lavka.W041",
        )
    ]
