"""What a shop front needs to begin, on the wire."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.addresses.api.serializers import CountryOutput


class LanguageOutput(Serializer):
    """A language of texts for people."""

    code = serializers.CharField(help_text=_("For `Accept-Language`."))
    name = serializers.CharField(help_text=_("In the language itself."))


class CurrencyOutput(Serializer):
    """A currency that amounts are in."""

    code = serializers.CharField(help_text="ISO 4217")
    digits = serializers.IntegerField(
        help_text=_("How many digits of an amount stand behind the point.")
    )


class ChannelOutput(Serializer):
    """Where it is sold."""

    slug = serializers.CharField()
    name = serializers.CharField()
    currency = serializers.CharField(help_text="ISO 4217")
    default_language = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    countries = serializers.ListField(
        child=serializers.CharField(), help_text=_("Where purchases are sent to.")
    )
    prices_include_tax = serializers.BooleanField()


class PaymentFieldOutput(Serializer):
    """A field of `payment` that a method takes beside `method`."""

    name = serializers.ChoiceField(["token", "return_url"])
    required = serializers.BooleanField()  # type: ignore[assignment]
    choices = serializers.ListField(
        child=serializers.CharField(),
        help_text=_("All values of a token, or the origins of an address; empty for any value."),
    )


class PaymentOptionsOutput(Serializer):
    """How a method is used."""

    fields = PaymentFieldOutput(many=True)  # type: ignore[assignment]
    actions = serializers.ListField(
        child=serializers.CharField(),
        help_text=_(
            "Types of `action` that a customer may have to take, as for 3-D Secure. `redirect` has"
            " the `url` of a page that leads back to `return_url`."
        ),
    )
    publishable_key = serializers.CharField(
        allow_null=True, help_text=_("For the provider's own script in the browser.")
    )


class PaymentMethodOutput(Serializer):
    """A way to pay."""

    code = serializers.CharField(help_text=_("The `method` of a payment."))
    name = serializers.CharField()
    options = PaymentOptionsOutput()


class PasswordRulesOutput(Serializer):
    """What a password has to be; each text is one rule for people."""

    min_length = serializers.IntegerField()
    max_length = serializers.IntegerField()
    texts = serializers.ListField(child=serializers.CharField())


class LimitsOutput(Serializer):
    """What there may be at most, and for how long."""

    cart_lines = serializers.IntegerField()
    line_quantity = serializers.IntegerField()
    page_default = serializers.IntegerField(help_text=_("Rows of a page without `limit`."))
    page_max = serializers.IntegerField()
    body_bytes = serializers.IntegerField(
        help_text=_("Of a request, unless the operation's `x-max-body-bytes` says more.")
    )
    query_characters = serializers.IntegerField()
    query_parameters = serializers.IntegerField()
    quote_seconds = serializers.IntegerField(help_text=_("How long a quote holds."))
    payment_seconds = serializers.IntegerField(
        help_text=_("How long a checkout keeps its stock for a payment that is under way.")
    )
    order_link_days = serializers.IntegerField(
        help_text=_("How long the key of an order opens it.")
    )
    cart_days = serializers.IntegerField(help_text=_("How long a cart is kept unchanged."))
    wishlists = serializers.IntegerField()
    wishlist_items = serializers.IntegerField()
    stock_alerts = serializers.IntegerField()
    idempotency_hours = serializers.IntegerField(
        help_text=_("How long an `Idempotency-Key` is remembered.")
    )
    access_token_seconds = serializers.IntegerField()
    refresh_token_seconds = serializers.IntegerField()


class MediaOutput(Serializer):
    """How pictures come."""

    thumbnail_widths = serializers.ListField(
        child=serializers.IntegerField(), help_text=_("In pixels; the keys of `thumbnails`.")
    )


class ShopLinksOutput(Serializer):
    """Paths that a shop front, or who writes one, goes on to."""

    docs = serializers.CharField()
    schema = serializers.CharField()
    errors = serializers.CharField()  # type: ignore[assignment]
    countries = serializers.CharField(help_text=_("Countries with the rules of their addresses."))
    categories = serializers.CharField()
    products = serializers.CharField()
    facets = serializers.CharField()
    carts = serializers.CharField()


class ShopOutput(Serializer):
    """The shop, as a front has to know it."""

    name = serializers.CharField()
    url = serializers.CharField(help_text=_("Where links in mails lead."))
    currencies = CurrencyOutput(many=True)
    languages = LanguageOutput(many=True)
    countries = CountryOutput(many=True, help_text=_("Where purchases are sent to."))
    channels = ChannelOutput(many=True)
    payment_methods = PaymentMethodOutput(many=True)
    password_rules = PasswordRulesOutput()
    limits = LimitsOutput()
    media = MediaOutput()
    links = ShopLinksOutput()
