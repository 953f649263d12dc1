"""Plain Django REST Framework: generic views, ModelSerializer, page numbers, under WSGI."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.urls import path
from rest_framework.filters import BaseFilterBackend
from rest_framework.generics import CreateAPIView, ListAPIView, RetrieveAPIView
from rest_framework.pagination import PageNumberPagination
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from bench.contenders import querysets
from bench.contenders.drf_serializers import (
    CardSerializer,
    ProductSerializer,
    ProfileSerializer,
    ReviewSerializer,
)
from lavka.accounts.models import User
from lavka.catalog.models import Product


class Pages(PageNumberPagination):
    """Numbered pages under the names that the shop's API has."""

    page_size = 20
    page_size_query_param = "limit"
    max_page_size = 100

    def get_paginated_response(self, data: Any) -> Response:
        """The page with the count and the neighbour that page numbers bring."""
        return Response(
            {
                "count": self.page.paginator.count,
                "next": self.get_next_link(),
                "items": data,
            }
        )


class ShopFilter(BaseFilterBackend):
    """What the query string asks for."""

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Product], view: Any
    ) -> QuerySet[Product]:
        """Filter and sort."""
        return querysets.wanted(queryset, request.query_params)


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

    def get_object(self) -> User:
        """The user whom the authentication has loaded."""
        return self.request.user


class ReviewsView(CreateAPIView):
    """A customer writes a review."""

    serializer_class = ReviewSerializer
    permission_classes = [IsAuthenticated]

    def perform_create(self, serializer: BaseSerializer) -> None:
        """Save it under the customer's name."""
        product = get_object_or_404(Product, slug=self.kwargs["slug"])
        serializer.save(author=self.request.user, product=product)


urlpatterns = [
    path("api/v1/products/", ProductsView.as_view()),
    path("api/v1/products/<slug:slug>/", ProductView.as_view()),
    path("api/v1/products/<slug:slug>/reviews/", ReviewsView.as_view()),
    path("api/v1/me/", MeView.as_view()),
]
