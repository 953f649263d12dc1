"""`clean_pictures`: take out of stored pictures what tells where and by whom they were taken."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.progress import track

from lavka.catalog import services
from lavka.catalog.models import ProductImage
from lavka.kernel.errors import ShopError


class Command(BaseCommand):
    """Exit code 0: all are clean; 1: some could not be read."""

    help = (
        "Write stored pictures anew, in place, that have EXIF, XMP, comments, color profiles or "
        "anything else in their files beside the picture. New ones are cleaned when they come in; "
        "this is for those of before. Safe to repeat, and beside an open shop."
    )

    def handle(self, **options: Any) -> None:
        """One picture after another."""
        cleaned, failed = 0, 0
        images = ProductImage.objects.order_by("pk")
        console = Console(stderr=True)
        for image in track(
            images.iterator(chunk_size=200), "Pictures", total=images.count(), console=console,
            transient=True,
        ):  # fmt: skip
            try:
                cleaned += services.clean_image(image=image)
            except (ShopError, OSError) as fault:
                failed += 1
                self.stderr.write(f"{image.file.name}: {fault}")
        self.stdout.write(f"{cleaned} of {images.count()} pictures were written anew.")
        if failed:
            self.stdout.write(f"{failed} could not be read.")
            sys.exit(1)
