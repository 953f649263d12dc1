"""Every path of the shop."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.static import serve

from lavka.accounts.admin import sign_in
from lavka.web import docs, health, metrics, problems

api_v1 = [
    path("", include("lavka.addresses.api.urls")),
    path("", include("lavka.accounts.api.urls")),
    path("", include("lavka.catalog.api.urls")),
    path("", include("lavka.feed.api.urls")),
    path("", include("lavka.inventory.api.urls")),
    path("", include("lavka.tax.api.urls")),
    path("", include("lavka.shipping.api.urls")),
    path("", include("lavka.carts.api.urls")),
    path("", include("lavka.listing.api.urls")),
    path("", include("lavka.orders.api.urls")),
    path("", include("lavka.checkout.api.urls")),
    path("", include("lavka.fulfilment.api.urls")),
    path("", include("lavka.payments.api.urls")),
    path("", include("lavka.invoices.api.urls")),
    path("", include("lavka.reviews.api.urls")),
    path("", include("lavka.wishlists.api.urls")),
    path("", include("lavka.webhooks.api.urls")),
    path("", include("lavka.storefront.api.urls")),
]

urlpatterns = [
    path("", include("lavka.listing.urls")),
    path("", include("lavka.storefront.urls")),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", metrics.page),
    path("api/v1/", include(api_v1)),
    path("api/schema/", docs.SchemaView.as_view(), name="schema"),
    path("api/docs/", docs.SwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/docs/errors/", docs.errors, name="errors"),
    path("api/<path:rest>", problems.unknown_path),
    path("sandbox/", include("lavka.payments.sandbox.urls")),
    path("admin/password_change/", sign_in.own_password),
    path("admin/logout/", sign_in.sign_out),
    path("admin/", admin.site.urls),
]
if not settings.S3_BUCKET:
    # Behind nginx this is never reached; without it the shop still shows its pictures.
    urlpatterns.append(
        re_path(r"^media/(?P<path>.*)$", serve, {"document_root": settings.MEDIA_ROOT})
    )

handler400 = problems.bad_request
handler403 = problems.permission_denied
handler404 = problems.not_found
handler500 = problems.server_error
