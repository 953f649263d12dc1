"""`import_products`: a Shopify product file into the catalogue."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import track

from lavka.imports import pictures, shopify
from lavka.imports.downloads import fetch
from lavka.imports.products import save_draft
from lavka.imports.reports import Report
from lavka.imports.stock import Destination
from lavka.imports.tables import Refusal, Unusable, check_encoding
from lavka.inventory.models import Warehouse
from lavka.kernel.actors import Actor, acting
from lavka.kernel.conf import options as shop


class Command(BaseCommand):
    """Exit code 0: all imported; 1: some refused; 2: the file cannot be used at all."""

    help = (
        "Import products from Shopify's CSV. A product with a bad row is refused whole and told "
        "with its lines; the others are imported. Safe to repeat: a quantity that the file said "
        "before is no new count, so what was sold since stays sold; another quantity is one. "
        "Pictures come with --images or --images-from only; one that does not come is told and "
        "stops nothing."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, and what to do with it."""
        parser.add_argument("file", type=Path, help="CSV in UTF-8, gzipped or not")
        parser.add_argument("--dry-run", action="store_true", help="write nothing")
        parser.add_argument(
            "--warehouse",
            metavar="CODE",
            help="count the quantities there; without it, where the last quantity of a variant was "
            "counted, and new ones in the warehouse that is taken first",
        )
        parser.add_argument(
            "--untracked-if-blank",
            action="store_true",
            help="sell variants with a blank inventory tracker without counting, as Shopify does; "
            "without it, new ones are counted and known ones stay counted or not as they were",
        )
        pictures = parser.add_mutually_exclusive_group()
        pictures.add_argument(
            "--images", action="store_true", help="download the pictures from where they are"
        )
        pictures.add_argument(
            "--images-from",
            type=Path,
            metavar="FOLDER",
            help="take the pictures from a folder, by the last part of their addresses",
        )
        parser.add_argument("--report", type=Path, help="save the refusals as CSV")

    def handle(self, *, file: Path, **options: Any) -> None:
        """In the name of the import."""
        with acting(Actor.importer(file.name)):
            self._run(file=file, **options)

    def _run(self, *, file: Path, dry_run: bool, report: Path | None, **options: Any) -> None:
        """Check the whole file, then go product by product."""
        content_of = None if dry_run else _ways_to_pictures(options)
        try:
            check_encoding(file)
            shopify.check_header(file)
            told = Report(columns=shopify.columns_of(file))
        except (Unusable, OSError) as fault:
            raise CommandError(str(fault), returncode=2) from fault
        read = partial(
            shopify.draft_of,
            currency=shop.currency,
            is_blank_untracked=options["untracked_if_blank"],
        )
        save = partial(
            save_draft, destination=_destination(options["warehouse"]), is_dry_run=dry_run
        )
        progress = Console(stderr=True)
        for group in track(shopify.groups(file), "Products", console=progress, transient=True):
            if isinstance(group, Refusal):
                told.refusals.append(group)
            else:
                _import(partial(read, group), save, told, content_of)
        if report is not None:
            told.write(report)
        self.stdout.write("\n".join(told.lines()))
        if told.refusals:
            sys.exit(1)


def _ways_to_pictures(options: dict[str, Any]) -> pictures.ContentOf | None:
    """Where pictures are taken from; None leaves them where they are."""
    folder: Path | None = options["images_from"]
    if folder is not None and not folder.is_dir():
        raise CommandError(f"{folder} is no folder.", returncode=2)
    if folder is not None:
        return pictures.from_folder(folder)
    return fetch if options["images"] else None


def _destination(code: str | None) -> Destination:
    """Where quantities go."""
    places = Warehouse.objects.order_by("priority", "code")
    found = (places.filter(code=code) if code else places).first()
    if found is None:
        raise CommandError("There is no such warehouse.", returncode=2)
    return Destination(warehouse=found, is_named=bool(code))


def _import(
    draft_of: Callable[[], shopify.ProductDraft],
    save: Callable[[shopify.ProductDraft], str],
    told: Report,
    content_of: pictures.ContentOf | None,
) -> None:
    try:
        draft = draft_of()
        outcome = save(draft)
    except shopify.Refused as refused:
        told.refusals += refused.refusals
        told.counts["refused"] += 1
        return
    told.counts[outcome] += 1
    told.notes.update(draft.notes)
    if content_of is None:
        told.notes["picture was not fetched"] += len(draft.pictures)
        return
    added, missing = pictures.add_pictures(
        slug=draft.slug, pictures=draft.pictures, content_of=content_of
    )
    told.refusals += missing
    told.notes["picture was added"] += added
    told.notes["variant got its picture"] += pictures.show_variants(
        slug=draft.slug, variants=draft.variants
    )
