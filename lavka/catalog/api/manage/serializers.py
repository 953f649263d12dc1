"""The catalogue for its staff on the wire: what is sent in, and what comes out."""

from typing import Any

from django.core.validators import validate_slug
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.serializers import Serializer

from lavka.catalog import rules
from lavka.catalog.api.references import choices_url
from lavka.catalog.api.serializers import (
    HTML,
    MAX_POSITION,
    PriceInput,
    ShelfOutput,
)
from lavka.catalog.models import CODE, Attribute, Product
from lavka.web.serializers import (
    BoundedDictField,
    BoundedListField,
    Input,
    InstantField,
    MoneyOutput,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictUUIDField,
)

MAX_CODE, MAX_CHOICE_CODE = 50, 100
MAX_CHOICES, MAX_ATTRIBUTES, MAX_OPTIONS = 1000, 200, 20


class SlugField(StrictCharField):
    """A slug; an empty one is made from the name when the row is created."""

    def __init__(self, **options: Any) -> None:
        """Accept what Django's own slugs are made of."""
        super().__init__(max_length=rules.MAX_SLUG, allow_blank=True, required=False, **options)
        self.validators.append(validate_slug)


class CodeField(StrictCharField):
    """A code that programs use: it stays for good."""

    def __init__(self, **options: Any) -> None:
        """Accept lower-case letters, digits and underscores."""
        super().__init__(max_length=MAX_CODE, validators=[CODE], **options)


@extend_schema_field(
    {
        "anyOf": [
            {"type": "string", "maxLength": rules.MAX_TEXT},
            {"type": "number", "minimum": -rules.MAX_NUMBER, "maximum": rules.MAX_NUMBER},
            {"type": "boolean"},
            {
                "type": "array",
                "maxItems": MAX_CHOICES,
                "items": {"type": "string", "maxLength": MAX_CHOICE_CODE},
            },
        ]
    }
)
class AttributeValueField(serializers.Field):
    """A value of an attribute; whether it fits the attribute is for the product type to say."""

    default_error_messages = {
        "invalid": _("Text, a number, true or false, or a list of choices is expected."),
    }

    def to_internal_value(self, data: Any) -> Any:
        """Raises ValidationError for what no attribute takes."""
        choices = data if isinstance(data, list) else []
        is_list_of_texts = all(isinstance(each, str) for each in choices)
        if len(choices) > MAX_CHOICES or not is_list_of_texts or isinstance(data, dict):
            self.fail("invalid")
        return data


class SeoInput(Input):
    """What search engines are told."""

    seo_title = StrictCharField(max_length=200, allow_blank=True, required=False)
    seo_description = StrictCharField(max_length=500, allow_blank=True, required=False)


class BrandInput(SeoInput):
    """A brand."""

    slug = SlugField()
    name = StrictCharField(max_length=200)
    description = StrictCharField(
        max_length=20_000,
        allow_blank=True,
        required=False,
        help_text=_("HTML; what could run in a browser is taken out."),
    )


class CategoryInput(BrandInput):
    """A category; another parent moves it with all that stands inside."""

    parent = StrictCharField(  # type: ignore[assignment] # DRF's own attribute
        max_length=rules.MAX_SLUG,
        allow_null=True,
        required=False,
        choices_url=choices_url("parent"),
        help_text=_("A slug, or null."),
    )
    position = StrictIntegerField(min_value=0, max_value=MAX_POSITION, required=False)


class ChoiceInput(Input):
    """A choice; products store its code."""

    code = StrictCharField(max_length=MAX_CHOICE_CODE)
    label = StrictCharField(max_length=100)  # type: ignore[assignment] # DRF's own attribute


class AttributeChangeInput(Input):
    """What may change of an attribute; `choices` is the whole list in its order."""

    name = StrictCharField(max_length=100)
    unit = StrictCharField(max_length=20, allow_blank=True, required=False)
    choices = ChoiceInput(  # type: ignore[call-arg] # of `many=True`
        many=True, required=False, max_length=MAX_CHOICES
    )


