"""The page of a product, which mails lead to."""

from lavka.kernel.links import LinkKind, register

PRODUCT = register(LinkKind("product", "/products/{slug}"))
