"""ModelSerializers of the two contenders on Django REST Framework."""

from typing import Any

from rest_framework import serializers

from bench.contenders import shapes
from bench.contenders.querysets import described
from lavka.accounts.models import User
from lavka.catalog.models import Brand, Category, Product, Variant
from lavka.reviews.models import Review


class BrandSerializer(serializers.ModelSerializer):
    """A brand, by name."""

    class Meta:
        model = Brand
        fields = ["slug", "name"]


class CategorySerializer(serializers.ModelSerializer):
    """A category, by name."""

    class Meta:
        model = Category
        fields = ["slug", "name"]


class CardSerializer(serializers.ModelSerializer):
    """A product in a list."""

    brand = BrandSerializer()
    category = CategorySerializer()
    price = serializers.SerializerMethodField()
    compare_at_price = serializers.SerializerMethodField()
    image = serializers.SerializerMethodField()
    rating = serializers.SerializerMethodField()
    in_stock = serializers.SerializerMethodField()
    variant_count = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = [
            "id", "slug", "name", "brand", "category", "price", "compare_at_price", "image",
            "rating", "in_stock", "variant_count",
        ]  # fmt: skip

    def get_price(self, product: Product) -> Any:
        """Of the cheapest variant."""
        return shapes.money(shapes.cheapest(product.variants.all()).price_amount)

    def get_compare_at_price(self, product: Product) -> Any:
        """What that variant cost before."""
        return shapes.money(shapes.cheapest(product.variants.all()).compare_at_amount)

    def get_image(self, product: Product) -> Any:
        """The first picture."""
        return shapes.card_image(product.images.all())

    def get_rating(self, product: Product) -> Any:
        """Average and count."""
        return shapes.rating(getattr(product, "rating", None))

    def get_in_stock(self, product: Product) -> bool:
        """Whether any variant is."""
        return any(variant.is_in_stock for variant in product.variants.all())

    def get_variant_count(self, product: Product) -> int:
        """How many there are."""
        return len(product.variants.all())


class VariantSerializer(serializers.ModelSerializer):
    """One thing that can be bought."""

    gtin = serializers.SerializerMethodField()
    price = serializers.SerializerMethodField()
    compare_at_price = serializers.SerializerMethodField()
    in_stock = serializers.BooleanField(source="is_in_stock")
    image_ids = serializers.SerializerMethodField()

    class Meta:
        model = Variant
        fields = [
            "id", "sku", "gtin", "options", "price", "compare_at_price", "in_stock", "weight_grams",
            "image_ids",
        ]  # fmt: skip

    def get_image_ids(self, variant: Variant) -> Any:
        """The pictures that show it."""
        return [each.image_id for each in variant.image_links.all()]

    def get_gtin(self, variant: Variant) -> str | None:
        """None where there is none."""
        return variant.gtin or None

    def get_price(self, variant: Variant) -> Any:
        """What it costs."""
        return shapes.money(variant.price_amount)

    def get_compare_at_price(self, variant: Variant) -> Any:
        """What it cost before."""
        return shapes.money(variant.compare_at_amount)


class ProductSerializer(CardSerializer):
    """A product's page."""

    attributes = serializers.SerializerMethodField()
    options = serializers.SerializerMethodField()
    variants = VariantSerializer(many=True)
    images = serializers.SerializerMethodField()
    breadcrumbs = serializers.SerializerMethodField()
    seo = serializers.SerializerMethodField()

    class Meta(CardSerializer.Meta):
        fields = [
            *CardSerializer.Meta.fields,
            "description", "attributes", "options", "variants", "images", "breadcrumbs", "seo",
        ]  # fmt: skip

    def get_attributes(self, product: Product) -> Any:
        """What describes it."""
        return shapes.attributes(described(product, is_option=False), product.attributes)

    def get_options(self, product: Product) -> Any:
        """What a customer chooses between."""
        return shapes.options(described(product, is_option=True), product.variants.all())

    def get_images(self, product: Product) -> Any:
        """All pictures."""
        return [shapes.image(each) for each in product.images.all()]

    def get_breadcrumbs(self, product: Product) -> Any:
        """From the root to its category."""
        return shapes.breadcrumbs(product.category)

    def get_seo(self, product: Product) -> Any:
        """For search engines."""
        return shapes.seo(product)

    def get_rating(self, product: Product) -> Any:
        """Average, count and histogram."""
        return shapes.full_rating(getattr(product, "rating", None))


class ProfileSerializer(serializers.ModelSerializer):
    """A user, as they see themselves."""

    class Meta:
        model = User
        fields = [
            "id", "email", "name", "language", "is_email_verified", "is_staff", "joined_at",
        ]  # fmt: skip


class ReviewSerializer(serializers.ModelSerializer):
    """A review that its author writes."""

    author = serializers.CharField(source="author.name", read_only=True)
    product = serializers.CharField(source="product.slug", read_only=True)

    class Meta:
        model = Review
        fields = [
            "id", "rating", "title", "text", "author", "helpful", "created_at", "status", "product",
        ]  # fmt: skip
        read_only_fields = ["status"]
