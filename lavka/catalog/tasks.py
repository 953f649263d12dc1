"""What happens in the background after the catalogue changed."""

import logging
from collections.abc import Iterable
from itertools import batched
from pathlib import PurePosixPath
from uuid import UUID

from celery import shared_task
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lavka.catalog import pictures, selectors, services
from lavka.catalog.errors import BadPicture, PictureTooLarge

logger = logging.getLogger(__name__)

_AT_ONCE = 1000


@shared_task(name="catalog.make_thumbnails")
def make_thumbnails(*, image_id: str, **_: object) -> None:
    """Store a picture's thumbnails; a second delivery finds them and does nothing.

    A picture that is gone is left alone, and so is one that cannot be decoded.
    """
    image = selectors.image_without_thumbnails(UUID(image_id))
    if image is None:
        return
    stem = PurePosixPath(str(image.file.name)).with_suffix("")
    try:
        with default_storage.open(str(image.file.name)) as file:
            made = dict(pictures.thumbnails(file))
    except (BadPicture, PictureTooLarge):
        logger.warning("a picture has no thumbnails: it is broken", extra={"image": image_id})
        return
    names = {
        str(width): default_storage.save(f"{stem}_{width}.webp", ContentFile(content))
        for width, content in made.items()
    }
    if not services.record_thumbnails(image_id=image.pk, names=names):
        services.delete_files(names=list(names.values()))


@shared_task(name="catalog.remove_files")
def remove_files(*, files: list[str], **_: object) -> None:
    """Delete the files of a picture that is gone, unless an order still shows it.

    A file that is not there is fine.
    """
    services.delete_files(names=files)


@shared_task(name="catalog.announce_brand")
def announce_brand(*, brand_id: str, **_: object) -> None:
    """Tell of every product of a changed brand."""
    _announce(selectors.product_ids_of_brand(UUID(brand_id)))


@shared_task(name="catalog.announce_category")
def announce_category(*, category_id: str, **_: object) -> None:
    """Tell of every product on or below a changed category."""
    _announce(selectors.product_ids_below(UUID(category_id)))


@shared_task(name="catalog.announce_attribute")
def announce_attribute(*, attribute_id: str, **_: object) -> None:
    """Tell of every product whose type has a changed attribute."""
    _announce(selectors.product_ids_with_attribute(UUID(attribute_id)))


def _announce(product_ids: Iterable[UUID]) -> None:
    for some in batched(product_ids, _AT_ONCE):
        services.announce_products(product_ids=some)
