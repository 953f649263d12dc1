"""Products with their attributes, variants and pictures."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import TabularInline

from lavka.catalog import rules, selectors, services
from lavka.catalog.admin.fields import (
    MoneyField,
    PictureField,
    attribute_fields,
    images_field,
    option_fields,
    plain,
    preview,
)  # fmt: skip
from lavka.catalog.admin.pages import ShopAdmin, SlugForm
from lavka.catalog.models import Product, ProductImage, Variant
from lavka.kernel.admin import ModelAdmin, Untouchable
from lavka.kernel.conf import options
from lavka.kernel.errors import Invalid
from lavka.kernel.money import Money


class ProductForm(SlugForm):
    """A product; the fields of its attributes are added for its type."""

    instance: Product

    def clean(self) -> dict[str, Any]:
        """Check the attributes, and the window, by the rules of the API."""
        cleaned = super().clean()
        if self.instance._state.adding:
            return cleaned
        services.hold_schema()
        own = selectors.rules_of(self.instance.product_type_id)
        values = {
            rule.code: plain(cleaned.get(f"attribute_{rule.code}"))
            for rule in own
            if not rule.is_option
        }
        try:
            rules.check_window(cleaned.get("publish_at"), cleaned.get("unpublish_at"))
            self.instance.attributes = rules.checked_attributes(own, values)
        except Invalid as refused:
            for error in refused.errors:
                name = error.pointer.removeprefix("#/").replace("attributes/", "attribute_")
                if name not in self.errors:
                    self.add_error(name if name in self.fields else None, error.detail)
        return cleaned


class VariantForm(forms.ModelForm):
    """A variant; a select for each option is added for the product's type."""

    price_amount = MoneyField(label=_("price"))
    compare_at_amount = MoneyField(label=_("price before"), required=False)
    cost_amount = MoneyField(label=_("cost"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Show which choices the variant has."""
        super().__init__(*args, **kwargs)
        for code, choice in (self.instance.options or {}).items():
            if f"option_{code}" in self.fields:
                self.initial[f"option_{code}"] = choice
        if not self.instance._state.adding:
            links = self.instance.image_links.all()
            self.initial["image_ids"] = [str(link.image_id) for link in links]

    def values(self) -> rules.VariantValues:
        """What the staff have written."""
        cleaned = self.cleaned_data
        before, cost = cleaned.get("compare_at_amount"), cleaned.get("cost_amount")
        return rules.VariantValues(
            sku=cleaned["sku"],
            gtin=cleaned.get("gtin") or "",
            price=Money(cleaned["price_amount"], options.currency),
            compare_at_price=None if before is None else Money(before, options.currency),
            options={
                name.removeprefix("option_"): choice
                for name, choice in cleaned.items()
                if name.startswith("option_") and choice
            },
            cost=None if cost is None else Money(cost, options.currency),
            track_inventory=cleaned["track_inventory"],
            weight_grams=cleaned.get("weight_grams"),
            image_ids=[UUID(each) for each in cleaned.get("image_ids") or ()]
            if "image_ids" in self.changed_data
            else None,
        )


class VariantFormSet(forms.BaseInlineFormSet):
    """A product's variants, which are checked and written as a whole."""

    def kept(self) -> list[VariantForm]:
        """The forms of variants that stay or come, in their order."""
        forms_of_variants: list[Any] = self.forms
        filled = [
            form
            for form in forms_of_variants
            if form not in self.deleted_forms and (form.has_changed() or form.instance.sku)
        ]
        return sorted(filled, key=lambda form: form.cleaned_data.get("position") or 0)

    def clean(self) -> None:
        """Check the whole set by the rules of the API, each error at its own field."""
        super().clean()
        if any(form.errors for form in self.forms if form not in self.deleted_forms):
            return
        kept = self.kept()
        own = selectors.rules_of(self.instance.product_type_id)
        try:
            rules.check_variants(own, [form.values() for form in kept], currency=options.currency)
        except Invalid as refused:
            for error in refused.errors:
                index, _slash, place = error.pointer.removeprefix("#/variants/").partition("/")
                form = kept[int(index)]
                name = _FIELDS.get(place) or place.replace("options/", "option_")
                form.add_error(name if name in form.fields else None, error.detail)
            raise ValidationError(_("The variants are not right yet.")) from refused


# Where the rules say something is wrong, and where the form shows it.
_FIELDS = {
    "price/amount": "price_amount",
    "compare_at_price": "compare_at_amount",
    "compare_at_price/amount": "compare_at_amount",
    "cost/amount": "cost_amount",
}


@admin.display(description=_("in stock"), boolean=True, ordering="is_in_stock")
def in_stock_column(_page: object, variant: Variant) -> bool:
    """Whether it can be bought, as a sign: the database computes it, so Django shows it as text."""
    return bool(variant.is_in_stock)


class VariantInline(TabularInline):
    """The variants of a product."""

    model = Variant
    form = VariantForm
    formset = VariantFormSet
    in_stock = in_stock_column
    readonly_fields = ["in_stock"]
    extra = 0
    ordering_field = "position"
    hide_ordering_field = True
    tab = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        """With which pictures show them."""
        variants: QuerySet[Variant] = super().get_queryset(request)
        return variants.prefetch_related("image_links")

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Add the selects of the type's options, and the product's pictures."""
        fields = option_fields(selectors.uses_of(obj.product_type_id)) if obj else {}
        if obj:
            fields["image_ids"] = images_field(obj.images.all())
        kwargs["form"] = type("VariantForm", (VariantForm,), fields)
        return super().get_formset(request, obj, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[Any]:
        """The same, by name."""
        selects = option_fields(selectors.uses_of(obj.product_type_id)) if obj else {}
        return ["sku", *selects, "price_amount", "compare_at_amount", "cost_amount",
                "track_inventory", "in_stock", "gtin", "weight_grams",
                *["image_ids"] * bool(obj), "position"]  # fmt: skip


class ImageForm(forms.ModelForm):
    """A picture; its file stays for good."""

    file = PictureField(label=_("file"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """A stored picture is replaced by a new one, not changed."""
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.fields["file"].disabled = True


class ImageInline(TabularInline):
    """The pictures of a product."""

    model = ProductImage
    form = ImageForm
    fields = ["preview", "file", "alt", "position"]
    readonly_fields = ["preview"]
    extra = 0
    ordering_field = "position"
    hide_ordering_field = True
    tab = True

    @admin.display(description=_("preview"))
    def preview(self, image: ProductImage) -> str:
        """The picture, once it is stored."""
        return preview(image.picture if image.file else None)


@admin.register(Product)
class ProductAdmin(ShopAdmin):
    """The range; a new product gets its type first, then what the type asks for."""

    form = ProductForm
    inlines = [VariantInline, ImageInline]
    list_display = ["name", "product_type", "brand", "category", "status", "updated_at"]
    list_filter = ["status", "product_type", "category"]
    list_select_related = ["product_type", "brand", "category"]
    search_fields = ["name"]
    ids_matching = selectors.product_ids_matching
    search_help_text = _("Name, slug, SKU, GTIN or brand.")
    autocomplete_fields = ["brand"]
    list_per_page = 50
    actions = ["publish", "take_back", "archive"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Short for a new product; with its type's attributes for an old one."""
        about = ["name", "product_type", "slug", "brand", "category", "description"]
        if obj is None:
            return [(None, {"fields": about})]
        attributes = list(attribute_fields(selectors.uses_of(obj.product_type_id), {}))
        return [
            (None, {"fields": about}),
            (_("Attributes"), {"fields": attributes}),
            (_("Publishing"), {"fields": ["status", "publish_at", "unpublish_at"]}),
            (_("Search engines"), {"fields": ["seo_title", "seo_description"]}),
        ]

    def get_form(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Add the typed fields of the attributes."""
        if obj is not None:
            fields = attribute_fields(selectors.uses_of(obj.product_type_id), obj.attributes)
            kwargs["form"] = type("ProductForm", (ProductForm,), fields)
        return super().get_form(request, obj, **kwargs)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Sequence[str]:
        """The type stays: variants and attributes were made for it."""
        return ["product_type"] if obj else []

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Variants and pictures come when the type is known."""
        return [VariantInline, ImageInline] if obj else []

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> Any:
        """Go on with what the type asks for."""
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("Now its attributes, variants and pictures."))
        return HttpResponseRedirect(reverse("admin:catalog_product_change", args=[obj.pk]))

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Write variants and pictures through their services."""
        rows = formset.save(commit=False)
        if formset.model is Variant:
            if formset.has_changed():
                kept = formset.kept()
                services.set_variants(
                    product_id=form.instance.pk,
                    variants=[each.values() for each in kept],
                    ids=[
                        None if each.instance._state.adding else each.instance.pk for each in kept
                    ],
                )
            return
        for image in formset.deleted_objects:
            services.delete_image(image_id=image.pk)
        for image in rows:
            if image._state.adding:
                services.add_image(
                    product=form.instance,
                    content=image.file.file,
                    alt=image.alt,
                    position=image.position,
                )
            else:
                image.save()

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Show the products to customers."""
        self._set_status(request, queryset, Product.Status.PUBLISHED)

    @admin.action(description=_("Turn into drafts"), permissions=["change"])
    def take_back(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Hide the products for more work."""
        self._set_status(request, queryset, Product.Status.DRAFT)

    @admin.action(description=_("Archive"), permissions=["change"])
    def archive(self, request: HttpRequest, queryset: QuerySet[Product]) -> None:
        """Hide the products for good."""
        self._set_status(request, queryset, Product.Status.ARCHIVED)

    def _set_status(
        self, request: HttpRequest, products: QuerySet[Product], status: Product.Status
    ) -> None:
        changed = 0
        for product_id, name in products.order_by("pk").values_list("pk", "name"):
            try:
                changed += services.set_status(product_ids=[product_id], status=status)
            except Invalid as refused:
                reasons = "; ".join(f"{e.pointer}: {e.detail}" for e in refused.errors)
                self.message_user(request, f"{name}: {reasons}", messages.ERROR)
        self.message_user(request, _("Products changed: %(count)s") % {"count": changed})


@admin.register(Variant)
class VariantAdmin(Untouchable, ModelAdmin):
    """Variants by their SKU, for whoever looks for one; they change with their product."""

    list_display = ["sku", "product", "price", "track_inventory", "in_stock"]
    list_filter = ["track_inventory", ("is_in_stock", admin.BooleanFieldListFilter)]
    list_select_related = ["product"]
    search_fields = ["sku", "=gtin", "product__name__folded__contains", "product__slug"]
    show_full_result_count = False
    in_stock = in_stock_column
    fields = [
        "product", "sku", "gtin", "price", "price_before", "cost", "track_inventory", "in_stock",
        "weight_grams",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description=_("price"), ordering="price_amount")
    def price(self, variant: Variant) -> Money:
        """In the shop's currency."""
        return variant.price

    @admin.display(description=_("price before"))
    def price_before(self, variant: Variant) -> Money | None:
        """A dash where it was never dearer."""
        return variant.compare_at_price

    @admin.display(description=_("cost"))
    def cost(self, variant: Variant) -> Money | None:
        """A dash where nobody said."""
        return variant.cost
