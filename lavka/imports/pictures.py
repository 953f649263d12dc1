"""Pictures that a product file names: from their addresses, or from a folder of this machine."""

from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction

from lavka.catalog import services as catalog
from lavka.catalog.models import Product, Variant
from lavka.imports.downloads import MAX_BYTES, NotFetched
from lavka.imports.models import MAX_SOURCE, ImportedPicture
from lavka.imports.shopify import PictureDraft
from lavka.imports.shopify_variants import VariantDraft
from lavka.imports.tables import Refusal
from lavka.kernel.errors import ShopError

type ContentOf = Callable[[str], bytes]


def from_folder(folder: Path) -> ContentOf:
    """Finds a picture by the last part of its address, directly in `folder`."""

    def content_of(source: str) -> bytes:
        try:
            name = PurePosixPath(unquote(urlsplit(source).path)).name
            with (folder / name).open("rb") as file:
                return file.read(MAX_BYTES + 1)
        except (OSError, ValueError) as fault:
            raise NotFetched("no_such_file", f"{folder} has no such file.") from fault

    return content_of


def add_pictures(
    *, slug: str, pictures: Sequence[PictureDraft], content_of: ContentOf
) -> tuple[int, list[Refusal]]:
    """Add the pictures that the product did not get from these sources before.

    Returns how many, and what became of the others. The content comes with no transaction open.
    """
    product = Product.objects.filter(slug=slug).first()
    if product is None:
        return 0, []
    known = set(ImportedPicture.objects.filter(product=product).values_list("source", flat=True))
    added, refused = 0, []
    for picture in pictures:
        if picture.source in known:
            continue
        try:
            added += _add_picture(product, picture, content_of)
        except NotFetched as fault:
            refused.append(_refusal(picture, fault.code, fault.reason))
        except ShopError as fault:
            refused.append(_refusal(picture, fault.code, fault.detail))
        except OSError as fault:
            refused.append(_refusal(picture, "not_stored", str(fault)))
    return added, refused


def show_variants(*, slug: str, variants: Sequence[VariantDraft]) -> int:
    """Show each variant by the picture that the file names for it, if that picture is there.

    Returns how many variants are shown by another picture than before.
    """
    sources = {variant.sku: variant.image for variant in variants if variant.image}
    imported = ImportedPicture.objects.filter(product__slug=slug, source__in=sources.values())
    images = dict(imported.values_list("source", "image"))
    known = Variant.objects.filter(product__slug=slug, sku__in=sources)
    return sum(
        catalog.add_variant_image(variant_id=variant_id, image_id=images[sources[sku]])
        for variant_id, sku in known.values_list("pk", "sku")
        if sources[sku] in images
    )


def _add_picture(product: Product, picture: PictureDraft, content_of: ContentOf) -> bool:
    """Whether the picture is new: another import may have brought it in the meantime."""
    if len(picture.source) > MAX_SOURCE:
        raise NotFetched("too_long", f"The address is above {MAX_SOURCE} characters.")
    content = ContentFile(content_of(picture.source))
    image = catalog.add_image(product=product, content=content, alt=picture.alt)
    try:
        with transaction.atomic():
            ImportedPicture.objects.create(product=product, image=image, source=picture.source)
    except IntegrityError:
        catalog.delete_image(image_id=image.pk)
        return False
    return True


def _refusal(picture: PictureDraft, code: str, reason: str) -> Refusal:
    return Refusal(
        line=picture.line, column="Image Src", code=code, reason=f"{picture.source[:100]}: {reason}"
    )
