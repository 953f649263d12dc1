"""How drf-spectacular writes the OpenAPI document."""

from typing import Any

SCHEMA: dict[str, Any] = {
    "TITLE": "Lavka",
    "DESCRIPTION": "The API of a web shop, from the catalogue to the order and its return.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "persistAuthorization": True,
        "displayRequestDuration": True,
        "filter": True,
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "ActorKind": "lavka.kernel.actors.ActorKind",
        "AttributeKind": "lavka.catalog.models.Attribute.Kind",
        "InvoiceKind": "lavka.invoices.rules.InvoiceKind",
        "OrderStatus": "lavka.orders.rules.OrderStatus",
        "OrderPaymentStatus": "lavka.orders.rules.OrderPaymentStatus",
        "ReturnReason": "lavka.fulfilment.rules.ReturnReason",
        "ReturnStatus": "lavka.fulfilment.rules.ReturnStatus",
        "ShipmentStatus": "lavka.fulfilment.rules.ShipmentStatus",
        "ProductStatus": "lavka.catalog.models.Product.Status",
        "OperationKind": "lavka.payments.rules.OperationKind",
        "OperationState": "lavka.payments.rules.OperationState",
        "PaymentStatus": "lavka.payments.rules.PaymentStatus",
        "ReviewStatus": "lavka.reviews.models.Review.Status",
        "WebhookDeliveryStatus": "lavka.webhooks.rules.DeliveryStatus",
        "WebhookEndpointStatus": "lavka.webhooks.rules.EndpointStatus",
    },
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "PATH_CONVERTER_OVERRIDES": {
        "slug": {"type": "string", "pattern": "^[-a-zA-Z0-9_]+$", "maxLength": 200}
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "lavka.web.schema.share_refusals",
    ],
}
