"""Staff show what a product looks like."""

from typing import Any
from uuid import UUID

from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from lavka.catalog import pictures, selectors, services
from lavka.catalog.api.manage.serializers import (
    ImageChangeInput,
    ImageInput,
    ImageOrderInput,
    ManagedImageOutput,
    ManagedImagesOutput,
)
from lavka.catalog.api.shapes import image_json
from lavka.catalog.errors import BadPicture, PictureTooLarge, ReferenceGone
from lavka.web.bodies import KIB
from lavka.web.etags import IF_MATCH, PreconditionFailed, require_match, tagged
from lavka.web.parsers import JSONParser, UploadParser
from lavka.web.schema import operation
from lavka.web.views import StaffView, in_thread

# What a form has beside its file.
FORM_BYTES = 64 * KIB


class ProductImagesView(StaffView):
    """The pictures of a product."""

    parser_classes = (UploadParser, JSONParser)
    rights = {
        "GET": "catalog.view_productimage",
        "POST": "catalog.add_productimage",
        "PUT": "catalog.change_productimage",
    }

    @operation("list_images", "List a product's pictures", responses=ManagedImagesOutput)
    async def get(self, request: Request, product_id: UUID) -> Response:
        return Response(await in_thread(_images, product_id))

    @operation(
        "add_image",
        "Add a picture",
        request={"multipart/form-data": ImageInput},
        responses={201: ManagedImageOutput},
        errors=[ReferenceGone, BadPicture, PictureTooLarge],
        max_body_bytes=pictures.MAX_BYTES + FORM_BYTES,
        description="JPEG, PNG, WebP or GIF, up to 10 MB and 40 megapixels. Thumbnails are made "
        "in the background. A photo's metadata, such as where it was taken, is not kept.",
    )
    async def post(self, request: Request, product_id: UUID) -> Response:
        values = ImageInput.read(request.data)

        def add() -> dict[str, Any]:
            product = selectors.products().get(pk=product_id)
            image = services.add_image(product=product, content=values["file"], alt=values["alt"])
            return image_json(image)

        return tagged(await in_thread(add), status=201)

    @operation(
        "order_images",
        "Set the order of a product's pictures",
        request=ImageOrderInput,
        max_body_bytes=64 * KIB,
        responses=ManagedImagesOutput,
        description="Names every picture of the product exactly once; the first is on the card.",
    )
    async def put(self, request: Request, product_id: UUID) -> Response:
        image_ids = ImageOrderInput.read(request.data)["images"]

        @transaction.atomic
        def change() -> dict[str, Any]:
            services.order_images(product_id=product_id, image_ids=image_ids)
            return _images(product_id)

        return Response(await in_thread(change))


class ImageView(StaffView):
    """One picture."""

    rights = {
        "GET": "catalog.view_productimage",
        "PATCH": "catalog.change_productimage",
        "DELETE": "catalog.delete_productimage",
    }

    @operation("get_image", "Get a picture", responses=ManagedImageOutput)
    async def get(self, request: Request, image_id: UUID) -> Response:
        image = await in_thread(selectors.images().get, pk=image_id)
        return Response(image_json(image))

    @operation(
        "update_image",
        "Change a picture's text or place",
        parameters=[IF_MATCH],
        request=ImageChangeInput,
        responses=ManagedImageOutput,
        errors=[PreconditionFailed],
    )
    async def patch(self, request: Request, image_id: UUID) -> Response:
        values: Any = ImageChangeInput.read(request.data, partial=True)

        @transaction.atomic
        def change() -> dict[str, Any]:
            self._require_match(image_id)
            return image_json(services.change_image(image_id=image_id, **values))

        return tagged(await in_thread(change))

    @operation(
        "delete_image",
        "Delete a picture and its files",
        parameters=[IF_MATCH],
        responses={204: None},
        errors=[PreconditionFailed],
    )
    async def delete(self, request: Request, image_id: UUID) -> Response:
        @transaction.atomic
        def delete() -> None:
            self._require_match(image_id)
            services.delete_image(image_id=image_id)

        await in_thread(delete)
        return Response(status=204)

    def _require_match(self, image_id: UUID) -> None:
        rows = selectors.images().select_for_update()
        require_match(self.request, lambda: image_json(rows.get(pk=image_id)))


def _images(product_id: UUID) -> dict[str, Any]:
    product = selectors.whole_products().get(pk=product_id)
    return {"items": [image_json(each) for each in product.images.all()]}
