"""`lavka events`: how far the relay is, the log's upkeep, dead letters, the catalogue."""

import argparse
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import QuerySet
from django.forms.models import model_to_dict
from django.utils import timezone

from lavka.kernel import catalogue, log, partitions
from lavka.kernel import letters as dead_letters
from lavka.kernel.conf import options as shop
from lavka.kernel.models import DeadLetter
from lavka.kernel.threads import run_flow


class Command(BaseCommand):
    """One subcommand a duty."""

    help = "Shows how far events are relayed, tends their log, and replays or drops dead letters."

    # They ask the database, which the catalogue does not need.
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The subcommands."""
        duties = parser.add_subparsers(required=True, metavar="COMMAND")
        self._duty(duties, "status", self.status, "how far the relay is behind")
        purge = self._duty(duties, "purge", self.purge, "drop old months of the log")
        purge.add_argument(
            "--days",
            type=int,
            default=shop.events_kept_days,
            help="keep what is younger (default: %(default)s)",
        )
        write = self._duty(duties, "catalogue", self.catalogue, "write the catalogue of events")
        write.add_argument("--folder", type=Path, default=Path("docs/reference"))
        dead = duties.add_parser("dead-letter", help="messages that no worker could deal with")
        duties = dead.add_subparsers(required=True, metavar="COMMAND")
        self._chosen(self._duty(duties, "list", self.overview, "show them, the newest last"))
        self._chosen(self._duty(duties, "show", self.show, "show them with all they have"))
        self._chosen(self._duty(duties, "replay", self.replay, "send them again"))
        self._chosen(self._duty(duties, "drop", self.drop, "delete them"))

    def handle(self, *_: Any, duty: Callable[..., None], **options: Any) -> None:
        """Do it."""
        duty(**options)

    def status(self, **_: Any) -> None:
        """Print the lag and the number of dead letters."""
        lag = run_flow(log.lag())
        self.stdout.write(
            f"{lag.events} events wait, the oldest for {lag.seconds:.1f} s; "
            f"{lag.dead_letters} dead letters"
        )

    def purge(self, *, days: int, **_: Any) -> None:
        """Drop what is older, whole months at a time, and make the months to come."""
        now = timezone.now()
        for name in partitions.purge(before=now - datetime.timedelta(days=days)):
            self.stdout.write(f"dropped {name}")
        for name in partitions.make_ahead(at=now):
            self.stdout.write(f"made {name}")

    def catalogue(self, *, folder: Path, **_: Any) -> None:
        """Write `events.md` and `events.json`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "events.md").write_text(catalogue.page())
        (folder / "events.json").write_text(json.dumps(catalogue.schema(), indent=2) + "\n")

    def overview(self, **options: Any) -> None:
        """A line a letter."""
        for letter in self._letters(**options):
            cause = letter.error.strip().rpartition("\n")[2]
            self.stdout.write(
                f"{letter.pk}  {letter.failed_at:%Y-%m-%d %H:%M:%S}  {letter.reason:10}  "
                f"{letter.task}  {cause}"
            )

    def show(self, **options: Any) -> None:
        """A JSON object a letter."""
        for letter in self._letters(**options):
            shown = {"id": letter.pk, **model_to_dict(letter)}
            self.stdout.write(json.dumps(shown, cls=DjangoJSONEncoder, indent=2))

    def replay(self, **options: Any) -> None:
        """Send now, without waiting for beat."""
        now = timezone.now()
        dead_letters.ask_for_replay(letters=self._chosen_ids(**options), at=now)
        self.stdout.write(f"{dead_letters.replay_due(at=now)} sent again")

    def drop(self, **options: Any) -> None:
        """Delete."""
        self.stdout.write(f"{dead_letters.drop(letters=self._chosen_ids(**options))} dropped")

    def _duty(self, duties: Any, name: str, duty: Any, text: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = duties.add_parser(name, help=text)
        parser.set_defaults(duty=duty)
        return parser

    def _chosen(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("letters", nargs="*", metavar="ID", help="only these")
        parser.add_argument("--task", default="", help="only those of this task")
        parser.add_argument("--all", action="store_true", help="every one")

    def _letters(self, *, letters: list[str], task: str, **_: Any) -> QuerySet[DeadLetter]:
        dead_letters.collect()
        found = DeadLetter.objects.order_by("failed_at")
        if letters:
            found = found.filter(pk__in=letters)
        return found.filter(task=task) if task else found

    def _chosen_ids(self, **options: Any) -> list[Any]:
        if not (options["letters"] or options["task"] or options["all"]):
            raise CommandError("Name letters by their ids, or with --task, or say --all.")
        return [letter.pk for letter in self._letters(**options)]
