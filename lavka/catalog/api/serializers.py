"""The catalogue on the wire: what is sent in, and what comes out."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.kernel.money import MAX_PRICE
from lavka.web.serializers import (
    MinorUnitsField,
    MoneyInput,
)

MAX_POSITION = 2**31 - 1
HTML = _("HTML in which nothing can run in a browser; plain text when it has no `<`.")


class PriceInput(MoneyInput):
    """What one unit costs, in the shop's currency."""

    amount = MinorUnitsField(
        max_value=MAX_PRICE, help_text=_("Whole minor units: 1299 is 12.99 USD.")
    )


class ImageOutput(Serializer):
    """A picture; paths that begin with `/` are on the API's host."""

    url = serializers.CharField(help_text=_("On a card 480 pixels wide, elsewhere the original."))
    alt = serializers.CharField(help_text=_("What it shows, for those who do not see it."))
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    thumbnails = serializers.DictField(
        child=serializers.CharField(), help_text=_("Smaller ones, by width in pixels.")
    )


class SelectedOptionOutput(Serializer):
    """One option of a variant and the choice that was made, by code and for people."""

    code = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField(help_text=_("The code of the choice."))
    label = serializers.CharField()  # type: ignore[assignment]


class VariantDetailsOutput(Serializer):
    """What carts, orders and wishlists show of a variant beside its name."""

    options = serializers.DictField(
        child=serializers.CharField(), help_text=_("Codes of choices by codes of options.")
    )
    selected_options = SelectedOptionOutput(many=True, help_text=_("The same, in words."))
    image = ImageOutput(allow_null=True)


class ShelfLinkOutput(Serializer):
    """Another category or brand."""

    slug = serializers.CharField()
    name = serializers.CharField()


class ShelfSeoOutput(Serializer):
    """What search engines are told; the name and text where staff wrote nothing."""

    title = serializers.CharField()
    description = serializers.CharField()


class ShelfOutput(Serializer):
    """What a category and a brand have alike."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(help_text=HTML)


class CategoryNodeOutput(Serializer):
    """A category in the tree."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    parent = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text=_("The slug of the category it stands in.")
    )
    depth = serializers.IntegerField(help_text=_("0 at the top."))


class CategoryTreeOutput(Serializer):
    """All categories, each before what stands inside it."""

    items = CategoryNodeOutput(many=True)


class CategoryOutput(ShelfOutput):
    """A category's page."""

    breadcrumbs = ShelfLinkOutput(many=True, help_text=_("From the top to this category."))
    children = ShelfLinkOutput(many=True)
    seo = ShelfSeoOutput()


class BrandOutput(ShelfOutput):
    """A brand's page."""

    seo = ShelfSeoOutput()
