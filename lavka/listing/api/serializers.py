"""Cards and product pages on the wire."""

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.catalog.api.serializers import HTML, ImageOutput
from lavka.reviews.api.serializers import RatingOutput
from lavka.web.serializers import MoneyOutput


class LinkOutput(Serializer):
    """A category or a brand, by name."""

    slug = serializers.CharField()
    name = serializers.CharField()


class CardRatingOutput(Serializer):
    """What customers think; the average is null while nobody has said."""

    average = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class CardOutput(Serializer):
    """A product in the shop window, with its cheapest variant's price."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    brand = LinkOutput(allow_null=True)
    category = LinkOutput(allow_null=True)
    price = MoneyOutput(help_text=_("Of the cheapest variant."))
    compare_at_price = MoneyOutput(
        allow_null=True, help_text=_("What that variant cost before; null if it is not reduced.")
    )
    image = ImageOutput(allow_null=True)
    rating = CardRatingOutput()
    in_stock = serializers.BooleanField(help_text=_("Whether any variant is."))
    variant_count = serializers.IntegerField()


class AttributeOutput(Serializer):
    """One property of the product."""

    code = serializers.CharField()
    name = serializers.CharField()
    value = serializers.JSONField(help_text=_("Typed; of a choice its code, of several a list."))
    label = serializers.CharField(  # type: ignore[assignment]
        allow_null=True, help_text=_("The text of the choices.")
    )
    unit = serializers.CharField(allow_null=True)


class OptionValueOutput(Serializer):
    """One choice of an option."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]


class OptionOutput(Serializer):
    """What a customer chooses between, such as color."""

    code = serializers.CharField()
    name = serializers.CharField()
    values = OptionValueOutput(many=True)


class ProductImageOutput(ImageOutput):
    """A picture on a product's page."""

    id = serializers.UUIDField()


class VariantOutput(Serializer):
    """One thing that can be bought."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    gtin = serializers.CharField(allow_null=True)
    options = serializers.DictField(child=serializers.CharField())
    price = MoneyOutput()
    compare_at_price = MoneyOutput(allow_null=True)
    in_stock = serializers.BooleanField()
    weight_grams = serializers.IntegerField(allow_null=True)
    image_ids = serializers.ListField(
        child=serializers.UUIDField(),
        help_text=_("Which of the product's images show it; the first where staff chose none."),
    )


class SeoOutput(Serializer):
    """For search engines; the product's own name and text where staff wrote nothing."""

    title = serializers.CharField()
    description = serializers.CharField()


class ProductOutput(CardOutput):
    """A product's page."""

    description = serializers.CharField(help_text=HTML)
    attributes = AttributeOutput(many=True)
    options = OptionOutput(many=True)
    variants = VariantOutput(many=True)
    images = ProductImageOutput(many=True)
    breadcrumbs = LinkOutput(many=True, help_text=_("From the root to the product's category."))
    seo = SeoOutput()
    rating = RatingOutput()  # type: ignore[assignment]


class FacetValueOutput(Serializer):
    """One choice of a facet."""

    value = serializers.CharField(help_text=_("What the parameter takes, as it is."))
    label = serializers.CharField()  # type: ignore[assignment]
    count = serializers.IntegerField(help_text=_("Products that would be shown."))
    selected = serializers.BooleanField()


class RangeParametersOutput(Serializer):
    """The list's parameters for the two ends of a range."""

    min = serializers.CharField(help_text=_("The parameter that takes the least value."))
    max = serializers.CharField(help_text=_("The parameter that takes the greatest value."))


class FacetOutput(Serializer):
    """A choice or a boolean with its `parameter` and `values`, or a range with its `parameters`.

    What it names is sent back to the list as it is.
    """

    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(["choice", "range", "boolean"])
    parameter = serializers.CharField(
        required=False, help_text=_("The list's parameter that takes one of `values`.")
    )
    parameters = RangeParametersOutput(required=False)
    unit = serializers.CharField(allow_null=True)
    values = FacetValueOutput(many=True, required=False)
    min = serializers.JSONField(required=False, help_text=_("A number or a date."))
    max = serializers.JSONField(required=False, help_text=_("A number or a date."))


class FacetsOutput(Serializer):
    """What may be chosen among the products that fit."""

    items = FacetOutput(many=True)
    total = serializers.IntegerField(help_text=_("Products that fit."))
    exact = serializers.BooleanField(help_text=_("False: the numbers are estimates."))


class SuggestionsOutput(Serializer):
    """What a customer may mean."""

    products = LinkOutput(many=True)
    categories = LinkOutput(many=True)
    brands = LinkOutput(many=True)
