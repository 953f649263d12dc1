"""Product options: one `LAVKA` dict in the settings, a property each, proved at start."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings


@dataclass(frozen=True)
class Options:
    """Reads `settings.LAVKA` at every access, so that tests may override it."""

    @property
    def currency(self) -> str:
        """The shop's currency, ISO 4217. Default: USD."""
        return str(self._read("CURRENCY", "USD"))

    @property
    def shop_name(self) -> str:
        """What pages and mails call the shop. Default: Lavka."""
        return str(self._read("SHOP_NAME", "Lavka"))

    @property
    def seller(self) -> dict[str, Any]:
        """Who sells, as invoices name them: `name`, `address` (lines), `vat_number`,
        `tax_number`, `register` and `contact`. Default: `shop_name` alone.
        """
        return dict(self._read("SELLER", {}))

    @property
    def invoice_prefix(self) -> str:
        """What the numbers of invoices begin with. Default: INV-."""
        return str(self._read("INVOICE_PREFIX", "INV-"))

    @property
    def credit_note_prefix(self) -> str:
        """What the numbers of credit notes begin with. Default: CN-."""
        return str(self._read("CREDIT_NOTE_PREFIX", "CN-"))

    @property
    def shop_url(self) -> str:
        """Where the shop front is; links in mails start with it. No slash at the end."""
        return str(self._read("SHOP_URL", "http://127.0.0.1:8000")).rstrip("/")

    @property
    def links(self) -> dict[str, str]:
        """Pages of the shop front that mails lead to, by the kind of link (`kernel/links.py`).

        Relative to `shop_url` or absolute. Default: the shop's own pages, at the same paths.
        """
        return dict(self._read("LINKS", {}))

    @property
    def prices_include_tax(self) -> bool:
        """Whether prices, also of shipping, contain their tax already. Default: it is added."""
        return bool(self._read("PRICES_INCLUDE_TAX", False))

    @property
    def reviews_need_approval(self) -> bool:
        """Hold each new review until staff approve it. Default: publish at once."""
        return bool(self._read("REVIEWS_NEED_APPROVAL", False))

    @property
    def are_limits_on(self) -> bool:
        """Whether rate limits apply; off only for a load test. Default: on."""
        return bool(self._read("THROTTLES", True))

    @property
    def events_kept_days(self) -> int:
        """How long the log keeps events, to the end of a month. Default: 90."""
        return int(self._read("EVENTS_KEPT_DAYS", 90))

    @property
    def carts_kept_days(self) -> int:
        """How long a cart is kept after its last change. Default: 30."""
        return int(self._read("CARTS_KEPT_DAYS", 30))

    @property
    def drafts_kept_days(self) -> int:
        """How long quotes, and drafts that became no order, are kept. Default: 90."""
        return int(self._read("DRAFTS_KEPT_DAYS", 90))

    @property
    def payment_gateways(self) -> dict[str, str]:
        """The payment methods that customers may choose, each with its gateway's dotted path."""
        return dict(self._read("PAYMENT_GATEWAYS", {}))

    @property
    def captures_at_once(self) -> bool:
        """Take the money when it is authorised, not when staff say so. Default: at once."""
        return bool(self._read("CAPTURES_AT_ONCE", True))

    @property
    def hold_seconds(self) -> int:
        """How long a quote keeps its stock after the customer's last step. Default: 900."""
        return int(self._read("HOLD_SECONDS", 900))

    @property
    def hold_max_seconds(self) -> int:
        """How long a quote keeps its stock at most, whatever the customer does. Default: 1800."""
        return int(self._read("HOLD_MAX_SECONDS", 1800))

    @property
    def payment_hold_seconds(self) -> int:
        """How long a checkout keeps its stock while it is being paid. Default: 90."""
        return int(self._read("PAYMENT_HOLD_SECONDS", 90))

    @property
    def guest_quotes_hold_stock(self) -> bool:
        """Whether quotes of guests keep stock as those of customers do. Default: no."""
        return bool(self._read("GUEST_QUOTES_HOLD_STOCK", False))

    @property
    def hold_window_seconds(self) -> int:
        """How long units that were kept and not bought count against limits. Default: 3600."""
        return int(self._read("HOLD_WINDOW_SECONDS", 3600))

    @property
    def hold_units(self) -> dict[str, int]:
        """Units that a `customer`, and an `address`, keep at most; 0 is no limit."""
        return {"customer": 200, "address": 500, **self._read("HOLD_UNITS", {})}

    @property
    def hold_share_percent(self) -> dict[str, int]:
        """Of what is free of a variant, the share for a `customer` and for an `address`."""
        return {"customer": 5, "address": 10, **self._read("HOLD_SHARE_PERCENT", {})}

    @property
    def unpaid_orders_kept_days(self) -> int:
        """After so many days an order that nobody has paid is cancelled. 0: never. Default: 14."""
        return int(self._read("UNPAID_ORDERS_KEPT_DAYS", 14))

    @property
    def unpaid_orders(self) -> dict[str, int]:
        """How many orders wait for their money at once: of a mailbox and from an address.

        A `customer` has proved that the mailbox is theirs, a `stranger` has not; only orders of
        strangers count for an `address`, those of a day, cancelled ones too. An order for nothing
        counts until it is sent. 0 is no limit.
        """
        return {"stranger": 3, "customer": 20, "address": 10, **self._read("UNPAID_ORDERS", {})}

    @property
    def mails_a_day(self) -> dict[str, int]:
        """How many mails a mailbox gets in a day that nobody has proved to be theirs, by purpose.

        `account`, `recovery`, `order` and `alert`; 0 is no limit. `recovery` is for accounts of
        further spellings: the first of a mailbox is bounded by the pauses between its mails.
        """
        return {"account": 10, "recovery": 20, "order": 10, "alert": 10} | {
            **self._read("MAILS_A_DAY", {})
        }

    @property
    def stripe(self) -> dict[str, str]:
        """`secret_key`, `webhook_secret`, `publishable_key` of the Stripe gateway.

        For tests also `api_base`.
        """
        return dict(self._read("STRIPE", {}))

    @property
    def webhooks_allow_private(self) -> bool:
        """Let webhooks go to this network and over plain HTTP, to develop with. Default: no."""
        return bool(self._read("WEBHOOKS_ALLOW_PRIVATE", False))

    @property
    def webhooks_allow_loopback(self) -> bool:
        """Let webhooks go to this machine, also over plain HTTP. Default: under `lavka up` only."""
        return bool(self._read("WEBHOOKS_ALLOW_LOOPBACK", False))

    @property
    def keys(self) -> dict[str, list[str]]:
        """Secrets for single purposes, in place of SECRET_KEY, the one that signs first."""
        return {purpose: list(secrets) for purpose, secrets in self._read("KEYS", {}).items()}

    @property
    def order_links_days(self) -> int:
        """How long the link to an order opens it, from the day it was made. Default: 90."""
        return int(self._read("ORDER_LINKS_DAYS", 90))

    @property
    def valkey_url(self) -> str:
        """Where rate limits are counted: `redis://host:port/db` or `unix://path?db=0`."""
        return str(self._read("VALKEY_URL", "redis://127.0.0.1:6379/0"))

    def _read(self, name: str, default: Any) -> Any:
        return settings.LAVKA.get(name, default)


options = Options()
