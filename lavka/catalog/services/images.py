"""Pictures of products: the rows in a transaction, the files before and after it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from shutil import copymode
from typing import TypedDict, Unpack
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from lavka.catalog import pictures
from lavka.catalog.errors import refuse
from lavka.catalog.models import Product, ProductImage, Variant, VariantImage, picture_name
from lavka.catalog.rules import check_variant_images
from lavka.catalog.services.announcements import announce_products
from lavka.catalog.services.writing import refusals_named
from lavka.kernel.errors import FieldError

# Apps above that keep copies of pictures: whether one of them still shows any of these files.
file_users: list[Callable[[Collection[str]], bool]] = []


class ImageContent(TypedDict, total=False):
    """What staff say about a picture."""

    alt: str
    position: int


def add_image(
    *, product: Product, content: File, alt: str = "", position: int | None = None
) -> ProductImage:
    """Check and store a picture, then add its row, last when `position` is None.

    Not atomic itself: the storage may be far away, so the file is there before the row.
    Raises: BadPicture; PictureTooLarge; ReferenceGone, for a product that was deleted.
    Emits: ImageAdded, ProductChanged.
    """
    picture = pictures.checked(content)
    image = ProductImage(product=product, alt=alt)
    name = default_storage.save(
        picture_name(image, f"picture.{picture.suffix}"), ContentFile(picture.content)
    )
    try:
        return _insert_image(image, name, picture, position)
    except BaseException:
        default_storage.delete(name)
        raise


def clean_image(*, image: ProductImage) -> bool:
    """Write a stored picture anew, in place, if there is more in its file; says whether it did.

    Raises: BadPicture; PictureTooLarge; OSError, when the storage has no such file.
    """
    name = str(image.file.name)
    with default_storage.open(name) as file:
        before = file.read()
    picture = pictures.checked(BytesIO(before))
    if picture.content == before:
        return False
    _overwrite(name, picture.content)
    if (image.width, image.height) != (picture.width, picture.height):
        ProductImage.objects.filter(pk=image.pk).update(width=picture.width, height=picture.height)
        announce_products(product_ids=[image.product_id])
    return True


def _overwrite(name: str, content: bytes) -> None:
    """Replace a file whole: whoever reads it meanwhile has the old one or the new one."""
    try:
        path = Path(default_storage.path(name))
    except NotImplementedError:  # no folder of this machine
        with default_storage.open(name, "wb") as file:
            file.write(content)
        return
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    copymode(path, fresh)
    fresh.replace(path)


@transaction.atomic
def change_image(*, image_id: UUID, **content: Unpack[ImageContent]) -> ProductImage:
    """Change a picture's text or place; raises ProductImage.DoesNotExist. Emits: ProductChanged."""
    image = ProductImage.objects.select_for_update(no_key=True).get(pk=image_id)
    for name, value in content.items():
        setattr(image, name, value)
    image.save(update_fields=list(content) or ["alt"])
    return image


@transaction.atomic
def delete_image(*, image_id: UUID) -> None:
    """Delete a picture; its files follow when the transaction is committed.

    Raises: ProductImage.DoesNotExist. Emits: ProductChanged, ImageRemoved.
    """
    ProductImage.objects.select_for_update().get(pk=image_id).delete()


@transaction.atomic
def order_images(*, product_id: UUID, image_ids: Sequence[UUID]) -> None:
    """Show a product's pictures in this order.

    Raises: Product.DoesNotExist; Invalid, unless every picture is named exactly once.
    Locks: the product. Emits: ProductChanged.
    """
    product = Product.objects.select_for_update(no_key=True).get(pk=product_id)
    images = {image.pk: image for image in product.images.all()}
    if len(image_ids) != len(images) or images.keys() != set(image_ids):
        detail = _("Every picture of the product is expected exactly once.")
        refuse([FieldError("#/images", "not_all_once", detail, tuple(map(str, images)))])
    for position, image_id in enumerate(image_ids):
        images[image_id].position = position
    ProductImage.objects.bulk_update(images.values(), ["position"])
    announce_products(product_ids=[product_id])


@transaction.atomic
def add_variant_image(*, variant_id: UUID, image_id: UUID) -> bool:
    """Show a variant by this picture first; False if the picture was among its pictures already.

    Raises: Variant.DoesNotExist; Invalid, for a picture of another product; ReferenceGone.
    Locks: the product. Emits: ProductChanged.
    """
    product_id = Variant.objects.values_list("product", flat=True).get(pk=variant_id)
    Product.objects.select_for_update(no_key=True).get(pk=product_id)
    links = VariantImage.objects.filter(variant_id=variant_id).order_by("position", "id")
    image_ids = list(links.values_list("image", flat=True))
    if image_id in image_ids:
        return False
    with refusals_named():
        write_variant_images(
            product_id=product_id, image_ids={variant_id: [image_id, *image_ids]}, pointer="#"
        )
    announce_products(product_ids=[product_id])
    return True


def write_variant_images(
    *, product_id: UUID, image_ids: Mapping[UUID, Sequence[UUID] | None], pointer: str
) -> None:
    """Make these the pictures of a product's variants; None leaves a variant's as they are.

    The caller holds the product and tells of its change.
    Raises: Invalid, with `<pointer>/image_ids/<place>`; `{index}` in it counts the variants.
    """
    wanted = {key: ids for key, ids in image_ids.items() if ids is not None}
    if not wanted:
        return
    own = set(ProductImage.objects.filter(product=product_id).values_list("pk", flat=True))
    refuse(
        [
            error
            for index, ids in enumerate(image_ids.values())
            for error in check_variant_images(
                own, ids or (), pointer=f"{pointer.format(index=index)}/image_ids"
            )
        ]
    )
    VariantImage.objects.filter(variant__in=wanted).delete()
    VariantImage.objects.bulk_create(
        VariantImage(variant_id=variant_id, image_id=image_id, position=position)
        for variant_id, ids in wanted.items()
        for position, image_id in enumerate(ids)
    )


def delete_files(*, names: Collection[str]) -> None:
    """Delete a picture's files from the storage, unless `file_users` still show it."""
    if any(is_shown(names) for is_shown in file_users):
        return
    for name in names:
        default_storage.delete(name)


@transaction.atomic
def record_thumbnails(*, image_id: UUID, names: Mapping[str, str]) -> bool:
    """Note where a picture's thumbnails are; False when the picture is gone or has some already.

    Emits: ProductChanged.
    """
    image = ProductImage.objects.select_for_update(no_key=True).filter(pk=image_id).first()
    if image is None or image.thumbnails:
        return False
    ProductImage.objects.filter(pk=image_id).update(thumbnails=dict(names))
    announce_products(product_ids=[image.product_id])
    return True


@transaction.atomic
def _insert_image(
    image: ProductImage, name: str, picture: pictures.Picture, position: int | None
) -> ProductImage:
    image.width, image.height = picture.width, picture.height
    # The size is known, so that Django need not fetch the file back to measure it.
    image.file.name = name
    if position is None:
        last = image.product.images.aggregate(last=Max("position"))["last"]
        position = 0 if last is None else last + 1
    image.position = position
    with refusals_named():
        image.save(force_insert=True)
    return image
