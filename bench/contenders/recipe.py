"""The recipe of the reference system: adrf, ModelSerializer, select_related, page numbers."""

from typing import Any

from adrf.generics import CreateAPIView, ListAPIView, RetrieveAPIView
from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.permissions import IsAuthenticated
from rest_framework.serializers import BaseSerializer

from bench.contenders import querysets
from bench.contenders.drf import Pages, ShopFilter
from bench.contenders.drf_serializers import (
    CardSerializer,
    ProductSerializer,
    ProfileSerializer,
    ReviewSerializer,
)
from lavka.accounts.models import User
from lavka.catalog.models import Product


class ProductsView(ListAPIView):
    """The shop window."""

    serializer_class = CardSerializer
    pagination_class = Pages
    filter_backends = [ShopFilter]
    authentication_classes = ()

    def get_queryset(self) -> QuerySet[Product]:
        """What a card shows."""
        return querysets.listed()


class ProductView(RetrieveAPIView):
    """A product's page."""

    serializer_class = ProductSerializer
    lookup_field = "slug"
    authentication_classes = ()

    def get_queryset(self) -> QuerySet[Product]:
        """All that the page shows."""
        return querysets.paged()


class MeView(RetrieveAPIView):
    """Whose token it is."""

    serializer_class = ProfileSerializer
    permission_classes = [IsAuthenticated]

    async def aget_object(self) -> User:
        """The user whom the authentication has loaded."""
        return self.request.user


class ReviewsView(CreateAPIView):
    """A customer writes a review."""

    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    async def perform_acreate(self, serializer: BaseSerializer) -> None:
        """Save it under the customer's name."""
        await sync_to_async(self._save)(serializer)

    def _save(self, serializer: Any) -> None:
        product = get_object_or_404(Product, slug=self.kwargs["slug"])
        serializer.save(author=self.request.user, product=product)


urlpatterns = [
    path("api/v1/products/", ProductsView.as_view()),
    path("api/v1/products/<slug:slug>/", ProductView.as_view()),
    path("api/v1/products/<slug:slug>/reviews/", ReviewsView.as_view()),
    path("api/v1/me/", MeView.as_view()),
]