class AttributeInput(AttributeChangeInput):
    """A new attribute."""

    code = CodeField()
    kind = serializers.ChoiceField(choices=Attribute.Kind.choices)


class TypeAttributeInput(Input):
    """How a product type uses an attribute."""

    attribute = StrictCharField(
        max_length=MAX_CODE,
        choices_url=choices_url("attribute"),
        help_text=_("The attribute's code."),
    )
    is_option = StrictBooleanField(default=False, help_text=_("Whether it tells variants apart."))
    is_required = StrictBooleanField(default=False)


class ProductTypeChangeInput(Input):
    """What may change of a product type; `attributes` is the whole list in its order."""

    name = StrictCharField(max_length=100)
    attributes = TypeAttributeInput(  # type: ignore[call-arg] # of `many=True`
        many=True, required=False, max_length=MAX_ATTRIBUTES
    )


class ProductTypeInput(ProductTypeChangeInput):
    """A new product type."""

    code = CodeField()


class VariantInput(Input):
    """One thing that can be bought."""

    sku = StrictCharField(max_length=rules.MAX_SKU)
    gtin = StrictCharField(max_length=14, allow_blank=True, required=False)
    options = BoundedDictField(
        child=StrictCharField(max_length=MAX_CHOICE_CODE),
        max_entries=MAX_OPTIONS,
        max_name_length=MAX_CODE,
        required=False,
        help_text=_("The code of a choice for each option of the product's type."),
    )
    price = PriceInput()
    compare_at_price = PriceInput(allow_null=True, required=False)
    cost = PriceInput(
        allow_null=True,
        required=False,
        help_text=_("What one unit costs the shop; customers never see it."),
    )
    track_inventory = StrictBooleanField(
        required=False,
        help_text=_(
            "Whether no more is sold than there is; false: sold without counting. A new variant is "
            "tracked and has no stock until it is counted; left out, another stays as it is."
        ),
    )
    weight_grams = StrictIntegerField(
        min_value=0, max_value=rules.MAX_WEIGHT_GRAMS, allow_null=True, required=False
    )
    image_ids = serializers.ListField(
        child=StrictUUIDField(),
        max_length=rules.MAX_VARIANT_IMAGES,
        required=False,
        help_text=_("Pictures of the product that show this variant, in order."),
    )


class VariantsInput(Input):
    """All variants of a product, known by SKU: those that are not named are deleted."""

    variants = VariantInput(  # type: ignore[call-arg] # of `many=True`
        many=True, max_length=rules.MAX_VARIANTS
    )


class ProductChangeInput(BrandInput):
    """What may change of a product; `attributes` is the whole mapping."""

    name = StrictCharField(max_length=250)
    brand = StrictCharField(
        max_length=rules.MAX_SLUG,
        allow_null=True,
        required=False,
        choices_url=choices_url("brand"),
        help_text=_("A slug, or null."),
    )
    category = StrictCharField(
        max_length=rules.MAX_SLUG,
        allow_null=True,
        required=False,
        choices_url=choices_url("category"),
        help_text=_("A slug, or null."),
    )
    attributes = BoundedDictField(
        child=AttributeValueField(allow_null=True),
        max_entries=MAX_ATTRIBUTES,
        max_name_length=MAX_CODE,
        required=False,
        help_text=_("Typed values by attribute code; null takes a value away."),
    )
    status = serializers.ChoiceField(choices=Product.Status.choices, required=False)
    publish_at = InstantField(allow_null=True, required=False)
    unpublish_at = InstantField(allow_null=True, required=False)


class ProductInput(ProductChangeInput):
    """A new product, with its variants."""

    product_type = StrictCharField(
        max_length=MAX_CODE,
        choices_url=choices_url("product_type"),
        help_text=_("The type's code."),
    )
    variants = VariantInput(  # type: ignore[call-arg] # of `many=True`
        many=True, required=False, max_length=rules.MAX_VARIANTS
    )


