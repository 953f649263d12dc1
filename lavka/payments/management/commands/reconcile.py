"""`lavka reconcile`: are orders, payments, ledger and providers of one mind?"""

import datetime
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from lavka.kernel.threads import run_flow
from lavka.payments import flows


class Command(BaseCommand):
    """Prints each difference; the exit code is 1 when there is one."""

    help = "Compares orders, payments, ledger and providers, and reports what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        """How far back."""
        parser.add_argument(
            "--days", type=int, default=30, help="how far back to look (default: 30)"
        )

    def handle(self, *_: Any, days: int, **__: Any) -> None:
        """Compare, report, exit."""
        now = timezone.now()
        since = now - datetime.timedelta(days=days)
        report = run_flow(flows.reconcile(since=since, at=now))
        for drift in report.details["drifts"]:
            self.stdout.write(
                "{what} {subject}: {ours} here, {theirs} there (minor units)".format(**drift)
            )
        self.stdout.write(f"{report.checked} payments checked, {report.drifted} differ")
        if report.drifted:
            sys.exit(1)
