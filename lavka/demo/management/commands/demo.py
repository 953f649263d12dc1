"""`demo`: a stocked shop to look at."""

from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from rich.console import Console
from rich.progress import track

from lavka.accounts.models import User
from lavka.demo import goods, orders, people, products, reviews, shelves, stock, year
from lavka.kernel.actors import Actor, acting
from lavka.listing.services import rebuild_listing


class Command(BaseCommand):
    """Adds what is missing of the demo; run twice, it adds nothing."""

    help = (
        "Stock the shop with about ninety invented products, their pictures and 300 reviews, make "
        "two logins, and trade for a year. What is there already stays as it is."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """One option: where the logins are kept."""
        parser.add_argument(
            "--logins",
            type=Path,
            default=Path(settings.STATE_DIR) / "logins.json",
            help="file for the two logins; passwords in it are kept (default: %(default)s)",
        )

    @acting(Actor.system("demo"))
    def handle(self, *, logins: Path, **options: Any) -> None:
        """Shelves, products, stock, pictures, people, then their year, in this order."""
        at = timezone.now()
        progress = Console(stderr=True)
        try:
            ways_in = people.ensure_logins(logins, at=at)
        except (people.BadLoginsFile, OSError) as fault:
            raise CommandError(str(fault)) from fault
        added = products.add_products(shelves.ensure_shelves(), at=at)
        counted, rates = stock.count_variants(), stock.add_rates()
        painted = sum(
            track(products.paint_products(), "Pictures", console=progress, transient=True)
        )
        customers = people.ensure_reviewers(at=at)
        customer, staff = (
            User.objects.get(email=ways_in[who]["email"].lower()) for who in ("customer", "staff")
        )
        opinions = reviews.planned_reviews(customers, at=at)
        purchases = orders.planned_purchases(customer, customers, opinions, at=at)
        happened = year.play(purchases, opinions, staff=staff, voters=customers, at=at)
        total = len(purchases) + len(opinions)
        done = Counter(track(happened, "A year", total=total, console=progress, transient=True))
        # The first visitor finds the goods on the shelves, before any worker runs.
        rebuild_listing()
        self.stdout.write(
            f"Demo shop: {added} of {len(goods.products())} products, {painted} pictures and "
            f"{done['review']} of {reviews.REVIEWS} reviews added; the rest was there."
        )
        self.stdout.write(
            f"  {counted} variants counted, {rates} rates of tax and shipping added, "
            f"{done['order']} orders placed"
        )
        for login in (ways_in["staff"], ways_in["customer"]):
            self.stdout.write(f"  {login['email']:<22} {login['password']}")
        self.stdout.write(f"The logins are in {logins}")
