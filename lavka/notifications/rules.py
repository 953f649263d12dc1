"""Which mails share a budget."""

from collections.abc import Mapping

# What a mail that is not named here is about follows from the beginning of its kind.
_PURPOSES: Mapping[str, str] = {
    "reset_password": "recovery",
    "sign_in": "recovery",
    "password_changed": "recovery",
    "email_change_requested": "recovery",
    "email_changed": "recovery",
    "back_in_stock": "alert",
}


def purpose_of(kind: str) -> str:
    """The budget of a kind of mail: `account`, `recovery`, `order` or `alert`.

    Each has its own, so that nobody keeps a mail that lets somebody in from coming by ordering
    things in their name.
    """
    if kind.startswith(("order_", "return_", "invoice_")):
        return "order"
    return _PURPOSES.get(kind, "account")
