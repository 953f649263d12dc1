"""`listing`: rebuild the shop window's rows, or tell which of them differ from their sources."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from lavka.listing import services


class Command(BaseCommand):
    """Both run beside an open shop."""

    help = (
        "`rebuild` makes every row of the listing anew. `drift` compares them with the catalogue "
        "and the ratings and reports what differs; with --mend it also makes it right, as the "
        "nightly run does."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What to do."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("rebuild", help="make every row anew")
        drift = actions.add_parser("drift", help="report rows that differ from their sources")
        drift.add_argument("--mend", action="store_true", help="make them right")

    def handle(self, *, action: str, mend: bool = False, **options: Any) -> None:
        """Do it and say what was found."""
        if action == "rebuild":
            self.stdout.write(f"Rebuilt {services.rebuild_listing()} products.")
            return
        report = services.reconcile_listing(at=timezone.now(), is_mending=mend)
        self.stdout.write(f"{report.drifted} of {report.checked} products had drifted.")
        for product_id in report.details["products"]:
            self.stdout.write(f"  {product_id}")
