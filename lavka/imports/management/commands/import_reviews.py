"""`import_reviews`: a file of reviews into the shop."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from lavka.imports import reviews
from lavka.imports.reports import Report
from lavka.imports.tables import Refusal, Unusable, check_encoding
from lavka.kernel.actors import Actor, acting


class Command(BaseCommand):
    """Exit code 0: all imported; 1: some refused; 2: the file cannot be used at all."""

    help = (
        "Import reviews from CSV with the columns product (slug or SKU), author_email, rating and, "
        "if there, title, text, created_at; or from the public Women's E-Commerce Clothing "
        "Reviews. One review per author and product: safe to repeat."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and what to do with it."""
        parser.add_argument("file", type=Path, help="CSV in UTF-8, gzipped or not")
        parser.add_argument(
            "--create-products", action="store_true", help="create products that are missing"
        )
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="write nothing: all is undone at the end of one transaction",
        )
        parser.add_argument("--report", type=Path, help="save the refusals as CSV")

    def handle(self, *, file: Path, **options: Any) -> None:
        """In the name of the import."""
        with acting(Actor.importer(file.name)):
            self._run(file=file, **options)

    def _run(
        self,
        *,
        file: Path,
        create_products: bool,
        dry_run: bool,
        report: Path | None,
        **options: Any,
    ) -> None:
        """Check the whole file, then go batch by batch."""
        at = timezone.now()
        try:
            check_encoding(file)
            profile = reviews.profile_of(file)
        except (Unusable, OSError) as fault:
            raise CommandError(str(fault), returncode=2) from fault
        told = Report()
        batches = reviews.batches(file, profile, at)
        with transaction.atomic() if dry_run else nullcontext():
            for batch in track(batches, "Reviews", console=Console(stderr=True), transient=True):
                _import(batch, told, creates_products=create_products)
            if dry_run:
                transaction.set_rollback(True)
        if report is not None:
            told.write(report)
        self.stdout.write("\n".join(told.lines()))
        if told.refusals:
            sys.exit(1)


def _import(
    batch: list[reviews.ReviewDraft | Refusal], told: Report, *, creates_products: bool
) -> None:
    drafts = [row for row in batch if not isinstance(row, Refusal)]
    written, missing = reviews.save_reviews(drafts, creates_products=creates_products)
    told.refusals += [row for row in batch if isinstance(row, Refusal)] + missing
    told.counts["created"] += written
    told.counts["already there"] += len(drafts) - written - len(missing)