class ImageChangeInput(Input):
    """A picture's text and place."""

    alt = StrictCharField(max_length=250, allow_blank=True, required=False)
    position = StrictIntegerField(min_value=0, max_value=MAX_POSITION, required=False)


class ImageInput(Input):
    """A form with a JPEG, PNG, WebP or GIF picture of up to 10 MB."""

    file = serializers.FileField(max_length=255)
    alt = serializers.CharField(max_length=250, allow_blank=True, default="")


class ImageOrderInput(Input):
    """Every picture of the product, in the order in which they are shown."""

    images = BoundedListField(child=StrictUUIDField(), max_length=1000)


class ManagedBrandOutput(ShelfOutput):
    """A brand as staff edit it."""

    seo_title = serializers.CharField()
    seo_description = serializers.CharField()


class ManagedCategoryOutput(ManagedBrandOutput):
    """A category as staff edit it."""

    parent = serializers.CharField(allow_null=True)  # type: ignore[assignment] # DRF's own attribute
    position = serializers.IntegerField()


class ChoiceOutput(Serializer):
    """A choice."""

    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment] # DRF's own attribute


class ManagedAttributeOutput(Serializer):
    """An attribute with its choices."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.ChoiceField(choices=Attribute.Kind.choices)
    unit = serializers.CharField()
    choices = ChoiceOutput(many=True)


class TypeAttributeOutput(Serializer):
    """How a product type uses an attribute."""

    attribute = serializers.CharField()
    is_option = serializers.BooleanField()
    is_required = serializers.BooleanField()


class ManagedProductTypeOutput(Serializer):
    """A product type."""

    id = serializers.UUIDField()
    code = serializers.CharField()
    name = serializers.CharField()
    attributes = TypeAttributeOutput(many=True)


class ManagedVariantOutput(Serializer):
    """A variant as staff edit it."""

    id = serializers.UUIDField()
    sku = serializers.CharField()
    gtin = serializers.CharField()
    options = serializers.DictField(child=serializers.CharField())
    price = MoneyOutput()
    compare_at_price = MoneyOutput(allow_null=True)
    cost = MoneyOutput(allow_null=True)
    track_inventory = serializers.BooleanField()
    is_in_stock = serializers.BooleanField(
        help_text=_("Untracked, or tracked and there is a unit to sell.")
    )
    weight_grams = serializers.IntegerField(allow_null=True)
    image_ids = serializers.ListField(child=serializers.UUIDField())


class ManagedVariantsOutput(Serializer):
    """All variants of a product, in their order."""

    items = ManagedVariantOutput(many=True)


class ManagedImageOutput(Serializer):
    """A picture; `thumbnails` are addresses by width, made in the background."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    alt = serializers.CharField()
    position = serializers.IntegerField()
    width = serializers.IntegerField(allow_null=True)
    height = serializers.IntegerField(allow_null=True)
    thumbnails = serializers.DictField(child=serializers.CharField())


class ManagedImagesOutput(Serializer):
    """All pictures of a product, in their order."""

    items = ManagedImageOutput(many=True)


class ManagedProductLineOutput(Serializer):
    """A product in the staff's list."""

    id = serializers.UUIDField()
    slug = serializers.CharField()
    name = serializers.CharField()
    product_type = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(choices=Product.Status.choices)
    publish_at = serializers.DateTimeField(allow_null=True)
    unpublish_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class ManagedProductOutput(ManagedProductLineOutput):
    """A product as staff edit it."""

    description = serializers.CharField(help_text=HTML)
    attributes = serializers.DictField()
    seo_title = serializers.CharField()
    seo_description = serializers.CharField()
    variants = ManagedVariantOutput(many=True)
    images = ManagedImageOutput(many=True)
