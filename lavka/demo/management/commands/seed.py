"""`seed`: a large shop to measure."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from lavka.demo.seed import load
from lavka.demo.seed.rows import Plan
from lavka.kernel.actors import Actor, acting
from lavka.kernel.conf import options as shop
from lavka.kernel.money import exponent_of
from lavka.listing.services import rebuild_listing

# Django's mark for a password that nothing fits.
UNUSABLE = "!" + "seeded".ljust(40, "-")


class Command(BaseCommand):
    """Loads a shop of any size by COPY; the same numbers give the same rows."""

    help = (
        "Load a large invented shop, without pictures, beside what is there. It is written in one "
        "transaction and publishes no events; ratings are counted by the command itself. Most "
        "variants are sold without counting, the others are out of stock."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """The size, and what to do with an earlier seed."""
        parser.add_argument("--products", type=int, default=100_000, help="default: %(default)s")
        parser.add_argument("--reviews", type=int, default=300_000, help="default: %(default)s")
        parser.add_argument(
            "--replace", action="store_true", help="take an earlier seed away before"
        )
        parser.add_argument(
            "--password",
            help="one password for all seeded customers, for load tests; without it nobody can "
            "log in as one of them",
        )

    @acting(Actor.system("seed"))
    def handle(
        self, *, products: int, reviews: int, replace: bool, password: str | None, **options: Any
    ) -> None:
        """Load, unless an earlier seed is there."""
        if products < 1 or reviews < 0:
            raise CommandError("There is at least one product, and no less than no reviews.")
        if not self._make_room(products, reviews, replace=replace):
            return
        plan = Plan(products=products, reviews=reviews, unit=10 ** exponent_of(shop.currency))
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=Console(stderr=True),
        )
        with bar:
            task = bar.add_task("Products", total=products)
            load.load_shop(
                plan,
                password=make_password(password) if password else UNUSABLE,
                advance=lambda count: bar.advance(task, count),
            )
        load.analyze()
        self.stdout.write("Putting the products on the shelves …")
        rebuild_listing()
        load.analyze()
        self.stdout.write(
            f"Seeded {products} products and {reviews} reviews by {plan.customers} customers."
        )

    def _make_room(self, products: int, reviews: int, *, replace: bool) -> bool:
        """Whether there is something to load."""
        found = load.seeded_rows()
        if not found.products:
            return True
        there = f"{found.products} seeded products with {found.reviews} reviews"
        if replace:
            try:
                load.remove_shop()
            except IntegrityError as fault:
                raise CommandError(f"Something still refers to seeded rows: {fault}") from fault
            self.stdout.write(f"Removed {there}.")
            return True
        if (found.products, found.reviews) == (products, reviews):
            self.stdout.write(f"There are {there} already; nothing was added.")
            return False
        raise CommandError(f"There are {there} already. --replace loads the new numbers instead.")
