"""What is proved at start."""

from django.core.checks import CheckMessage, Warning, register

from lavka.kernel.conf import options

# A shop that takes its play money is there to be tried.
_SANDBOX = "lavka.payments.gateways.sandbox.Sandbox"


@register
def seller_is_named(**_: object) -> list[CheckMessage]:
    """A shop that sells in earnest says on its invoices who sells."""
    if _SANDBOX in options.payment_gateways.values():
        return []
    seller = options.seller
    missing = [name for name in ("name", "address") if not seller.get(name)]
    if not seller.get("vat_number") and not seller.get("tax_number"):
        missing.append("vat_number or tax_number")
    if not missing:
        return []
    return [
        Warning(
            f"Invoices do not say who sells: LAVKA['SELLER'] has no {', '.join(missing)}.",
            hint="Set LAVKA_SELLER_NAME, LAVKA_SELLER_ADDRESS and LAVKA_SELLER_VAT_NUMBER or"
            " LAVKA_SELLER_TAX_NUMBER.",
            id="lavka.W070",
        )
    ]
