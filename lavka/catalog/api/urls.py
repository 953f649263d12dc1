"""The room's paths below /api/v1/."""

from django.urls import path

from lavka.catalog.api import views
from lavka.catalog.api.manage import images, products, schema, shelves

urlpatterns = [
    path("categories/", views.CategoriesView.as_view()),
    path("categories/<slug:slug>/", views.CategoryView.as_view()),
    path("brands/", views.BrandsView.as_view()),
    path("brands/<slug:slug>/", views.BrandView.as_view()),
    path("manage/attributes/", schema.AttributesView.as_view()),
    path("manage/attributes/<uuid:attribute_id>/", schema.AttributeView.as_view()),
    path("manage/product-types/", schema.ProductTypesView.as_view()),
    path("manage/product-types/<uuid:product_type_id>/", schema.ProductTypeView.as_view()),
    path("manage/categories/", shelves.CategoriesView.as_view()),
    path("manage/categories/<uuid:category_id>/", shelves.CategoryView.as_view()),
    path("manage/brands/", shelves.BrandsView.as_view()),
    path("manage/brands/<uuid:brand_id>/", shelves.BrandView.as_view()),
    path("manage/products/", products.ProductsView.as_view()),
    path("manage/products/<uuid:product_id>/", products.ProductView.as_view()),
    path("manage/products/<uuid:product_id>/variants/", products.ProductVariantsView.as_view()),
    path("manage/variants/<uuid:variant_id>/", products.VariantView.as_view()),
    path("manage/products/<uuid:product_id>/images/", images.ProductImagesView.as_view()),
    path("manage/images/<uuid:image_id>/", images.ImageView.as_view()),
]
